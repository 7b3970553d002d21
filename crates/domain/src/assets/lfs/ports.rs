//! What libraries need from outside.

use async_trait::async_trait;

use super::{Library, LibraryName, LibrarySummary, Lock, LockFilter, LockPath, NamedLock, Object};
use crate::{
    assets::Digest,
    error::Result,
    id::{LibraryId, LockId, SellerId},
    page::{Page, PageRequest},
};

/// The write side of libraries.
#[async_trait]
pub trait LibraryRepo: Send {
    /// The library of that name under an account.
    async fn find(&mut self, seller: SellerId, name: &LibraryName) -> Result<Option<Library>>;

    /// The library of that id. It is held until the transaction ends.
    async fn by_id(&mut self, id: LibraryId) -> Result<Option<Library>>;

    /// Stores a new one; `false` when the name is taken.
    async fn insert(&mut self, library: &Library) -> Result<bool>;

    /// Adds an object; `false` when it is there.
    async fn add(&mut self, object: &Object) -> Result<bool>;

    /// Takes out objects, at most `limit`, and gives them.
    async fn take(&mut self, library: LibraryId, limit: u32) -> Result<Vec<Object>>;

    /// Removes a library without objects, with its locks.
    async fn delete(&mut self, id: LibraryId) -> Result<()>;

    /// Stores a lock; `false` when the file is locked.
    async fn lock(&mut self, lock: &Lock) -> Result<bool>;

    /// The lock of a file.
    async fn lock_of(&mut self, library: LibraryId, path: &LockPath) -> Result<Option<NamedLock>>;

    /// The lock of that id.
    async fn lock_by_id(&mut self, library: LibraryId, id: LockId) -> Result<Option<NamedLock>>;

    /// Removes a lock.
    async fn unlock(&mut self, id: LockId) -> Result<()>;
}

/// The read side of libraries.
#[async_trait]
pub trait LibraryQueries: Send + Sync {
    /// The account of that name in addresses.
    async fn account(&self, slug: &str) -> Result<Option<SellerId>>;

    /// The library of that name under an account.
    async fn find(&self, seller: SellerId, name: &LibraryName) -> Result<Option<Library>>;

    /// Which of these lie in a library, and how many bytes each.
    async fn sizes(&self, library: LibraryId, digests: &[Digest]) -> Result<Vec<(Digest, u64)>>;

    /// The locks of a library behind this one, the oldest first, at most `limit`.
    async fn locks(
        &self,
        library: LibraryId,
        filter: &LockFilter,
        after: Option<LockId>,
        limit: u32,
    ) -> Result<Vec<NamedLock>>;

    /// The libraries of these accounts, the oldest first.
    async fn list(&self, sellers: &[SellerId], page: PageRequest) -> Result<Page<LibrarySummary>>;

    /// The library of that id, as it is listed.
    async fn get(&self, id: LibraryId) -> Result<Option<LibrarySummary>>;
}
