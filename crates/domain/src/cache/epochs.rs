//! What all nodes agree on before they trust a cache they share.

use std::time::Duration;

use async_trait::async_trait;

use crate::error::Result;

/// How it stands with the shared cache, by the word of the database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// What was kept in another epoch is never served again. It grows, also past what it was in a database of which an older copy
    /// took the place.
    pub epoch: u64,
    /// The server that says in this epoch what is old; empty before there was one.
    pub source: String,
    /// For how much longer nobody may serve from the cache, counted from when this was asked, in whole milliseconds, rounded up; zero when
    /// everybody may.
    pub suspended: Duration,
}

/// The epochs of the shared cache. They stand in the database of the shop, so that nobody who can write lacks them.
#[async_trait]
pub trait Epochs: Send + Sync {
    /// How it stands. MUST show every change that had returned when this was called.
    async fn standing(&self) -> Result<Standing>;

    /// Begins another epoch with this source, unless the present one is no longer `seen`.
    async fn begin(&self, seen: u64, source: &str) -> Result<()>;

    /// Begins another epoch, and lets nobody serve from the cache for so long from now on. A suspension that lasts longer
    /// stays.
    async fn suspend(&self, time: Duration) -> Result<()>;
}
