//! Product views, written off the request path: the latest sight of each product by each person waits, and one loop stores them
//! in batches (CAT-07).
//!
//! Views are telemetry (ruling R22): when too many wait or the database is away they are dropped and counted.

use std::{
    collections::HashMap,
    mem,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use domain::{
    Result,
    catalog::{ports::ViewLog, queries::ProductView},
    clock::Timestamp,
    id::{ProductId, UserId},
};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// Views that may wait.
const MOST: usize = 10_000;
/// Views stored at once; when so many wait they are stored.
const BATCH: usize = 500;
/// How long a view waits for others.
const PAUSE: Duration = Duration::from_secs(1);

/// The end that requests write to.
#[derive(Debug, Clone)]
pub(crate) struct Seen(Arc<Waiting>);

/// What waits.
#[derive(Debug, Default)]
struct Waiting {
    views: Mutex<HashMap<(UserId, ProductId), Timestamp>>,
    /// There is something, where nothing was.
    came: Notify,
    /// There is enough for a batch.
    enough: Notify,
}

impl api::ViewSink for Seen {
    fn seen(&self, ProductView { product, user, at }: ProductView) {
        let mut views = self.0.views.lock().unwrap_or_else(PoisonError::into_inner);
        let before = views.len();
        if before < MOST {
            views.insert((user, product), at);
        } else if let Some(seen) = views.get_mut(&(user, product)) {
            *seen = at;
        } else {
            dropped(1);
        }
        let now = views.len();
        drop(views);
        if before == now {
            return;
        }
        if before == 0 {
            self.0.came.notify_one();
        }
        if now == BATCH {
            self.0.enough.notify_one();
        }
    }
}

impl Waiting {
    fn take(&self) -> Vec<ProductView> {
        let taken = mem::take(&mut *self.views.lock().unwrap_or_else(PoisonError::into_inner));
        taken.into_iter().map(|((user, product), at)| ProductView { product, user, at }).collect()
    }
}

/// The end that stores.
#[derive(Clone)]
pub(crate) struct ViewWriter {
    waiting: Arc<Waiting>,
    log: Arc<dyn ViewLog>,
}

/// Both ends; nothing waits yet.
pub(crate) fn views(log: Arc<dyn ViewLog>) -> (Seen, ViewWriter) {
    let waiting = Arc::<Waiting>::default();
    (Seen(Arc::clone(&waiting)), ViewWriter { waiting, log })
}

impl ViewWriter {
    /// Stores what comes until told to stop, then what is left.
    pub(crate) async fn run(self, stop: CancellationToken) -> Result<()> {
        // Those of a loop that ended badly are stored first.
        self.store().await;
        while stop.run_until_cancelled(self.waiting.came.notified()).await.is_some() {
            tokio::select! {
                () = tokio::time::sleep(PAUSE) => {}
                () = self.waiting.enough.notified() => {}
                () = stop.cancelled() => {}
            }
            self.store().await;
        }
        self.store().await;
        Ok(())
    }

    async fn store(&self) {
        for batch in self.waiting.take().chunks(BATCH) {
            if let Err(error) = self.log.store(batch).await {
                tracing::warn!(views = batch.len(), error = crate::chain(&error), "product views were dropped");
                dropped(batch.len());
            }
        }
    }
}

fn dropped(views: usize) {
    metrics::counter!("product_views_dropped_total").increment(u64::try_from(views).unwrap_or(u64::MAX));
}

#[cfg(test)]
mod tests {
    use api::ViewSink;
    use async_trait::async_trait;
    use domain::page::{Page, PageRequest};
    use tokio::sync::mpsc;

    use super::*;

    struct Batches(mpsc::UnboundedSender<Vec<ProductView>>);

    #[async_trait]
    impl ViewLog for Batches {
        async fn store(&self, views: &[ProductView]) -> Result<()> {
            self.0.send(views.to_vec()).unwrap();
            Ok(())
        }

        async fn of_user(&self, _: UserId, request: PageRequest) -> Result<Page<ProductView>> {
            Ok(Page::new(Vec::new(), 0, request))
        }
    }

    fn batches() -> (Arc<Batches>, mpsc::UnboundedReceiver<Vec<ProductView>>) {
        let (sender, stored) = mpsc::unbounded_channel();
        (Arc::new(Batches(sender)), stored)
    }

    fn view(product: usize, second: i64) -> ProductView {
        let product = ProductId(uuid::Uuid::from_u128(u128::try_from(product).unwrap()));
        let at = Timestamp::from_timestamp(second, 0).unwrap();
        ProductView { product, user: UserId(uuid::Uuid::nil()), at }
    }

    #[tokio::test]
    async fn the_latest_view_of_each_is_stored_in_batches_at_the_end_too() {
        let (log, mut stored) = batches();
        let (seen, writer) = views(log);
        for product in 0..1203 {
            seen.seen(view(product, 1));
        }
        seen.seen(view(7, 2));
        let stop = CancellationToken::new();
        stop.cancel();
        writer.run(stop).await.unwrap();
        let stored: Vec<_> = std::iter::from_fn(|| stored.try_recv().ok()).collect();
        assert_eq!(stored.iter().map(Vec::len).collect::<Vec<_>>(), [500, 500, 203]);
        let sevens: Vec<_> = stored.concat().into_iter().filter(|one| one.product == view(7, 0).product).collect();
        assert_eq!(sevens, [view(7, 2)]);
    }

    #[tokio::test(start_paused = true)]
    async fn what_waits_is_stored_after_a_pause_and_sooner_when_it_is_enough() {
        let (log, mut stored) = batches();
        let (seen, writer) = views(log);
        let stop = CancellationToken::new();
        let told = async {
            for round in 0..2 {
                let began = tokio::time::Instant::now();
                seen.seen(view(0, round));
                assert_eq!(stored.recv().await.unwrap(), [view(0, round)]);
                assert_eq!(began.elapsed().as_secs(), PAUSE.as_secs());
            }
            let began = tokio::time::Instant::now();
            for product in 0..BATCH {
                seen.seen(view(product, 3));
            }
            assert_eq!(stored.recv().await.unwrap().len(), BATCH);
            assert!(began.elapsed() < PAUSE);
            stop.cancel();
        };
        // The loop first: what waits when it begins it stores at once.
        let (ran, ()) = tokio::join!(writer.run(stop.clone()), told);
        ran.unwrap();
    }

    #[tokio::test]
    async fn no_more_wait_than_there_is_room_for_and_nobody_waits_for_it() {
        let (log, mut stored) = batches();
        let (seen, writer) = views(log);
        for product in 0..MOST + 7 {
            seen.seen(view(product, 1));
        }
        seen.seen(view(3, 9));
        let stop = CancellationToken::new();
        stop.cancel();
        writer.run(stop).await.unwrap();
        let stored = std::iter::from_fn(|| stored.try_recv().ok()).collect::<Vec<_>>().concat();
        assert_eq!(stored.len(), MOST);
        assert!(stored.contains(&view(3, 9)));
    }
}
