//! What uploads in portions need from outside.

use async_trait::async_trait;

use super::{Part, Resumable};
use crate::{
    assets::Digest,
    clock::Timestamp,
    error::Result,
    id::{UploadId, UserId},
};

/// The write side of uploads.
#[async_trait]
pub trait UploadRepo: Send {
    /// Stores a new upload.
    async fn insert(&mut self, upload: &Resumable) -> Result<()>;

    /// The upload of that id. Nobody else changes it until the transaction ends.
    async fn find(&mut self, id: UploadId) -> Result<Option<Resumable>>;

    /// Stores how far an upload is: offset, state, outcome and end.
    async fn update(&mut self, upload: &Resumable) -> Result<()>;

    /// How many uploads of a person are open.
    async fn open_of(&mut self, user: UserId) -> Result<u64>;

    /// Adds a portion whose bytes somebody holds.
    async fn add_part(&mut self, id: UploadId, part: &Part) -> Result<()>;

    /// Removes the portions, and gives their digests in an order that all writers keep to.
    async fn take_parts(&mut self, id: UploadId) -> Result<Vec<Digest>>;

    /// Removes an upload without portions.
    async fn delete(&mut self, id: UploadId) -> Result<()>;

    /// Uploads that ended before, at most `limit`. Nobody else changes them until the transaction ends.
    async fn expired(&mut self, before: Timestamp, limit: u32) -> Result<Vec<Resumable>>;
}

/// The read side of uploads.
#[async_trait]
pub trait UploadQueries: Send + Sync {
    /// The upload of that id.
    async fn get(&self, id: UploadId) -> Result<Option<Resumable>>;

    /// The digests and sizes of its portions, in the order of their places.
    async fn parts(&self, id: UploadId) -> Result<Vec<(Digest, u64)>>;

    /// Uploads that are being handed over, the oldest first, at most `limit`.
    async fn finishing(&self, limit: u32) -> Result<Vec<UploadId>>;
}
