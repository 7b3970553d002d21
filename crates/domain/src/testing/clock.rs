//! A clock that stands still until it is told.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use chrono::DateTime;

use crate::clock::{Clock, Timestamp};

/// A clock that stands still. Sleeping returns at once and moves it on.
#[derive(Debug)]
pub struct FakeClock(Mutex<Timestamp>);

impl FakeClock {
    /// A clock that shows this moment.
    pub fn at(now: Timestamp) -> Self {
        Self(Mutex::new(now))
    }

    /// Shows another moment from now on.
    pub fn set(&self, now: Timestamp) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = now;
    }

    /// Moves on by `time`.
    pub fn advance(&self, time: Duration) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) += time;
    }
}

impl Default for FakeClock {
    /// A clock that shows 2026-01-02 03:04:05 UTC.
    fn default() -> Self {
        Self::at(DateTime::from_timestamp(1_767_323_045, 0).unwrap_or_default())
    }
}

#[async_trait::async_trait]
impl Clock for FakeClock {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn sleep(&self, time: Duration) {
        self.advance(time);
    }
}
