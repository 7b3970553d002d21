//! How long to wait before a call is tried again.

use std::time::Duration;

use domain::clock::Entropy;

/// The longest pause before the second attempt; it doubles with each.
const FIRST: Duration = Duration::from_millis(100);
/// The longest pause of all.
const LONGEST: Duration = Duration::from_secs(2);

/// A pause after so many attempts: anything up to a bound that grows, so that those who failed together do not come back
/// together.
pub(super) fn pause(attempts: u32, entropy: &dyn Entropy) -> Duration {
    let most = FIRST.saturating_mul(1 << attempts.saturating_sub(1).min(16)).min(LONGEST);
    let mut bytes = [0; 4];
    entropy.fill(&mut bytes);
    // A share of it out of 2^32.
    let share = u128::from(u32::from_be_bytes(bytes));
    let nanos = (most.as_nanos() * share) >> 32;
    Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Always(u8);

    impl Entropy for Always {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(self.0);
        }
    }

    #[test]
    fn pauses_grow_to_a_bound_and_have_any_length_up_to_it() {
        let longest: Vec<u128> = (1..=7).map(|attempts| pause(attempts, &Always(255)).as_millis()).collect();
        assert_eq!(longest, [99, 199, 399, 799, 1599, 1999, 1999]);
        assert_eq!(pause(u32::MAX, &Always(255)).as_millis(), 1999);
        assert_eq!(pause(3, &Always(0)), Duration::ZERO);
        assert_eq!(pause(3, &Always(128)).as_millis(), 200);
    }
}
