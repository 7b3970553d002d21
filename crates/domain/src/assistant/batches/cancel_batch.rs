//! Cancelling a batch.

use super::{Batch, BatchState, CarryBatch, events};
use crate::{
    error::{Error, Result},
    id::AssistantBatchId,
    permission::{Authorized, UseAssistant},
    shop::Shop,
};

/// No more lines of a batch are asked. Those that are being asked end or are dropped; what was answered is in its output file. Asked again
/// it changes nothing.
///
/// # Errors
/// [`Error::NotFound`], also for somebody else's; [`Error::Conflict`] for one whose lines were all asked.
pub async fn cancel_batch(shop: &Shop, by: &Authorized<UseAssistant>, id: AssistantBatchId) -> Result<Batch> {
    by.in_person()?;
    let who = by.principal();
    shop.write("cancel_assistant_batch", |mut tx| async move {
        let found = tx.batches().find(id).await?.filter(|batch| batch.owner.shows_to(who));
        let mut batch = found.ok_or(Error::NotFound("Batch"))?;
        match batch.state {
            BatchState::Cancelling | BatchState::Cancelled => return tx.commit(batch).await,
            BatchState::Validating | BatchState::InProgress => {}
            state => {
                let message = format!("A batch that is {} cannot be cancelled any more", state.name());
                return Err(Error::conflict(message));
            }
        }
        batch.state = BatchState::Cancelling;
        batch.times.cancelling_at = Some(tx.now());
        // Another job goes on at once, however long this one was to wait.
        batch.round += 1;
        tx.batches().update(&batch).await?;
        shop.enqueue(&mut *tx, CarryBatch::of(&batch)).await?;
        shop.record(&mut *tx, Some(who.user), events::cancelled(&batch)).await?;
        tx.commit(batch).await
    })
    .await
}
