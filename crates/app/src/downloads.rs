//! How often files are taken away, counted off the request path: the counts wait, and one loop adds them up in the database now and
//! then.
//!
//! Downloads are telemetry (ruling R22): what the database cannot take is dropped and counted.

use std::{
    collections::HashMap,
    mem,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use domain::{Result, assets::files::ports::FileQueries, id::FileId};
use tokio_util::sync::CancellationToken;

/// Files whose downloads may wait; those of more are not counted.
const MOST: usize = 10_000;
/// How long a download waits for others.
const PAUSE: Duration = Duration::from_secs(2);

/// What waits: requests write to it, one loop empties it.
#[derive(Clone)]
pub(crate) struct Downloads {
    waiting: Arc<Mutex<HashMap<FileId, u64>>>,
    files: Arc<dyn FileQueries>,
}

impl api::DownloadSink for Downloads {
    fn taken(&self, file: FileId) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.len() < MOST || waiting.contains_key(&file) {
            *waiting.entry(file).or_default() += 1;
        } else {
            dropped(1);
        }
    }
}

impl Downloads {
    /// Nothing waits yet.
    pub(crate) fn new(files: Arc<dyn FileQueries>) -> Self {
        Self { waiting: Arc::default(), files }
    }

    /// Stores what comes until told to stop, then what is left.
    pub(crate) async fn run(self, stop: CancellationToken) -> Result<()> {
        while stop.run_until_cancelled(tokio::time::sleep(PAUSE)).await.is_some() {
            self.store().await;
        }
        self.store().await;
        Ok(())
    }

    async fn store(&self) {
        let waiting = mem::take(&mut *self.waiting.lock().unwrap_or_else(PoisonError::into_inner));
        if waiting.is_empty() {
            return;
        }
        let times: Vec<_> = waiting.into_iter().collect();
        if let Err(error) = self.files.downloaded(&times).await {
            let lost = times.iter().map(|(_, times)| times).sum();
            tracing::warn!(downloads = lost, error = crate::chain(&error), "downloads were not counted");
            dropped(lost);
        }
    }
}

fn dropped(downloads: u64) {
    metrics::counter!("file_downloads_dropped_total").increment(downloads);
}

#[cfg(test)]
mod tests {
    use api::DownloadSink;
    use async_trait::async_trait;
    use domain::{
        assets::files::{Grant, ProductFile, ports::FoundFile},
        id::{GrantId, ProductId, UserId},
        page::{Page, PageRequest},
    };

    use super::*;

    #[derive(Default)]
    struct Stored(Mutex<Vec<Vec<(FileId, u64)>>>);

    #[async_trait]
    impl FileQueries for Stored {
        async fn get(&self, _: FileId) -> Result<Option<FoundFile>> {
            Ok(None)
        }

        async fn list(&self, _: ProductId, _: bool, page: PageRequest) -> Result<Page<ProductFile>> {
            Ok(Page::new(Vec::new(), 0, page))
        }

        async fn grant_of(&self, _: ProductId, _: UserId) -> Result<Option<GrantId>> {
            Ok(None)
        }

        async fn grants(&self, _: ProductId, page: PageRequest) -> Result<Page<Grant>> {
            Ok(Page::new(Vec::new(), 0, page))
        }

        async fn downloaded(&self, times: &[(FileId, u64)]) -> Result<()> {
            self.0.lock().unwrap().push(times.to_vec());
            Ok(())
        }
    }

    #[tokio::test]
    async fn downloads_of_each_file_are_added_up_at_the_end_too() {
        let stored = Arc::new(Stored::default());
        let downloads = Downloads::new(stored.clone());
        let file = |n| FileId(uuid::Uuid::from_u128(n));
        for n in 0..20_000 {
            downloads.taken(file(n));
        }
        for _ in 0..6 {
            downloads.taken(file(1));
        }
        let stop = CancellationToken::new();
        stop.cancel();
        downloads.run(stop).await.unwrap();
        let stored = stored.0.lock().unwrap();
        assert_eq!((stored.len(), stored[0].len()), (1, MOST));
        assert_eq!(stored[0].iter().find(|(id, _)| *id == file(1)).unwrap().1, 7);
    }
}
