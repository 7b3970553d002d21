//! What files of products need from outside.

use async_trait::async_trait;

use super::{Grant, ProductFile};
use crate::{
    catalog::ProductStatus,
    clock::Timestamp,
    error::Result,
    id::{FileId, GrantId, ProductId, UserId},
    page::{Page, PageRequest},
};

/// The write side of files.
#[async_trait]
pub trait FileRepo: Send {
    /// Stores a new file, of which somebody holds the bytes.
    async fn insert(&mut self, file: &ProductFile) -> Result<()>;

    /// The file of that id. Nobody else deletes it until the transaction ends.
    async fn find(&mut self, id: FileId) -> Result<Option<ProductFile>>;

    /// Removes a file.
    async fn delete(&mut self, id: FileId) -> Result<()>;

    /// Files of products that were deleted before, at most `limit`. Nobody else deletes them until the transaction ends.
    async fn of_deleted(&mut self, before: Timestamp, limit: u32) -> Result<Vec<ProductFile>>;
}

/// The write side of grants.
#[async_trait]
pub trait GrantRepo: Send {
    /// Stores a grant; `false`, and nothing changes, when the person has one of this product already.
    async fn insert(&mut self, grant: &Grant) -> Result<bool>;

    /// Removes the grant a person has of a product, and gives it.
    async fn remove(&mut self, product: ProductId, user: UserId) -> Result<Option<Grant>>;
}

/// A file with what decides who may take it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundFile {
    /// The file.
    pub file: ProductFile,
    /// Where its product stands; `None` when it is deleted.
    pub product: Option<ProductStatus>,
}

/// The read side of files and grants.
#[async_trait]
pub trait FileQueries: Send + Sync {
    /// The file of that id.
    async fn get(&self, id: FileId) -> Result<Option<FoundFile>>;

    /// Files of a product, the newest first; public ones alone, or all.
    async fn list(&self, product: ProductId, all: bool, page: PageRequest) -> Result<Page<ProductFile>>;

    /// The grant that a person has of the files of a product.
    async fn grant_of(&self, product: ProductId, user: UserId) -> Result<Option<GrantId>>;

    /// The grants of a product, the newest first.
    async fn grants(&self, product: ProductId, page: PageRequest) -> Result<Page<Grant>>;

    /// Adds to how often files were taken away; telemetry (ruling R22). Files that are gone are skipped.
    async fn downloaded(&self, times: &[(FileId, u64)]) -> Result<()>;
}
