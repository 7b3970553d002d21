//! What keeping answers needs from outside.

use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;

use crate::{error::Result, id::UserId};

/// Where sealed answers lie, for whom. It may lose any of them at any time, and while it is away it has none.
#[async_trait]
pub trait AnswerStore: Send + Sync {
    /// What is kept for somebody under this name.
    async fn get(&self, of: UserId, name: &str) -> Option<Bytes>;

    /// Keeps this for somebody, for so long at most, in the place of what was there. What does not fit is not kept, and what is there the
    /// longest makes room. MUST NOT keep anything for somebody who was forgotten within that time.
    async fn put(&self, of: UserId, name: &str, sealed: Bytes, fresh: Duration);

    /// Removes all that is kept for somebody, and keeps nothing more for them for so long.
    ///
    /// # Errors
    /// When that could not be made sure of: then it is to be asked again.
    async fn forget(&self, of: UserId, fresh: Duration) -> Result<()>;
}
