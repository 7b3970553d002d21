//! Carrying a batch: a chain of jobs, each of which does a bounded piece of it and stores the next.

use std::{sync::Arc, time::Duration};

use serde::{Deserialize, Serialize};

use super::{
    AssistantFile, Batch, BatchRules, BatchState, LineEnd, Rights, events,
    ports::{BatchQueries, LineDoor},
};
use crate::{
    assets::Storeroom,
    error::{Error, Result},
    id::AssistantBatchId,
    job::{Backoff, Job, Policy, Priority, Request},
    shop::Shop,
    store::Tx,
};

/// Batches looked at in one step.
const PORTION: u32 = 100;

/// The job that carries a batch a piece further.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct CarryBatch {
    /// Which batch.
    pub batch: AssistantBatchId,
    /// Which job of its chain this is. One that the chain has left behind has nothing to do.
    pub round: u64,
}

impl Job for CarryBatch {
    const NAME: &'static str = "carry_batch";

    fn policy() -> Policy {
        Policy {
            // Whoever waits for an answer goes first.
            priority: Priority::Low,
            // The batch has an end of its own.
            attempts: 10_000,
            // A slice, and the longest answer that began in it.
            timeout: Duration::from_hours(1),
            backoff: Backoff { first: Duration::from_secs(2), longest: Duration::from_mins(5) },
            at_once: 2,
        }
    }
}

impl CarryBatch {
    /// The wish that a batch be carried on.
    pub(super) fn of(batch: &Batch) -> Request {
        let job = Self { batch: batch.id, round: batch.round };
        Request::of(&job).keyed(job.key())
    }

    /// Of each round there is one job.
    fn key(self) -> String {
        format!("{}:{}", self.batch, self.round)
    }
}

/// What a job did, to be counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Carried {
    /// Lines that were answered.
    pub answered: u64,
    /// Lines that were refused or given up.
    pub refused: u64,
    /// What the batch ended as.
    pub ended: Option<BatchState>,
}

/// What carries batches.
#[derive(Clone)]
pub struct Carrier {
    /// Reads them.
    pub queries: Arc<dyn BatchQueries>,
    /// Where their files lie.
    pub room: Storeroom,
    /// What their lines go through.
    pub door: Arc<dyn LineDoor>,
    /// What whoever made them may do.
    pub rights: Rights,
    /// Their bounds.
    pub rules: BatchRules,
}

impl std::fmt::Debug for Carrier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Carrier").field("rules", &self.rules).finish_non_exhaustive()
    }
}

impl Carrier {
    /// Carries a batch a piece further. Run again, it goes on from what was stored; a job that the chain left behind changes nothing.
    ///
    /// # Errors
    /// Those of the ports, after which it is to be tried again.
    pub async fn carry(&self, shop: &Shop, job: CarryBatch) -> Result<Carried> {
        let Some(batch) = self.take(shop, job).await? else { return Ok(Carried::default()) };
        match batch.state {
            BatchState::Validating => self.validate(shop, &batch).await,
            BatchState::InProgress => self.slice(shop, &batch).await,
            _ => self.finish(shop, &batch).await,
        }
    }

    /// Takes a batch in hand: whoever had it before says nothing any more. One whose time is over asks no more.
    async fn take(&self, shop: &Shop, job: CarryBatch) -> Result<Option<Batch>> {
        shop.write(CarryBatch::NAME, |mut tx| async move {
            let found = tx.batches().find(job.batch).await?;
            let Some(mut batch) = found.filter(|batch| batch.round == job.round && !batch.state.is_over()) else {
                return tx.commit(None).await;
            };
            batch.fence += 1;
            let (now, asks) = (tx.now(), matches!(batch.state, BatchState::Validating | BatchState::InProgress));
            if asks && now >= batch.times.expires_at {
                batch.counts.failed += tx.batches().end_waiting(batch.id, &expired()).await?;
                batch.closing(BatchState::Expired, now);
            }
            tx.batches().update(&batch).await?;
            tx.commit(Some(batch)).await
        })
        .await
    }

    /// The file with the lines of a batch.
    pub(super) async fn input(&self, batch: &Batch) -> Result<Option<AssistantFile>> {
        self.queries.get_file(batch.input).await
    }
}

/// The outcome of a line that was not asked in time.
fn expired() -> LineEnd {
    LineEnd::Unasked {
        code: "batch_expired".to_owned(),
        message: "This line was not asked before the completion window of its batch was over".to_owned(),
    }
}

/// The batch as it is stored, unless another attempt has it in hand by now.
pub(super) async fn in_hand(tx: &mut dyn Tx, batch: &Batch) -> Result<Option<Batch>> {
    let found = tx.batches().find(batch.id).await?;
    Ok(found.filter(|stored| stored.fence == batch.fence && !stored.state.is_over()))
}

/// Stores what became of a batch and the job that goes on with it.
pub(super) async fn pass_on(shop: &Shop, tx: &mut dyn Tx, batch: &mut Batch, after: Duration) -> Result<()> {
    batch.round += 1;
    tx.batches().update(batch).await?;
    shop.enqueue(tx, CarryBatch::of(batch).after(after)).await.map(|_| ())
}

/// Stores that a batch is over.
pub(super) async fn end(shop: &Shop, tx: &mut dyn Tx, batch: &Batch) -> Result<()> {
    tx.batches().forget_lines(batch.id).await?;
    tx.batches().update(batch).await?;
    shop.record(tx, None, events::ended(batch)).await
}

/// Lets every batch go on whose job was given up or cancelled by hand: it has an end of its own, and nobody waits for ever. Gives how many
/// there were.
///
/// # Errors
/// Those of the store.
pub async fn settle_batches(shop: &Shop, queries: &dyn BatchQueries) -> Result<u64> {
    let (mut after, mut revived) = (None, 0);
    loop {
        let open = queries.open(after, PORTION).await?;
        let Some(last) = open.last() else { return Ok(revived) };
        after = Some(last.id);
        for batch in &open {
            let again = shop.write("settle_batches", |mut tx| async move {
                let found = tx.batches().find(batch.id).await?.filter(|batch| !batch.state.is_over());
                let again = match found {
                    Some(batch) => shop.enqueue(&mut *tx, CarryBatch::of(&batch)).await?.is_some(),
                    None => false,
                };
                tx.commit(again).await
            });
            revived += u64::from(again.await?);
        }
    }
}

/// A count as it is stored.
pub(super) fn long(count: usize) -> Result<u64> {
    u64::try_from(count).map_err(Error::internal)
}
