//! The platform: what a process gives the domain besides a database, such as time, randomness and counters; and Redis,
//! through which nodes share some of it.

mod answers;
mod blobs;
mod bus;
mod cache;
mod clock;
mod entropy;
mod in_process;
mod presence;
mod rate_limiter;
mod redis;
mod tokens;
mod words;

pub use answers::LocalAnswers;
pub use blobs::FsBlobs;
pub use bus::LocalBus;
pub use cache::LocalCache;
pub use clock::SystemClock;
pub use entropy::SystemEntropy;
pub use in_process::InProcess;
pub use presence::LocalPresence;
pub use rate_limiter::LocalRateLimiter;
pub use redis::{Redis, RedisAnswers, RedisBus, RedisCache, RedisPresence, RedisRateLimiter, RedisSettings};
pub use tokens::Tiktoken;
pub use words::LocalEmbedder;
