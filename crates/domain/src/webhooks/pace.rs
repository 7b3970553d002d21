//! How much an endpoint is called: as often as it wants, and no more at once than it bears.

use std::time::Duration;

use crate::clock::Timestamp;

/// So many calls a minute, evenly, with a second's worth at once. What was spent is a moment that lies with the endpoint, so that
/// it holds over all nodes and restarts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate(u32);

impl Rate {
    /// So many calls a minute, at least one.
    pub fn per_minute(calls: u32) -> Self {
        Self(calls.max(1))
    }

    fn interval(self) -> Duration {
        Duration::from_mins(1) / self.0
    }

    /// How many calls may go now, when all until `spent` are paid for.
    pub fn allowed(self, spent: Option<Timestamp>, now: Timestamp) -> u32 {
        let burst = (self.0 / 60).max(1);
        let debt = spent.and_then(|spent| (spent - now).to_std().ok()).unwrap_or_default();
        let left = (self.interval() * burst).saturating_sub(debt);
        u32::try_from(left.as_nanos() / self.interval().as_nanos().max(1)).unwrap_or(burst).min(burst)
    }

    /// Until when is paid for, after so many calls more. What databases keep are microseconds: what is less is owed.
    pub fn spend(self, spent: Option<Timestamp>, now: Timestamp, calls: u32) -> Timestamp {
        let cost = self.interval() * calls;
        let micros = u64::try_from(cost.as_nanos().div_ceil(1000)).unwrap_or(u64::MAX);
        spent.map_or(now, |spent| spent.max(now)) + Duration::from_micros(micros)
    }
}

/// How many calls an endpoint bears at once: one more with every success, half as many when it is overloaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    calls: u32,
    most: u32,
}

impl Window {
    /// A quarter of the most at first.
    pub fn new(most: u32) -> Self {
        let most = most.max(1);
        Self { calls: most.div_ceil(4), most }
    }

    /// How many at once.
    pub fn calls(self) -> u32 {
        self.calls
    }

    /// Notes how a call ended.
    pub fn note(&mut self, failed: bool, overload: bool) {
        if overload {
            self.calls = (self.calls / 2).max(1);
        } else if !failed {
            self.calls = (self.calls + 1).min(self.most);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_lets_a_second_s_worth_through_at_once_and_then_evenly() {
        let rate = Rate::per_minute(600);
        let now = Timestamp::UNIX_EPOCH + Duration::from_secs(1000);
        assert_eq!(rate.allowed(None, now), 10);
        let spent = rate.spend(None, now, 10);
        assert_eq!(rate.allowed(Some(spent), now), 0);
        assert_eq!(rate.allowed(Some(spent), now + Duration::from_millis(99)), 0);
        assert_eq!(rate.allowed(Some(spent), now + Duration::from_millis(100)), 1);
        assert_eq!(rate.allowed(Some(spent), now + Duration::from_hours(1)), 10);
        let seldom = Rate::per_minute(7);
        let spent = seldom.spend(None, now, 1);
        assert_eq!(seldom.allowed(Some(spent), now + Duration::from_secs(8)), 0);
        assert_eq!(seldom.allowed(Some(spent), now + Duration::from_secs(9)), 1);
    }

    #[test]
    fn a_window_grows_by_one_and_halves() {
        let mut window = Window::new(32);
        assert_eq!(window.calls(), 8);
        (0..50).for_each(|_| window.note(false, false));
        assert_eq!(window.calls(), 32);
        window.note(true, false);
        assert_eq!(window.calls(), 32, "a mere failure is no overload");
        (0..9).for_each(|_| window.note(true, true));
        assert_eq!(window.calls(), 1);
    }
}
