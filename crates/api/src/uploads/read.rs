//! How far an upload is, and what became of it.

use actix_web::{HttpResponse, get};
use chrono::{DateTime, Utc};
use domain::{
    assets::uploads::{self, Outcome, Purpose, Resumable, UploadState},
    id::UploadId,
    permission::WriteProducts,
};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::protocol;
use crate::{Answer, Shared, auth::Auth, path::Id};

/// How far an upload is.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[schema(as = UploadState)]
#[serde(rename_all = "lowercase")]
pub enum UploadStateView {
    /// Bytes are missing.
    Receiving,
    /// All are there, and are being looked at.
    Finishing,
    /// It became what it was to become.
    Done,
    /// It became nothing; `problem` says why.
    Failed,
}

/// What an upload is to become.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[schema(as = UploadPurpose)]
#[serde(rename_all = "camelCase")]
pub enum UploadPurposeView {
    /// A file of a product.
    File,
    /// A 3D model of a product, with its first version.
    Model,
    /// A further version of a 3D model.
    ModelVersion,
}

/// An upload in portions.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Upload)]
#[serde(rename_all = "camelCase")]
pub struct UploadView {
    /// Its id.
    pub id: Uuid,
    /// What it is to become.
    pub purpose: UploadPurposeView,
    /// How far it is.
    pub state: UploadStateView,
    /// How many bytes it has when it is whole.
    #[schema(example = 104_857_600, minimum = 0)]
    pub length: u64,
    /// How many of them are there for good.
    #[schema(example = 8_388_608, minimum = 0)]
    pub offset: u64,
    /// The file it became.
    pub file_id: Option<Uuid>,
    /// The 3D model it became, or became a version of.
    pub model_id: Option<Uuid>,
    /// Which version of the model.
    #[schema(example = 1, minimum = 1, value_type = Option<i64>)]
    pub version: Option<u32>,
    /// Why it became nothing.
    #[schema(example = "file the file has no triangles (EMPTY)")]
    pub problem: Option<String>,
    /// When it began.
    pub created_at: DateTime<Utc>,
    /// When it is forgotten; each portion puts that off.
    pub expires_at: DateTime<Utc>,
}

impl From<&Resumable> for UploadView {
    fn from(upload: &Resumable) -> Self {
        let (made, version, problem) = match &upload.outcome {
            Some(Outcome::Made { id, version }) => (Some(*id), *version, None),
            Some(Outcome::Refused { message }) => (None, None, Some(message.clone())),
            None => (None, None, None),
        };
        let is_file = matches!(upload.purpose, Purpose::File { .. });
        Self {
            id: upload.id.0,
            purpose: match upload.purpose {
                Purpose::File { .. } => UploadPurposeView::File,
                Purpose::Model { .. } => UploadPurposeView::Model,
                Purpose::ModelVersion { .. } => UploadPurposeView::ModelVersion,
            },
            state: match upload.state {
                UploadState::Receiving => UploadStateView::Receiving,
                UploadState::Finishing => UploadStateView::Finishing,
                UploadState::Done => UploadStateView::Done,
                UploadState::Failed => UploadStateView::Failed,
            },
            length: upload.length,
            offset: upload.offset,
            file_id: made.filter(|_| is_file),
            model_id: made.filter(|_| !is_file),
            version,
            problem,
            created_at: upload.created_at,
            expires_at: upload.expires_at,
        }
    }
}

/// Tells how far an upload of one's own is, and what became of it.
///
/// Uploads that go on where they broke off are brought by tus 1.0 (tus.io): `POST /api/v1/uploads` with `Upload-Length` and
/// `Upload-Metadata`, then `PATCH` of its `Location`. Among the metadata `filename` is needed; `purpose` is `file` (the
/// default, with `productId`, and maybe `filetype`, `licence` and `visibility`), `model` (with `productId`, and maybe `modelName`)
/// or `modelVersion` (with `modelId`). When the last byte is there, a job looks at the whole. `HEAD` tells the offset.
#[utoipa::path(
    tag = "files",
    params(Id<UploadId>),
    responses(
        (status = 200, description = "The upload", body = UploadView,
            headers(("Upload-Offset" = u64, description = "How many bytes are there"), ("Upload-Length" = u64, description = "How many there will be"))),
        (status = 404, description = "No such upload of yours, or it was ended or forgotten"),
    ),
    security(("bearer" = ["products:write"]))
)]
#[get("/api/v1/uploads/{id}")]
pub async fn get_upload(auth: Auth<WriteProducts>, services: Shared, id: Id<UploadId>) -> Answer {
    let upload = uploads::find_upload(&services.shop, &services.uploads, &auth.0, id.0).await?;
    let mut answer = HttpResponse::Ok();
    protocol::told(&mut answer, &upload);
    answer.insert_header(("Upload-Length", upload.length.to_string()));
    Ok(answer.json(UploadView::from(&upload)))
}
