//! Time and randomness as ports, so that tests decide both.

use std::time::Duration;

use chrono::{DateTime, Utc};

/// A moment in UTC, exact to the microsecond (what both databases keep).
pub type Timestamp = DateTime<Utc>;

/// A moment of change that differs from the one before even if the clock stood still: readers compare them.
pub(crate) fn later(now: Timestamp, before: Timestamp) -> Timestamp {
    now.max(before + Duration::from_micros(1))
}

/// Where time comes from.
#[async_trait::async_trait]
pub trait Clock: Send + Sync {
    /// The present moment. MUST be truncated to whole microseconds, so that a stored moment reads back equal.
    fn now(&self) -> Timestamp;

    /// Waits; used between the attempts of a transaction and by background loops.
    async fn sleep(&self, time: Duration);
}

/// Where randomness comes from. MUST be unpredictable outside tests.
pub trait Entropy: Send + Sync {
    /// Fills the slice with random bytes.
    fn fill(&self, bytes: &mut [u8]);
}
