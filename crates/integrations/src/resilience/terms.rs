//! On which terms somebody is called.

use std::time::Duration;

use super::BreakerTerms;

/// On which terms somebody is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Terms {
    /// How long a call may take, with all that it is tried again; less where whoever waits has less time.
    pub timeout: Duration,
    /// How often it is tried at most.
    pub attempts: u32,
    /// Most calls at once.
    pub at_once: usize,
    /// Most that wait for a place among them.
    pub waiting: usize,
    /// How long one waits for a place, or for the moment at which the other side wants to be called again.
    pub wait: Duration,
    /// When no calls are made.
    pub breaker: BreakerTerms,
}

impl Terms {
    /// The longest that anybody may be waited for.
    pub const LONGEST: Duration = Duration::from_secs(30);
}

impl Default for Terms {
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(3),
            attempts: 3,
            at_once: 32,
            waiting: 64,
            wait: Duration::from_millis(500),
            breaker: BreakerTerms::default(),
        }
    }
}
