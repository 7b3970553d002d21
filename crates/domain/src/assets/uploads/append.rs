//! Bringing a portion.

use async_trait::async_trait;
use bytes::Bytes;

use super::{FinishUpload, Finisher, Part, Resumable, UploadState, end::own, find_upload};
use crate::{
    assets::{Chunks, Terms, ports::Reach},
    error::{Error, Result},
    id::UploadId,
    permission::{Authorized, WriteProducts},
    shop::Shop,
};

/// Most bytes that are lost when a node dies in the midst of a request: what came before is there for good.
const PORTION: u64 = 8 << 20;

/// How a request goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// Each portion counts as soon as it is there; what came before a request broke off stays.
    Steady,
    /// Nothing counts before the source has ended well: it checks what passed.
    AtEnd,
}

/// Adds what a source gives to an upload, from `offset` on, and gives how far it is then. Who brings the last byte need not wait
/// for what becomes of it.
///
/// # Errors
/// [`Error::NotFound`] for an upload that is not the caller's, was ended or forgotten; [`Error::Conflict`] when `offset` is not how
/// far it is, also because somebody else was quicker; [`Error::TooLarge`] for more bytes than it was said to have; those of the
/// source and of the store. What was there before stays.
pub async fn append(
    shop: &Shop,
    with: &Finisher,
    by: &Authorized<WriteProducts>,
    id: UploadId,
    offset: u64,
    source: &mut dyn Chunks,
    progress: Progress,
) -> Result<Resumable> {
    let mut upload = find_upload(shop, with, by, id).await?;
    fits(&upload, offset)?;
    let mut slices = Slices { source, rest: Bytes::new(), left: 0 };
    let (mut at, mut waiting) = (offset, Vec::new());
    while slices.more().await? {
        let most = PORTION.min(upload.length - at);
        slices.left = most;
        // The whole is looked at for malware when it is there: a portion would say nothing of it.
        let kept = with.room().put(shop, &mut slices, &Terms::at_most(most).unscanned()).await?;
        waiting.push(Part { offset: at, kept });
        at += kept.size;
        slices.left = 0;
        // Looked at before the last portion counts: who sends too much may have sent something else.
        if at == upload.length && slices.more().await? {
            return Err(Error::TooLarge(format!(
                "The upload was said to have {} bytes, and there are more",
                upload.length
            )));
        }
        if progress == Progress::Steady {
            upload = add(shop, by, id, &waiting).await?;
            waiting.clear();
        }
    }
    if waiting.is_empty() { Ok(upload) } else { add(shop, by, id, &waiting).await }
}

/// # Errors
/// [`Error::Conflict`].
fn fits(upload: &Resumable, offset: u64) -> Result<()> {
    if upload.state == UploadState::Receiving && upload.offset == offset {
        return Ok(());
    }
    Err(Error::conflict(format!("The upload is at {}; ask how far it is, and go on from there", upload.offset)))
}

/// Adds portions that follow each other.
async fn add(shop: &Shop, by: &Authorized<WriteProducts>, id: UploadId, parts: &[Part]) -> Result<Resumable> {
    shop.write("append_upload", |mut tx| async move {
        let now = tx.now();
        let mut upload = own(&mut *tx, by, id, now).await?;
        for part in parts {
            fits(&upload, part.offset)?;
            tx.blobs().hold(&part.kept, Reach::Private).await?;
            tx.uploads().add_part(id, part).await?;
            upload.offset += part.kept.size;
        }
        upload.expires_at = now + shop.rules.assets.upload_life;
        if upload.offset == upload.length {
            upload.state = UploadState::Finishing;
            shop.enqueue(&mut *tx, FinishUpload { upload: id }.request()).await?;
        }
        tx.uploads().update(&upload).await?;
        tx.commit(upload).await
    })
    .await
}

/// A source cut into slices: each ends after `left` bytes, and the next one begins there.
struct Slices<'a> {
    source: &'a mut dyn Chunks,
    rest: Bytes,
    left: u64,
}

impl Slices<'_> {
    /// Whether anything follows.
    async fn more(&mut self) -> Result<bool> {
        if self.rest.is_empty() {
            self.rest = self.source.next().await?.unwrap_or_default();
        }
        Ok(!self.rest.is_empty())
    }
}

#[async_trait]
impl Chunks for Slices<'_> {
    async fn next(&mut self) -> Result<Option<Bytes>> {
        if self.left == 0 || !self.more().await? {
            return Ok(None);
        }
        let length = u64::try_from(self.rest.len()).map_err(Error::internal)?.min(self.left);
        self.left -= length;
        Ok(Some(self.rest.split_to(usize::try_from(length).map_err(Error::internal)?)))
    }
}
