//! How many frames of one connection are heard: counted by the connection itself, so that no frame costs a question to others.

use std::time::{Duration, Instant};

use domain::limit::{Pace, Policy};

use crate::settings::LimitRule;

/// The policy that counts frames, by the name limits know it by.
pub const FRAMES: &str = "ws_frames";

/// The frames of one connection.
#[derive(Debug)]
pub(super) struct Frames {
    policy: Option<(Policy, Pace)>,
    began: Instant,
    /// When it will be fully rested, in microseconds since it began.
    rested: u64,
}

impl Frames {
    /// A connection that begins now, under the policy of that name among these, if it is on.
    pub(super) fn new(limits: &[LimitRule], now: Instant) -> Self {
        let rule = limits.iter().find(|rule| *rule.policy.name == *FRAMES);
        let policy = rule.map(|rule| (rule.policy.clone(), Pace::of(&rule.policy)));
        Self { policy, began: now, rested: 0 }
    }

    /// Counts a frame.
    ///
    /// # Errors
    /// How long to wait, when there were too many.
    pub(super) fn count(&mut self, now: Instant) -> Result<(), Duration> {
        let Some((policy, pace)) = &self.policy else { return Ok(()) };
        let now = u64::try_from((now - self.began).as_micros()).unwrap_or(u64::MAX);
        let ahead = self.rested.saturating_sub(now);
        let admitted = pace.admits(ahead);
        let outcome = if admitted { "allowed" } else { "refused" };
        metrics::counter!("limiter_decisions_total", "policy" => FRAMES, "outcome" => outcome).increment(1);
        if !admitted {
            return Err(pace.decide(policy, ahead, false).retry_after);
        }
        self.rested = now.saturating_add(pace.after(ahead));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::LimitScope;

    #[test]
    fn so_many_frames_at_once_and_then_one_for_each_share_of_the_window() {
        let limits = [LimitRule::operation(FRAMES, LimitScope::Actor, 3, Duration::from_secs(3))];
        let began = Instant::now();
        let (mut frames, mut others) = (Frames::new(&limits, began), Frames::new(&limits, began));
        for _ in 0..3 {
            assert_eq!(frames.count(began), Ok(()));
        }
        assert_eq!(frames.count(began), Err(Duration::from_secs(1)));
        assert_eq!(frames.count(began + Duration::from_millis(400)), Err(Duration::from_millis(600)));
        assert_eq!(others.count(began), Ok(()), "each connection by itself");
        let later = began + Duration::from_secs(1);
        assert_eq!((frames.count(later), frames.count(later)), (Ok(()), Err(Duration::from_secs(1))));
        let mut free = Frames::new(&[], began);
        assert!((0..1000).all(|_| free.count(began).is_ok()));
    }
}
