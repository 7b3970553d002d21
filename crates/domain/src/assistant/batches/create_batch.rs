//! Making a batch of a file of questions.

use std::collections::BTreeMap;

use super::{Batch, BatchState, CarryBatch, Counts, Endpoint, FilePurpose, Owner, Times, WINDOW, events};
use crate::{
    assistant::Usage,
    error::{Error, Result},
    id::AssistantFileId,
    permission::{Authorized, UseAssistant},
    shop::Shop,
};

/// What a batch is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewBatch {
    /// The file with its lines.
    pub input: AssistantFileId,
    /// The door its lines go through.
    pub endpoint: Endpoint,
    /// What is noted of it.
    pub metadata: BTreeMap<String, String>,
}

/// Makes a batch. A job looks at its lines before any is asked.
///
/// # Errors
/// [`Error::NotFound`] for the file; [`Error::Unprocessable`] for one that is no file of questions.
pub async fn create_batch(shop: &Shop, by: &Authorized<UseAssistant>, new: &NewBatch) -> Result<Batch> {
    by.in_person()?;
    let who = by.principal();
    shop.write("create_assistant_batch", |mut tx| async move {
        let found = tx.batches().file(new.input).await?.filter(|file| file.owner.shows_to(who));
        let file = found.ok_or(Error::NotFound("File"))?;
        if file.purpose != FilePurpose::Batch {
            return Err(Error::Unprocessable("The file must have been brought with the purpose batch".to_owned()));
        }
        let now = tx.now();
        let batch = Batch {
            id: shop.id(),
            owner: Owner::of(who),
            seller: who.seller,
            input: file.id,
            output: None,
            refusals: None,
            endpoint: new.endpoint,
            state: BatchState::Validating,
            ending: None,
            faults: Vec::new(),
            metadata: new.metadata.clone(),
            round: 1,
            fence: 0,
            counts: Counts::default(),
            usage: Usage::default(),
            times: Times {
                created_at: now,
                expires_at: now + WINDOW,
                began_at: None,
                cancelling_at: None,
                finalizing_at: None,
                ended_at: None,
            },
        };
        tx.batches().insert(&batch).await?;
        shop.enqueue(&mut *tx, CarryBatch::of(&batch)).await?;
        shop.record(&mut *tx, Some(who.user), events::created(&batch)).await?;
        tx.commit(batch).await
    })
    .await
}
