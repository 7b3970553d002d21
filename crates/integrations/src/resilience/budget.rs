//! How many calls may be tried again: a tenth of all, so that repeats never make a storm of a failure.

use std::sync::{Mutex, PoisonError};

use domain::clock::Timestamp;

/// What one call adds, and one repeat takes.
const SHARE: u64 = 1;
const PRICE: u64 = 10;
/// What can be saved up: ten repeats.
const MOST: u64 = 10 * PRICE;
/// One who seldom calls may repeat once in so many seconds all the same.
const SELDOM_SECONDS: i64 = 10;

/// How many may be tried again.
#[derive(Debug)]
pub(super) struct Budget(Mutex<Saved>);

#[derive(Debug)]
struct Saved {
    amount: u64,
    given: Option<Timestamp>,
}

impl Budget {
    pub(super) fn new() -> Self {
        Self(Mutex::new(Saved { amount: 0, given: None }))
    }

    /// A call is made.
    pub(super) fn called(&self) {
        let mut saved = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        saved.amount = (saved.amount + SHARE).min(MOST);
    }

    /// Whether one may be tried again; if so, it is taken.
    pub(super) fn take(&self, now: Timestamp) -> bool {
        let mut saved = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if saved.amount >= PRICE {
            saved.amount -= PRICE;
            return true;
        }
        let seldom = saved.given.is_none_or(|given| (now - given).num_seconds() >= SELDOM_SECONDS);
        if seldom {
            saved.given = Some(now);
        }
        seldom
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_timestamp(seconds, 0).unwrap()
    }

    #[test]
    fn a_tenth_of_the_calls_may_be_tried_again() {
        let budget = Budget::new();
        assert!(budget.take(at(0)), "who seldom calls");
        let repeats = (0..1000).filter(|_| {
            budget.called();
            budget.take(at(1))
        });
        assert_eq!(repeats.count(), 100);
    }

    #[test]
    fn what_is_saved_up_is_bounded() {
        let budget = Budget::new();
        (0..100_000).for_each(|_| budget.called());
        assert!(budget.take(at(0)));
        let repeats = (0..1000).filter(|_| budget.take(at(0)));
        assert_eq!(repeats.count(), 10, "nine that are left, and the one of who seldom calls");
        assert!(!budget.take(at(9)));
        assert!(budget.take(at(10)));
        assert!(!budget.take(at(19)));
    }
}
