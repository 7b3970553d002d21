//! Reading an upload, ending it before its end, and what its end does to it.

use uuid::Uuid;

use super::{Finisher, Outcome, Resumable, UploadState, events};
use crate::{
    assets::ports::Reach,
    clock::Timestamp,
    error::{Error, Result},
    id::UploadId,
    permission::{Authorized, WriteProducts},
    shop::Shop,
    store::Tx,
};

/// Where bytes come from that are stored as something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// From a request.
    Direct,
    /// From an upload in portions, which ends with it.
    Upload(UploadId),
}

impl Origin {
    /// Writes, in the transaction that stores it and before it is counted, what an upload became: its bytes are counted and held for
    /// it no more.
    ///
    /// # Errors
    /// [`Error::Conflict`] when the upload has ended: it becomes something once.
    pub(in crate::assets) async fn became(
        self,
        shop: &Shop,
        tx: &mut dyn Tx,
        id: Uuid,
        version: Option<u32>,
    ) -> Result<()> {
        let Self::Upload(upload) = self else { return Ok(()) };
        let outcome = Outcome::Made { id, version };
        if settle(shop, tx, upload, UploadState::Done, outcome).await? {
            return Ok(());
        }
        Err(Error::conflict("The upload has ended"))
    }
}

/// An upload of the caller's own.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn find_upload(
    shop: &Shop,
    with: &Finisher,
    by: &Authorized<WriteProducts>,
    id: UploadId,
) -> Result<Resumable> {
    mine(with.uploads.get(id).await?, by, shop.now())
}

/// Ends an upload: nothing of it is left.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn delete_upload(shop: &Shop, by: &Authorized<WriteProducts>, id: UploadId) -> Result<()> {
    shop.write("delete_upload", |mut tx| async move {
        let now = tx.now();
        let upload = own(&mut *tx, by, id, now).await?;
        forget(&mut *tx, &upload, now).await?;
        shop.record(&mut *tx, Some(upload.by), events::deleted(&upload)).await?;
        tx.commit(()).await
    })
    .await
}

/// The upload, if it is the caller's and not forgotten.
pub(super) async fn own(
    tx: &mut dyn Tx,
    by: &Authorized<WriteProducts>,
    id: UploadId,
    now: Timestamp,
) -> Result<Resumable> {
    mine(tx.uploads().find(id).await?, by, now)
}

fn mine(found: Option<Resumable>, by: &Authorized<WriteProducts>, now: Timestamp) -> Result<Resumable> {
    let mine = found.filter(|upload| upload.by == by.principal().user && upload.expires_at > now);
    mine.ok_or(Error::NotFound("Upload"))
}

/// Ends an upload that is being handed over; `false`, and nothing changes, when it is not.
pub(super) async fn settle(
    shop: &Shop,
    tx: &mut dyn Tx,
    id: UploadId,
    state: UploadState,
    outcome: Outcome,
) -> Result<bool> {
    let found = tx.uploads().find(id).await?.filter(|upload| upload.state == UploadState::Finishing);
    let Some(mut upload) = found else { return Ok(false) };
    let now = shop.now();
    release(tx, &upload, now).await?;
    (upload.state, upload.outcome) = (state, Some(outcome));
    upload.expires_at = now + shop.rules.assets.upload_life;
    tx.uploads().update(&upload).await?;
    let told = if state == UploadState::Done { events::finished(&upload) } else { events::failed(&upload) };
    shop.record(tx, Some(upload.by), told).await?;
    Ok(true)
}

/// Removes an upload with all that is held for it.
pub(super) async fn forget(tx: &mut dyn Tx, upload: &Resumable, now: Timestamp) -> Result<()> {
    if upload.is_open() {
        release(tx, upload, now).await?;
    }
    tx.uploads().delete(upload.id).await
}

async fn release(tx: &mut dyn Tx, upload: &Resumable, now: Timestamp) -> Result<()> {
    for holder in upload.holders() {
        tx.usage().refund(holder, upload.length).await?;
    }
    for digest in tx.uploads().take_parts(upload.id).await? {
        tx.blobs().release(&digest, Reach::Private, now).await?;
    }
    Ok(())
}
