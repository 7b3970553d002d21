//! Files, links and grants as JSON.

use chrono::{DateTime, Utc};
use domain::assets::{
    files::{Grant, ProductFile},
    lfs::LibrarySummary,
    ports::Reach,
};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

/// For whom a file is.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Visibility {
    /// Whoever may see the product.
    Public,
    /// Who sells the product, and who was granted its files.
    Private,
}

impl Visibility {
    /// The visibility of that name.
    pub(super) fn named(name: &str) -> Option<Reach> {
        match name {
            "public" => Some(Reach::Public),
            "private" => Some(Reach::Private),
            _ => None,
        }
    }
}

/// A file of a product.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = File)]
#[serde(rename_all = "camelCase")]
pub struct FileView {
    /// Its id.
    pub id: Uuid,
    /// The product.
    pub product_id: Uuid,
    /// The seller account for which it counts.
    pub seller_id: Uuid,
    /// Its name.
    #[schema(example = "lamp.stl", min_length = 1, max_length = 255, format = "file-name")]
    pub name: String,
    /// What it is said to be.
    #[schema(example = "model/stl")]
    pub media_type: String,
    /// How many bytes it has.
    #[schema(example = 684_084, minimum = 0)]
    pub size: u64,
    /// The SHA-256 of its bytes.
    #[schema(example = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", pattern = "^[0-9a-f]{64}$")]
    pub sha256: String,
    /// For whom it is.
    pub visibility: Visibility,
    /// Under which terms it is given; null when nothing is said.
    #[schema(example = "CC BY-SA 4.0")]
    pub licence: Option<String>,
    /// How often it was taken away; it may lag by some seconds.
    #[schema(example = 12, minimum = 0)]
    pub downloads: u64,
    /// Where its bytes are, for who may have them.
    #[schema(example = "/api/v1/files/0190f5fe-7c00-7a00-8000-0123456789ab/content")]
    pub content_url: String,
    /// Where the bytes of a public file are for anybody, for ever the same; null for a private one.
    #[schema(example = "/content/e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")]
    pub public_url: Option<String>,
    /// When it was brought.
    pub created_at: DateTime<Utc>,
}

impl From<&ProductFile> for FileView {
    fn from(file: &ProductFile) -> Self {
        Self {
            id: file.id.0,
            product_id: file.product.0,
            seller_id: file.seller.0,
            name: file.told.name.as_str().to_owned(),
            media_type: file.told.media_type.as_str().to_owned(),
            size: file.size,
            sha256: file.digest.to_string(),
            visibility: if file.is_public() { Visibility::Public } else { Visibility::Private },
            licence: file.told.licence.clone(),
            downloads: file.downloads,
            content_url: content_url(file),
            public_url: file.is_public().then(|| format!("/content/{}", file.digest)),
            created_at: file.created_at,
        }
    }
}

/// Where the bytes of a file are.
pub(super) fn content_url(file: &ProductFile) -> String {
    format!("/api/v1/files/{}/content", file.id)
}

/// The bytes of a file.
#[derive(Debug, ToSchema)]
#[schema(value_type = String, format = Binary)]
pub struct FileBytes(());

/// How long a link shall be good.
#[derive(Debug, ToSchema)]
#[schema(as = NewFileLink)]
#[serde(rename_all = "camelCase")]
pub struct LinkBody {
    /// Seconds; 300 when nothing is said.
    #[schema(example = 300, minimum = 1, maximum = 3600)]
    pub expires_in_seconds: Option<i64>,
}

/// A link to a file, for whoever has it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = FileLink)]
#[serde(rename_all = "camelCase")]
pub struct LinkView {
    /// Where the bytes are.
    #[schema(example = "/api/v1/files/0190f5fe-7c00-7a00-8000-0123456789ab/content?expires=1796289000&signature=e3b0")]
    pub url: String,
    /// When it ends.
    pub expires_at: DateTime<Utc>,
}

/// That a person may take the private files of a product away.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Grant)]
#[serde(rename_all = "camelCase")]
pub struct GrantView {
    /// Its id, which copies of 3D models tell.
    pub id: Uuid,
    /// The person.
    pub user_id: Uuid,
    /// Who gave it; null for the shop itself.
    pub granted_by: Option<Uuid>,
    /// Since when.
    pub created_at: DateTime<Utc>,
}

impl From<Grant> for GrantView {
    fn from(grant: Grant) -> Self {
        let granted_by = grant.by.map(|by| by.0);
        Self { id: grant.id.0, user_id: grant.user.0, granted_by, created_at: grant.created_at }
    }
}

/// A library of large files that git keeps pointers to.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Library)]
#[serde(rename_all = "camelCase")]
pub struct LibraryView {
    /// Its id.
    pub id: Uuid,
    /// The seller account it belongs to.
    pub seller_id: Uuid,
    /// Its name under the account.
    #[schema(example = "models")]
    pub name: String,
    /// What git is told as `lfs.url`, below the address of the shop.
    #[schema(example = "/lfs/adas-lamps/models")]
    pub path: String,
    /// How many objects lie in it.
    #[schema(example = 12, minimum = 0)]
    pub objects: u64,
    /// How many bytes they are together.
    #[schema(example = 684_084, minimum = 0)]
    pub bytes: u64,
    /// How many files are locked.
    #[schema(example = 1, minimum = 0)]
    pub locks: u64,
    /// When the first object came.
    pub created_at: DateTime<Utc>,
}

impl From<&LibrarySummary> for LibraryView {
    fn from(summary: &LibrarySummary) -> Self {
        let library = &summary.library;
        Self {
            id: library.id.0,
            seller_id: library.seller.0,
            name: library.name.to_string(),
            path: format!("/lfs/{}/{}", summary.seller_slug, library.name),
            objects: summary.objects,
            bytes: summary.bytes,
            locks: summary.locks,
            created_at: library.created_at,
        }
    }
}
