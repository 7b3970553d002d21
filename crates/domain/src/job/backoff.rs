//! How long a job waits after an attempt that failed.

use std::time::Duration;

/// Pauses that double from attempt to attempt up to a bound, jittered so that jobs which failed together do not come
/// back together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backoff {
    /// The pause after the first attempt.
    pub first: Duration,
    /// The longest pause.
    pub longest: Duration,
}

impl Default for Backoff {
    fn default() -> Self {
        Self { first: Duration::from_secs(2), longest: Duration::from_hours(1) }
    }
}

impl Backoff {
    /// The pause after the attempt of this number, counted from 1: between half and the whole of what doubling gives,
    /// as `jitter` says, from 0 to 255.
    pub fn pause(&self, attempt: u32, jitter: u8) -> Duration {
        let doubled = self.first.saturating_mul(2_u32.saturating_pow(attempt.saturating_sub(1)));
        let whole = doubled.min(self.longest);
        whole / 2 + whole / 2 * u32::from(jitter) / 255
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_longest_and_lie_between_half_and_whole() {
        let backoff = Backoff { first: Duration::from_secs(2), longest: Duration::from_mins(1) };
        let whole: Vec<u64> = (1..=8).map(|attempt| backoff.pause(attempt, 255).as_secs()).collect();
        assert_eq!(whole, [2, 4, 8, 16, 32, 60, 60, 60]);
        assert_eq!(backoff.pause(5, 0), Duration::from_secs(16));
        assert!((0..=255).map(|jitter| backoff.pause(3, jitter)).is_sorted());
        assert_eq!(backoff.pause(u32::MAX, 255), Duration::from_mins(1), "no attempt overflows");
    }
}
