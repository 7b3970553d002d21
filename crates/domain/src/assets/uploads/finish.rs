//! The job that hands an upload over when all its bytes are there.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use async_trait::async_trait;
use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::{Origin, Outcome, Purpose, Resumable, UploadState, end::settle, ports::UploadQueries};
use crate::{
    actor::Actor,
    assets::{
        Chunks, Digest, Storeroom, Terms,
        files::{self, FileName, MediaType, NewFile, Sniffed},
        models::{self, NewModel, Upload, Workshop},
        ports::Reach,
    },
    error::{Error, Result},
    id::UploadId,
    idempotency::Once,
    identity::ports::UserQueries,
    job::{Job, Policy, Request},
    permission::WriteProducts,
    shop::Shop,
};

/// The job that hands an upload over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct FinishUpload {
    /// The upload.
    pub upload: UploadId,
}

impl Job for FinishUpload {
    const NAME: &'static str = "finish_upload";

    fn policy() -> Policy {
        Policy { timeout: Duration::from_mins(30), at_once: 2, ..Policy::default() }
    }
}

impl FinishUpload {
    /// That it be done; known by the upload while it is not.
    pub(super) fn request(&self) -> Request {
        Request::of(self).keyed(self.key())
    }

    pub(super) fn key(&self) -> String {
        self.upload.to_string()
    }
}

/// What uploads stand on, and are handed over to.
#[derive(Clone)]
pub struct Finisher {
    /// Takes 3D models; its store takes everything else.
    pub workshop: Workshop,
    /// Reads uploads.
    pub uploads: Arc<dyn UploadQueries>,
    /// Knows what somebody may do now.
    pub users: Arc<dyn UserQueries>,
}

impl std::fmt::Debug for Finisher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Finisher").field("workshop", &self.workshop).finish_non_exhaustive()
    }
}

impl Finisher {
    /// Where bytes lie.
    pub fn room(&self) -> &Storeroom {
        &self.workshop.room
    }

    /// Most bytes for a purpose.
    pub fn most(&self, shop: &Shop, purpose: &Purpose) -> u64 {
        match purpose {
            Purpose::File { .. } => shop.rules.assets.file_max,
            Purpose::Model { .. } | Purpose::ModelVersion { .. } => self.workshop.most,
        }
    }
}

/// Hands an upload over, by the rights its owner has now. Run again it goes on; of one that has ended it changes nothing.
///
/// # Errors
/// What may pass. What will not is written down as what became of the upload.
pub async fn finish_upload(shop: &Shop, with: &Finisher, job: FinishUpload) -> Result<()> {
    let upload = with.uploads.get(job.upload).await?;
    let Some(upload) = upload.filter(|upload| upload.state == UploadState::Finishing) else { return Ok(()) };
    let parts = with.uploads.parts(job.upload).await?;
    match hand_over(shop, with, &upload, parts).await {
        Err(error) if is_final(&error) => refuse(shop, job.upload, &error).await,
        ended => ended,
    }
}

async fn hand_over(shop: &Shop, with: &Finisher, upload: &Resumable, parts: Vec<(Digest, u64)>) -> Result<()> {
    let principal = with.users.principal(upload.by).await?.ok_or(Error::Unauthenticated)?;
    let by = &Actor::Signed(principal).authorize::<WriteProducts>()?;
    let mut source = Joined { room: with.room(), parts: parts.into(), open: None };
    let origin = Origin::Upload(upload.id);
    match &upload.purpose {
        Purpose::File { product, name, media_type, licence, public } => {
            let new = NewFile {
                name: FileName::stored(name.clone()),
                media_type: MediaType::stored(media_type.clone()),
                licence: licence.clone(),
                reach: if *public { Reach::Public } else { Reach::Private },
            };
            let terms = Terms { size: Some(upload.length), ..Terms::at_most(upload.length) };
            let kept = with.room().put(shop, &mut Sniffed::new(&mut source, &new.media_type), &terms).await?;
            files::add_file(shop, by, *product, &new, &kept, origin, &Once::always()).await.map(|_| ())
        }
        Purpose::Model { product, name, file_name } => {
            let new = NewModel { product: *product, name: name.clone() };
            models::create_model(shop, by, &with.workshop, &new, whole(upload, file_name, &mut source))
                .await
                .map(|_| ())
        }
        Purpose::ModelVersion { model, file_name } => {
            models::add_version(shop, by, &with.workshop, *model, whole(upload, file_name, &mut source))
                .await
                .map(|_| ())
        }
    }
}

fn whole<'a>(upload: &Resumable, file_name: &str, source: &'a mut dyn Chunks) -> Upload<'a> {
    Upload {
        source,
        size: Some(upload.length),
        digest: None,
        file_name: file_name.to_owned(),
        origin: Origin::Upload(upload.id),
    }
}

/// Whether trying again will not help.
fn is_final(error: &Error) -> bool {
    matches!(
        error,
        Error::NotFound(_)
            | Error::Conflict(_)
            | Error::Invalid(_)
            | Error::Unauthenticated
            | Error::Forbidden(_)
            | Error::TooLarge(_)
            | Error::Unprocessable(_)
    )
}

async fn refuse(shop: &Shop, id: UploadId, error: &Error) -> Result<()> {
    let message = match error {
        Error::Invalid(violations) => {
            violations.iter().map(|one| format!("{} {}", one.field, one.message)).collect::<Vec<_>>().join("; ")
        }
        error => error.to_string(),
    };
    let message = &message;
    shop.write("refuse_upload", |mut tx| async move {
        let outcome = Outcome::Refused { message: message.clone() };
        settle(shop, &mut *tx, id, UploadState::Failed, outcome).await?;
        tx.commit(()).await
    })
    .await
}

/// The portions of an upload as one source.
struct Joined<'a> {
    room: &'a Storeroom,
    parts: VecDeque<(Digest, u64)>,
    open: Option<Box<dyn Chunks>>,
}

#[async_trait]
impl Chunks for Joined<'_> {
    async fn next(&mut self) -> Result<Option<Bytes>> {
        loop {
            if let Some(open) = &mut self.open {
                if let Some(piece) = open.next().await? {
                    return Ok(Some(piece));
                }
                self.open = None;
            }
            let Some((digest, size)) = self.parts.pop_front() else { return Ok(None) };
            let found = self.room.read(&digest, Some(0..size)).await?;
            self.open = Some(found.ok_or_else(|| Error::internal("a portion of an upload is held by nobody"))?);
        }
    }
}
