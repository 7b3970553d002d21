//! Product views, written off the request path: a bounded queue, and one loop that stores them in batches (CAT-07).
//!
//! Views are telemetry (ruling R22): when the queue is full or the database away they are dropped and counted.

use std::{sync::Arc, time::Duration};

use domain::{
    Result,
    catalog::{ports::ViewLog, queries::ProductView},
};
use tokio::sync::{Mutex, mpsc};
use tokio_util::sync::CancellationToken;

/// Views that may wait.
const QUEUE: usize = 10_000;
/// Views stored at once.
const BATCH: usize = 500;
/// How long a view waits for others.
const PAUSE: Duration = Duration::from_secs(1);

/// The end that requests write to.
#[derive(Debug, Clone)]
pub(crate) struct Seen(mpsc::Sender<ProductView>);

impl api::ViewSink for Seen {
    fn seen(&self, view: ProductView) {
        if self.0.try_send(view).is_err() {
            dropped(1);
        }
    }
}

/// The end that stores.
#[derive(Clone)]
pub(crate) struct ViewWriter {
    // Locked for as long as the loop runs; it outlives a loop that is started again.
    queue: Arc<Mutex<mpsc::Receiver<ProductView>>>,
    log: Arc<dyn ViewLog>,
}

/// Both ends of a new queue.
pub(crate) fn views(log: Arc<dyn ViewLog>) -> (Seen, ViewWriter) {
    let (sender, queue) = mpsc::channel(QUEUE);
    (Seen(sender), ViewWriter { queue: Arc::new(Mutex::new(queue)), log })
}

impl ViewWriter {
    /// Stores what comes until told to stop, then what is left.
    pub(crate) async fn run(self, stop: CancellationToken) -> Result<()> {
        let mut queue = self.queue.lock().await;
        let mut batch = Vec::with_capacity(BATCH);
        while !stop.is_cancelled() {
            tokio::select! {
                // The first view opens a batch; the others have a pause to join it.
                got = queue.recv_many(&mut batch, BATCH) => if got == 0 {
                    // Whoever saw something has ended before we were told to.
                    stop.cancelled().await;
                    break;
                },
                () = stop.cancelled() => break,
            }
            let more = async {
                while batch.len() < BATCH {
                    let room = BATCH - batch.len();
                    if queue.recv_many(&mut batch, room).await == 0 {
                        break;
                    }
                }
            };
            tokio::select! {
                _ = tokio::time::timeout(PAUSE, more) => {}
                () = stop.cancelled() => {}
            }
            self.store(&mut batch).await;
        }
        queue.close();
        while queue.recv_many(&mut batch, BATCH).await > 0 {
            self.store(&mut batch).await;
        }
        Ok(())
    }

    async fn store(&self, batch: &mut Vec<ProductView>) {
        if let Err(error) = self.log.store(batch).await {
            tracing::warn!(views = batch.len(), error = crate::chain(&error), "product views were dropped");
            dropped(batch.len());
        }
        batch.clear();
    }
}

fn dropped(views: usize) {
    metrics::counter!("product_views_dropped_total").increment(u64::try_from(views).unwrap_or(u64::MAX));
}

#[cfg(test)]
mod tests {
    use api::ViewSink;
    use async_trait::async_trait;
    use domain::{
        clock::Timestamp,
        id::{ProductId, UserId},
        page::{Page, PageRequest},
    };

    use super::*;

    #[derive(Default)]
    struct Batches(std::sync::Mutex<Vec<usize>>);

    #[async_trait]
    impl ViewLog for Batches {
        async fn store(&self, views: &[ProductView]) -> Result<()> {
            self.0.lock().unwrap().push(views.len());
            Ok(())
        }

        async fn of_user(&self, _: UserId, request: PageRequest) -> Result<Page<ProductView>> {
            Ok(Page::new(Vec::new(), 0, request))
        }
    }

    fn view() -> ProductView {
        let id = uuid::Uuid::nil();
        ProductView { product: ProductId(id), user: UserId(id), at: Timestamp::UNIX_EPOCH }
    }

    #[tokio::test]
    async fn what_waits_is_stored_in_batches_and_the_rest_at_the_end() {
        let log = Arc::new(Batches::default());
        let (seen, writer) = views(log.clone());
        for _ in 0..1203 {
            seen.seen(view());
        }
        let stop = CancellationToken::new();
        stop.cancel();
        writer.run(stop).await.unwrap();
        assert_eq!(*log.0.lock().unwrap(), [500, 500, 203]);
    }

    #[tokio::test]
    async fn a_full_queue_drops_and_does_not_wait() {
        let log = Arc::new(Batches::default());
        let (seen, writer) = views(log.clone());
        for _ in 0..QUEUE + 7 {
            seen.seen(view());
        }
        let stop = CancellationToken::new();
        stop.cancel();
        writer.run(stop).await.unwrap();
        assert_eq!(log.0.lock().unwrap().iter().sum::<usize>(), QUEUE);
    }
}
