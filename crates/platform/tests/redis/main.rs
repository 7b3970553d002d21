//! What nodes share through Redis, against real servers that are stopped, frozen and started again.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod answers;
mod bus;
mod cache;
mod link;
mod node;
mod presence;
mod rate_limiter;
