//! The platform: what a process gives the domain besides a database, such as time, randomness and counters.

mod clock;
mod entropy;
mod rate_limiter;

pub use clock::SystemClock;
pub use entropy::SystemEntropy;
pub use rate_limiter::LocalRateLimiter;
