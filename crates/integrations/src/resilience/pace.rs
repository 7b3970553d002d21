//! How often the other side wants to be called: not at all at first, then more and more, when it said that it was too much
//! (RL-09).

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use domain::clock::Timestamp;

/// How long it is left alone when it does not say.
pub(super) const USUAL: Duration = Duration::from_secs(1);
/// The longest, whatever it says.
const LONGEST: Duration = Duration::from_mins(5);
/// Fewest calls in a thousand seconds.
const SLOWEST: u64 = 100;
/// From so many on it is free again.
const FREE: u64 = 500_000;
/// After so long a second refusal is not of the same burst.
const BURST: Duration = Duration::from_secs(1);

/// How often calls are made.
#[derive(Debug, Default)]
pub(super) struct Pace(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    /// Calls in a thousand seconds; `None` while nobody complains.
    rate: Option<u64>,
    /// Not before this moment.
    next: Timestamp,
    /// When it was last lowered.
    lowered: Option<Timestamp>,
    /// Calls of a second, and of the one before, by which one knows what was too much.
    second: i64,
    present: u64,
    before: u64,
}

impl Pace {
    /// How long to wait before a call; or, when that is longer than anybody would, after how long to come again.
    pub(super) fn take(&self, now: Timestamp, most: Duration) -> Result<Duration, Duration> {
        let mut state = self.state();
        let at = state.next.max(now);
        let wait = (at - now).to_std().unwrap_or_default();
        if wait > most {
            return Err(wait);
        }
        if let Some(rate) = state.rate {
            state.next = at + Duration::from_micros(1_000_000_000 / rate.max(1));
        }
        state.count(at.timestamp());
        Ok(wait)
    }

    /// It said that this was too much, and perhaps when to come again.
    pub(super) fn too_much(&self, after: Option<Duration>, now: Timestamp) {
        let mut state = self.state();
        let until = now + after.unwrap_or(USUAL).min(LONGEST);
        state.next = state.next.max(until);
        let same = state.lowered.is_some_and(|lowered| (now - lowered).to_std().is_ok_and(|since| since < BURST));
        if !same {
            let seen = state.present.max(state.before).max(1) * 1000;
            state.rate = Some((state.rate.map_or(seen, |rate| rate.min(seen)) / 2).max(SLOWEST));
            state.lowered = Some(now);
        }
    }

    /// It took a call without complaint.
    pub(super) fn well(&self) {
        let mut state = self.state();
        if let Some(rate) = state.rate {
            let more = rate + rate / 20 + 50;
            state.rate = Some(more).filter(|rate| *rate < FREE);
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn count(&mut self, second: i64) {
        if second != self.second {
            self.before = if second == self.second + 1 { self.present } else { 0 };
            (self.second, self.present) = (second, 0);
        }
        self.present += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOST: Duration = Duration::from_millis(500);

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_timestamp_millis(1_000_000_000_000 + millis).unwrap()
    }

    #[test]
    fn nobody_waits_until_somebody_complains() {
        let pace = Pace::default();
        assert!((0..10_000).all(|_| pace.take(at(0), MOST) == Ok(Duration::ZERO)));
    }

    #[test]
    fn it_is_left_alone_for_as_long_as_it_says_within_bounds() {
        for (said, expected) in [(Some(7), 7), (None, 1), (Some(100_000), 300)] {
            let pace = Pace::default();
            pace.too_much(said.map(Duration::from_secs), at(0));
            assert_eq!(pace.take(at(0), MOST), Err(Duration::from_secs(expected)), "{said:?}");
        }
    }

    #[test]
    fn then_it_gets_half_of_what_was_too_much_and_slowly_more() {
        let pace = Pace::default();
        (0..20).for_each(|call| assert_eq!(pace.take(at(call * 50), MOST), Ok(Duration::ZERO)));
        // Several refusals of one burst are one.
        (0..5).for_each(|_| pace.too_much(None, at(1000)));
        let waits: Vec<u128> = (0..4).map(|_| pace.take(at(2000), MOST).unwrap().as_millis()).collect();
        assert_eq!(waits, [0, 100, 200, 300], "ten in a second");
        (0..10).for_each(|_| pace.well());
        let first = pace.take(at(3000), MOST).unwrap();
        let second = pace.take(at(3000), MOST).unwrap();
        assert!(second < first + Duration::from_millis(65), "{first:?} {second:?}");
        (0..200).for_each(|_| pace.well());
        assert!((0..100).all(|_| pace.take(at(9000), MOST) == Ok(Duration::ZERO)), "free again");
    }

    #[test]
    fn who_would_wait_too_long_does_not_stand_in_line() {
        let pace = Pace::default();
        assert_eq!(pace.take(at(0), MOST), Ok(Duration::ZERO));
        pace.too_much(None, at(0));
        // One in two seconds from here on.
        assert_eq!(pace.take(at(1000), MOST), Ok(Duration::ZERO));
        (0..10).for_each(|_| assert_eq!(pace.take(at(1000), MOST), Err(Duration::from_secs(2))));
        assert_eq!(pace.take(at(3000), MOST), Ok(Duration::ZERO));
    }
}
