//! How often files are taken away, counted off the request path: the counts wait, and one loop adds them up in the database now and
//! then.
//!
//! Downloads are telemetry (ruling R22): what the database cannot take is dropped and counted.

use std::{sync::Arc, time::Duration};

use domain::{Result, assets::files::ports::FileQueries, id::FileId};
use tokio_util::sync::CancellationToken;

use crate::notes::Notes;

/// How long a download waits for others.
const PAUSE: Duration = Duration::from_secs(2);

/// What waits: how often each file was taken away.
#[derive(Clone)]
pub(crate) struct Downloads {
    waiting: Notes<FileId, u64>,
    files: Arc<dyn FileQueries>,
}

impl api::DownloadSink for Downloads {
    fn taken(&self, file: FileId) {
        if !self.waiting.take(file, 1, |before, more| before + more) {
            dropped(1);
        }
    }
}

impl Downloads {
    /// Nothing waits yet.
    pub(crate) fn new(files: Arc<dyn FileQueries>) -> Self {
        Self { waiting: Notes::default(), files }
    }

    /// Stores what comes until told to stop, then what is left.
    pub(crate) async fn run(self, stop: CancellationToken) -> Result<()> {
        while let Some(times) = self.waiting.next(PAUSE, &stop).await {
            if let Err(error) = self.files.downloaded(&times).await {
                let lost = times.iter().map(|(_, times)| times).sum();
                tracing::warn!(downloads = lost, error = crate::chain(&error), "downloads were not counted");
                dropped(lost);
            }
        }
        Ok(())
    }
}

fn dropped(downloads: u64) {
    metrics::counter!("file_downloads_dropped_total").increment(downloads);
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use api::DownloadSink;
    use async_trait::async_trait;
    use domain::{
        assets::files::{Grant, ProductFile, ports::FoundFile},
        id::{GrantId, ProductId, UserId},
        page::{Page, PageRequest},
    };

    use super::*;
    use crate::notes::MOST;

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
