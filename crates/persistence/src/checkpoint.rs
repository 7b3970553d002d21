//! SQLite's log, copied into the file beside the writing.
//!
//! Left to itself SQLite copies within a commit, and every hundredth create waited for it. Here another connection copies
//! meanwhile. What is written while it copies keeps the log from beginning anew, so once it is long the little that is left is
//! copied while the writer is held: what takes long, bytes on their way to the disk, was done before. A commit has to copy only
//! when all this does not keep up.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use domain::Result;
use sea_orm::{ConnectionTrait, DbErr, Statement};
use tokio::sync::Notify;

use crate::{database::Database, engine::Engine, error};

/// Pages that the log grows by before it is copied, about 10 MiB.
const GROWN: u64 = 2560;
/// Writes after which it is copied at first, when nobody knows yet how many pages one has; a product has some forty.
const WRITES: u64 = 64;
/// The most writes after which it is copied, however small they are.
const MOST: u64 = 4096;
/// Pages in the log at which it is made to begin anew, 32 MiB.
const LONG: u64 = 8192;
/// Pages in the log at which a commit copies it, 48 MiB: what other processes have that do not copy beside.
pub(crate) const WITHIN_COMMIT: &str = "12288";

/// Counts what the log has grown by.
#[derive(Debug, Clone, Default)]
pub(crate) struct Growth(Arc<Counter>);

#[derive(Debug)]
struct Counter {
    writes: AtomicU64,
    /// After so many it is time.
    enough: AtomicU64,
    due: Notify,
}

impl Default for Counter {
    fn default() -> Self {
        Self { writes: AtomicU64::new(0), enough: AtomicU64::new(WRITES), due: Notify::new() }
    }
}

impl Growth {
    /// Something was written, or may have been.
    pub(crate) fn wrote(&self) {
        let written = self.0.writes.fetch_add(1, Ordering::Relaxed) + 1;
        if written == self.0.enough.load(Ordering::Relaxed) {
            self.0.due.notify_one();
        }
    }

    /// Begins to count again, after this many pages were found.
    fn copied(&self, pages: u64) {
        let writes = self.0.writes.swap(0, Ordering::Relaxed);
        self.0.enough.store(enough(writes, pages), Ordering::Relaxed);
    }
}

/// How many writes have as many pages as the log is to grow by, when so many had these.
fn enough(writes: u64, pages: u64) -> u64 {
    writes.saturating_mul(GROWN).checked_div(pages).unwrap_or(MOST).clamp(WRITES, MOST)
}

impl Database {
    /// Copies the log of SQLite into its file whenever it has grown, until it fails or is dropped. On PostgreSQL, which does that
    /// by itself, it only waits.
    ///
    /// # Errors
    /// [`domain::Error::Unavailable`] when the database does not answer.
    pub async fn keep_log_short(&self) -> Result<()> {
        if self.engine == Engine::Postgres {
            std::future::pending::<()>().await;
        }
        let mut before = 0;
        loop {
            self.growth.0.due.notified().await;
            let mut pages = self.copy_log().await.map_err(error::of)?;
            // One that began anew has fewer than before.
            self.growth.copied(pages.checked_sub(before).unwrap_or(pages));
            if pages >= LONG {
                // What came meanwhile is copied, and then the last of it, while nobody writes.
                self.copy_log().await.map_err(error::of)?;
                // Where the line is too long to stand in, another time will do.
                if let Ok(_held) = self.writer.lease().await {
                    pages = self.copy_log().await.map_err(error::of)?;
                }
            }
            before = pages;
        }
    }

    /// Copies what readers allow, waits for nobody, and gives how many pages the log has.
    async fn copy_log(&self) -> std::result::Result<u64, DbErr> {
        let words = Statement::from_string(self.engine.backend(), "PRAGMA wal_checkpoint(PASSIVE)");
        let told = self.migrations.query_one_raw(words).await?;
        let pages: i64 = told.map_or(Ok(0), |row| row.try_get_by_index(1))?;
        // None are told of as -1.
        Ok(u64::try_from(pages).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_smaller_writes_are_the_more_of_them_are_waited_for() {
        assert_eq!(enough(64, 2560), 64);
        assert_eq!(enough(64, 5120), 64, "never fewer than at first");
        assert_eq!(enough(64, 256), 640);
        assert_eq!(enough(64, 0), MOST);
        assert_eq!(enough(u64::MAX, 1), MOST);
    }

    #[tokio::test]
    async fn it_is_time_once_for_so_many_writes() {
        let growth = Growth::default();
        let is_due = async || tokio::time::timeout(std::time::Duration::ZERO, growth.0.due.notified()).await.is_ok();
        (1..WRITES).for_each(|_| growth.wrote());
        assert!(!is_due().await);
        growth.wrote();
        assert!(is_due().await);
        growth.copied(GROWN / 2);
        (1..2 * WRITES).for_each(|_| growth.wrote());
        assert!(!is_due().await);
        growth.wrote();
        assert!(is_due().await);
    }
}
