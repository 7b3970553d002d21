//! Forgetting the batches of somebody who was deleted, and their files.

use serde::{Deserialize, Serialize};

use super::{events, files, ports::BatchQueries};
use crate::{
    error::Result,
    event::{Event, Fact},
    id::{AssistantBatchId, AssistantFileId, UserId},
    job::{Job, Policy, Request},
    shop::Shop,
};

/// Things looked for at once.
const PORTION: u32 = 100;

/// Forgets the batches of somebody, and their files. It is a job of its own: bytes are let go one by one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ForgetBatches {
    /// Whose.
    pub user: UserId,
}

impl Job for ForgetBatches {
    const NAME: &'static str = "forget_batches";

    fn policy() -> Policy {
        // What was asked must not stay because a database was away.
        Policy { attempts: 1_000, ..Policy::default() }
    }
}

/// The job that an event wants done.
pub fn forget_when_gone(event: &Event) -> Vec<Request> {
    match Fact::of(event) {
        Ok(Fact::User(user)) if event.kind == "user.deleted" => vec![Request::of(&ForgetBatches { user })],
        _ => Vec::new(),
    }
}

/// Does it. Run again, it finds nothing to do.
///
/// # Errors
/// Those of the store.
pub async fn forget_batches(shop: &Shop, queries: &dyn BatchQueries, job: ForgetBatches) -> Result<()> {
    loop {
        let (batches, files) = queries.of_person(job.user, PORTION).await?;
        if batches.is_empty() && files.is_empty() {
            return Ok(());
        }
        // Batches first: they read the files.
        for id in batches {
            remove_batch(shop, id).await?;
        }
        for id in files {
            remove_file(shop, id).await?;
        }
    }
}

/// Removes a batch, whatever it is about.
pub(super) async fn remove_batch(shop: &Shop, id: AssistantBatchId) -> Result<bool> {
    shop.write("remove_assistant_batch", |mut tx| async move {
        let Some(batch) = tx.batches().find(id).await? else { return tx.commit(false).await };
        tx.batches().delete(id).await?;
        shop.record(&mut *tx, None, events::deleted(&batch)).await?;
        tx.commit(true).await
    })
    .await
}

/// Removes a file, unless a batch that is not over reads it.
pub(super) async fn remove_file(shop: &Shop, id: AssistantFileId) -> Result<bool> {
    shop.write("remove_assistant_file", |mut tx| async move {
        let Some(file) = tx.batches().file(id).await? else { return tx.commit(false).await };
        if tx.batches().is_read(id).await? {
            return tx.commit(false).await;
        }
        let now = tx.now();
        files::forget(&mut *tx, &file, now).await?;
        shop.record(&mut *tx, None, events::file_deleted(&file)).await?;
        tx.commit(true).await
    })
    .await
}
