//! SQLite's log, copied into the file beside the writing.
//!
//! Left to itself SQLite copies within a commit, and every hundredth create waited for it. Here another connection copies
//! meanwhile, and a commit has to only when that one does not keep up.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use domain::Result;
use sea_orm::ConnectionTrait;
use tokio::sync::Notify;

use crate::{database::Database, engine::Engine, error};

/// After so many commits the log is copied; some forty pages are written for a product.
const COMMITS: u64 = 64;
/// Pages in the log at which a commit copies it, 48 MiB: what other processes have that do not copy beside.
pub(crate) const WITHIN_COMMIT: &str = "12288";

/// Counts what the log has grown by.
#[derive(Debug, Clone, Default)]
pub(crate) struct Growth(Arc<Counter>);

#[derive(Debug, Default)]
struct Counter {
    commits: AtomicU64,
    due: Notify,
}

impl Growth {
    pub(crate) fn committed(&self) {
        if self.0.commits.fetch_add(1, Ordering::Relaxed) % COMMITS == COMMITS - 1 {
            self.0.due.notify_one();
        }
    }
}

impl Database {
    /// Copies the log of SQLite into its file whenever it has grown, until it fails or is dropped. It waits for nobody,
    /// and nobody waits for it. On PostgreSQL, which does that by itself, it only waits.
    ///
    /// # Errors
    /// [`domain::Error::Unavailable`] when the database does not answer.
    pub async fn keep_log_short(&self) -> Result<()> {
        if self.engine == Engine::Postgres {
            std::future::pending::<()>().await;
        }
        loop {
            self.growth.0.due.notified().await;
            let copied = self.migrations.execute_unprepared("PRAGMA wal_checkpoint(PASSIVE)").await;
            copied.map_err(error::of)?;
        }
    }
}
