//! When no calls are made: while too many of the last ones failed, and until a few that try it do well.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use domain::clock::Timestamp;

/// When no calls are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BreakerTerms {
    /// How far back calls count.
    pub window: Duration,
    /// Fewer calls than this say nothing.
    pub volume: u32,
    /// At how many failures in a hundred it opens.
    pub error_percent: u32,
    /// How long it stays open before anybody tries.
    pub reset: Duration,
    /// How many must do well, one after the other, for it to close.
    pub probes: u32,
}

impl Default for BreakerTerms {
    fn default() -> Self {
        Self {
            window: Duration::from_secs(10),
            volume: 5,
            error_percent: 50,
            reset: Duration::from_secs(30),
            probes: 2,
        }
    }
}

/// How it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stand {
    /// Calls are made.
    Closed,
    /// One is made at a time, to see.
    HalfOpen,
    /// None is made.
    Open,
}

/// Parts of the window that are forgotten together.
const PARTS: usize = 10;

/// Counts how calls end, and refuses them.
#[derive(Debug)]
pub(super) struct Breaker {
    terms: BreakerTerms,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    /// Counted on with each change of its stand: what was begun before says nothing of after.
    turn: u64,
    now: Now,
}

#[derive(Debug)]
enum Now {
    Closed([Part; PARTS]),
    Open(Timestamp),
    HalfOpen { trying: bool, well: u32 },
}

/// What happened in a part of the window, and in which.
#[derive(Debug, Clone, Copy, Default)]
struct Part {
    number: i64,
    well: u32,
    badly: u32,
}

/// That a call may be made. Dropped without a word it says nothing, as when the caller goes away.
#[derive(Debug)]
#[must_use = "how the call ended is to be told"]
pub(super) struct Pass<'a> {
    breaker: &'a Breaker,
    turn: u64,
    told: bool,
}

impl Breaker {
    pub(super) fn new(terms: BreakerTerms) -> Self {
        Self { terms, state: Mutex::new(State { turn: 0, now: closed() }) }
    }

    /// Lets a call be made; else says after how long one may.
    pub(super) fn enter(&self, now: Timestamp) -> Result<Pass<'_>, Duration> {
        let mut state = self.state();
        match &mut state.now {
            Now::Closed(_) => {}
            Now::Open(until) if now < *until => return Err((*until - now).to_std().unwrap_or_default()),
            Now::Open(_) => {
                state.turn += 1;
                state.now = Now::HalfOpen { trying: true, well: 0 };
            }
            Now::HalfOpen { trying: true, .. } => return Err(Duration::from_secs(1).min(self.terms.reset)),
            Now::HalfOpen { trying, .. } => *trying = true,
        }
        Ok(Pass { breaker: self, turn: state.turn, told: false })
    }

    /// After how long a call may be made, if none may now.
    pub(super) fn refuses(&self, now: Timestamp) -> Option<Duration> {
        match self.state().now {
            Now::Open(until) if now < until => (until - now).to_std().ok(),
            _ => None,
        }
    }

    pub(super) fn stand(&self, now: Timestamp) -> Stand {
        match self.state().now {
            Now::Closed(_) => Stand::Closed,
            Now::Open(until) if now < until => Stand::Open,
            Now::Open(_) | Now::HalfOpen { .. } => Stand::HalfOpen,
        }
    }

    fn tell(&self, turn: u64, well: bool, now: Timestamp) {
        let mut state = self.state();
        if state.turn != turn {
            return;
        }
        let next = match &mut state.now {
            Now::Closed(parts) => {
                let counted = self.count(parts, well, now);
                (!well && self.is_too_much(counted)).then(|| Now::Open(now + self.terms.reset))
            }
            Now::HalfOpen { .. } if !well => Some(Now::Open(now + self.terms.reset)),
            Now::HalfOpen { trying, well } => {
                (*trying, *well) = (false, *well + 1);
                (*well >= self.terms.probes).then(closed)
            }
            Now::Open(_) => None,
        };
        if let Some(next) = next {
            state.turn += 1;
            state.now = next;
        }
    }

    /// A call ended and nobody knows how.
    fn forget(&self, turn: u64) {
        let mut state = self.state();
        if state.turn == turn
            && let Now::HalfOpen { trying, .. } = &mut state.now
        {
            *trying = false;
        }
    }

    /// Counts a call, and gives how many of the window there are, and how many failed.
    fn count(&self, parts: &mut [Part; PARTS], well: bool, now: Timestamp) -> (u32, u32) {
        let length = i64::try_from(self.terms.window.as_micros()).unwrap_or(i64::MAX) / 10;
        let number = now.timestamp_micros() / length.max(1);
        let oldest = number - 9;
        // The one it is in, or else the oldest, which is forgotten.
        let place = parts.iter().position(|part| part.number == number);
        let place = place.or_else(|| (0..PARTS).min_by_key(|place| parts.get(*place).map(|part| part.number)));
        if let Some(part) = place.and_then(|place| parts.get_mut(place)) {
            if part.number != number {
                *part = Part { number, ..Part::default() };
            }
            *(if well { &mut part.well } else { &mut part.badly }) += 1;
        }
        let recent = parts.iter().filter(|part| part.number >= oldest);
        recent.fold((0, 0), |(all, badly), part| (all + part.well + part.badly, badly + part.badly))
    }

    fn is_too_much(&self, (all, badly): (u32, u32)) -> bool {
        all >= self.terms.volume && u64::from(badly) * 100 >= u64::from(all) * u64::from(self.terms.error_percent)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn closed() -> Now {
    Now::Closed([Part::default(); PARTS])
}

impl Pass<'_> {
    /// The call ended like this.
    pub(super) fn tell(mut self, well: bool, now: Timestamp) {
        self.told = true;
        self.breaker.tell(self.turn, well, now);
    }
}

