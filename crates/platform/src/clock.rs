//! The system's clock.

use std::time::Duration;

use chrono::{SubsecRound, Utc};
use domain::clock::{Clock, Timestamp};

/// The time of the machine, cut to the microseconds both databases keep.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

#[async_trait::async_trait]
impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        #[expect(clippy::disallowed_methods, reason = "this is the place time is injected from")]
        Utc::now().trunc_subsecs(6)
    }

    async fn sleep(&self, time: Duration) {
        tokio::time::sleep(time).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_has_whole_microseconds_and_time_goes_on() {
        let first = SystemClock.now();
        assert_eq!(first.timestamp_subsec_nanos() % 1000, 0);
        assert!(SystemClock.now() >= first);
    }
}
