//! The arithmetic of the generic cell rate algorithm, for every adapter alike. All times are whole microseconds.
//!
//! Of each subject one number is kept: the moment at which it will be fully rested. How far that lies ahead of now says how
//! much of the limit is used up; each call moves it on by its share of the window.

use std::time::Duration;

use super::{Decision, Policy};

/// The pace that a policy sets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// The share of one call.
    pub interval: u64,
    /// The shares that a rested subject may use up at once.
    pub burst: u64,
    /// How much more may be used up by calls that are held back until their time has come.
    pub patience: u64,
}

impl Pace {
    /// The pace of a policy. One of no calls at all has no burst, so that nothing is ever admitted.
    pub fn of(policy: &Policy) -> Self {
        let (window, calls) = (micros(policy.window), u64::from(policy.limit));
        match window.checked_div(calls) {
            None => Self { interval: window.max(1), burst: 0, patience: 0 },
            Some(share) => {
                let interval = share.max(1);
                Self { interval, burst: interval.saturating_mul(calls), patience: micros(policy.patience) }
            }
        }
    }

    /// Whether a call is admitted, though perhaps held back, when the subject will be rested so long from now.
    pub fn admits(&self, ahead: u64) -> bool {
        self.after(ahead) <= self.burst.saturating_add(self.patience)
    }

    /// When the subject will be rested after one more call.
    pub fn after(&self, ahead: u64) -> u64 {
        ahead.saturating_add(self.interval)
    }

    /// What is said of a call that found the subject rested `ahead` from now. `counted` is whether the call was: one that
    /// this policy admits is not when another one refuses it.
    pub fn decide(&self, policy: &Policy, ahead: u64, counted: bool) -> Decision {
        let used = if counted { self.after(ahead) } else { ahead };
        let remaining = self.burst.saturating_sub(used) / self.interval;
        let most = self.burst.saturating_add(self.patience);
        let retry_after = if remaining > 0 { 0 } else { self.after(used).saturating_sub(most) };
        Decision {
            allowed: self.admits(ahead),
            wait: if counted { Duration::from_micros(used.saturating_sub(self.burst)) } else { Duration::ZERO },
            limit: policy.limit,
            remaining: u32::try_from(remaining).unwrap_or(policy.limit),
            reset: Duration::from_micros(used),
            retry_after: Duration::from_micros(retry_after),
        }
    }
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn policy(limit: u32, window: Duration, patience: Duration) -> Policy {
        Policy { name: "p".into(), limit, window, patience }
    }

    /// Calls at these moments: how many are admitted, and when the last of them may go on.
    fn calls(policy: &Policy, at: impl IntoIterator<Item = u64>) -> Vec<u64> {
        let pace = Pace::of(policy);
        let mut rested = 0_u64;
        let mut went = Vec::new();
        for now in at {
            let ahead = rested.saturating_sub(now);
            if pace.admits(ahead) {
                rested = now + pace.after(ahead);
                went.push(now + u64::try_from(pace.decide(policy, ahead, true).wait.as_micros()).unwrap());
            }
        }
        went
    }

    #[test]
    fn a_limit_of_none_admits_nothing() {
        let none = policy(0, Duration::from_mins(1), Duration::from_secs(5));
        assert!(!Pace::of(&none).admits(0));
        assert_eq!(Pace::of(&none).decide(&none, 0, false).retry_after, Duration::from_mins(1));
    }

    #[test]
    fn a_limit_finer_than_the_clock_still_counts() {
        let fine = policy(u32::MAX, Duration::from_secs(1), Duration::ZERO);
        assert!(Pace::of(&fine).admits(0));
    }

    #[test]
    fn calls_above_the_limit_are_held_back_one_behind_the_other() {
        let second = 1_000_000;
        let held = policy(2, Duration::from_secs(2), Duration::from_secs(3));
        assert_eq!(calls(&held, [0; 10]), [0, 0, second, 2 * second, 3 * second], "then the queue is full");
    }

    proptest! {
        /// In no window do more calls go on than the burst and the window's own share together.
        #[test]
        fn no_window_sees_more_than_two_limits(
            limit in 1_u32..20, patience in 0_u64..3_000_000, mut at in proptest::collection::vec(0_u64..10_000_000, 0..200),
        ) {
            at.sort_unstable();
            let window = 1_000_000;
            let policy = policy(limit, Duration::from_micros(window), Duration::from_micros(patience));
            let went = calls(&policy, at);
            for from in &went {
                let within = went.iter().filter(|time| (*from..from + window).contains(time)).count();
                prop_assert!(within <= 2 * usize::try_from(limit).unwrap());
            }
        }
    }
}