impl Drop for Pass<'_> {
    fn drop(&mut self) {
        if !self.told {
            self.breaker.forget(self.turn);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_timestamp_millis(1_000_000_000_000 + millis).unwrap()
    }

    fn breaker() -> Breaker {
        Breaker::new(BreakerTerms { volume: 4, ..BreakerTerms::default() })
    }

    fn call(breaker: &Breaker, well: bool, millis: i64) -> bool {
        breaker.enter(at(millis)).map(|pass| pass.tell(well, at(millis))).is_ok()
    }

    #[test]
    fn it_opens_when_half_of_enough_calls_failed() {
        let breaker = breaker();
        for (well, stand) in
            [(false, Stand::Closed), (true, Stand::Closed), (true, Stand::Closed), (false, Stand::Open)]
        {
            assert!(call(&breaker, well, 0));
            assert_eq!(breaker.stand(at(0)), stand);
        }
        assert_eq!(breaker.enter(at(0)).unwrap_err(), Duration::from_secs(30));
        assert_eq!(breaker.refuses(at(10_000)), Some(Duration::from_secs(20)));
    }

    #[test]
    fn few_calls_say_nothing_and_old_ones_no_more() {
        let breaker = breaker();
        (0..3).for_each(|_| assert!(call(&breaker, false, 0)));
        // Ten seconds later they are forgotten.
        (0..3).for_each(|_| assert!(call(&breaker, false, 10_000)));
        assert_eq!(breaker.stand(at(10_000)), Stand::Closed);
        assert!(call(&breaker, false, 19_000));
        assert_eq!(breaker.stand(at(19_000)), Stand::Open);
    }

    #[test]
    fn after_a_while_one_tries_and_a_few_that_do_well_close_it() {
        let breaker = breaker();
        (0..4).for_each(|_| assert!(call(&breaker, false, 0)));
        assert!(breaker.enter(at(29_999)).is_err());
        let first = breaker.enter(at(30_000)).unwrap();
        assert!(breaker.enter(at(30_000)).is_err(), "one at a time");
        first.tell(true, at(30_000));
        assert_eq!(breaker.stand(at(30_000)), Stand::HalfOpen);
        assert!(call(&breaker, true, 30_001));
        assert_eq!(breaker.stand(at(30_001)), Stand::Closed);
        assert!(call(&breaker, false, 30_002), "what was before counts no more");
        assert_eq!(breaker.stand(at(30_002)), Stand::Closed);
    }

    #[test]
    fn one_that_tries_and_fails_opens_it_again_and_one_that_goes_away_says_nothing() {
        let breaker = breaker();
        (0..4).for_each(|_| assert!(call(&breaker, false, 0)));
        drop(breaker.enter(at(30_000)).unwrap());
        assert!(call(&breaker, false, 30_000));
        assert_eq!(breaker.enter(at(30_001)).unwrap_err(), Duration::from_millis(29_999));
    }

    #[test]
    fn a_call_from_before_says_nothing_of_after() {
        let breaker = breaker();
        let slow = breaker.enter(at(0)).unwrap();
        let slower = breaker.enter(at(0)).unwrap();
        (0..4).for_each(|_| assert!(call(&breaker, false, 0)));
        slow.tell(true, at(1));
        assert_eq!(breaker.stand(at(1)), Stand::Open);
        let probe = breaker.enter(at(30_000)).unwrap();
        slower.tell(false, at(30_000));
        assert_eq!(breaker.stand(at(30_000)), Stand::HalfOpen);
        probe.tell(true, at(30_000));
    }
}
