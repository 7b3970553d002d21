//! Rate limits: policies as data, and the port that counts.

use std::time::Duration;

/// How many calls one key may make.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// Its name, such as `list_products`; part of the counted key.
    pub name: String,
    /// Calls per window; also the burst a rested key may make at once.
    pub limit: u32,
    /// The window.
    pub window: Duration,
}

/// What the limiter says of one call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Decision {
    /// Whether the call may go on.
    pub allowed: bool,
    /// The policy's limit.
    pub limit: u32,
    /// Calls left at this moment.
    pub remaining: u32,
    /// When the full limit will be there again.
    pub reset: Duration,
    /// When the next call would be allowed; zero while calls are left.
    pub retry_after: Duration,
}

/// Counts calls by the generic cell rate algorithm. MUST be atomic per key and must not fail: an adapter whose store
/// is away counts on its own.
#[async_trait::async_trait]
pub trait RateLimiter: Send + Sync {
    /// Counts one call of `key` under `policy`.
    async fn check(&self, policy: &Policy, key: &str) -> Decision;
}
