//! Adding a file of questions, and deleting one.

use super::{AssistantFile, FilePurpose, Owner, events};
use crate::{
    assets::{Kept, charge, ports::Reach},
    error::{Error, Result},
    id::AssistantFileId,
    permission::{Authorized, UseAssistant},
    shop::Shop,
    store::Tx,
};

/// Adds a file whose bytes were put away.
///
/// # Errors
/// [`Error::TooLarge`] without room; [`Error::Unavailable`] when the bytes were taken out meanwhile, which only waiting for a day can do.
pub async fn add_file(shop: &Shop, by: &Authorized<UseAssistant>, name: &str, kept: &Kept) -> Result<AssistantFile> {
    by.in_person()?;
    let who = by.principal();
    shop.write("add_assistant_file", |mut tx| async move {
        let file = AssistantFile {
            id: shop.id(),
            owner: Owner::of(who),
            purpose: FilePurpose::Batch,
            name: name.to_owned(),
            digest: kept.digest(),
            size: kept.size,
            created_at: tx.now(),
        };
        charge(&mut *tx, &[file.holder()], file.size, &shop.rules.assets.quotas).await?;
        tx.blobs().hold(kept, Reach::Private).await?;
        tx.batches().insert_file(&file).await?;
        shop.record(&mut *tx, Some(who.user), events::file_created(&file)).await?;
        tx.commit(file).await
    })
    .await
}

/// Deletes a file.
///
/// # Errors
/// [`Error::NotFound`], also for somebody else's; [`Error::Conflict`] while a batch has its lines there.
pub async fn delete_file(shop: &Shop, by: &Authorized<UseAssistant>, id: AssistantFileId) -> Result<()> {
    by.in_person()?;
    let who = by.principal();
    shop.write("delete_assistant_file", |mut tx| async move {
        let found = tx.batches().file(id).await?.filter(|file| file.owner.shows_to(who));
        let file = found.ok_or(Error::NotFound("File"))?;
        if tx.batches().is_read(id).await? {
            return Err(Error::conflict(
                "A batch that is not over reads this file; cancel it first, or wait for its end",
            ));
        }
        let now = tx.now();
        forget(&mut *tx, &file, now).await?;
        shop.record(&mut *tx, Some(who.user), events::file_deleted(&file)).await?;
        tx.commit(()).await
    })
    .await
}

/// Removes a file, lets its bytes go and counts them no more.
pub(super) async fn forget(tx: &mut dyn Tx, file: &AssistantFile, at: crate::clock::Timestamp) -> Result<()> {
    tx.batches().delete_file(file.id).await?;
    tx.usage().refund(file.holder(), file.size).await?;
    tx.blobs().release(&file.digest, Reach::Private, at).await
}
