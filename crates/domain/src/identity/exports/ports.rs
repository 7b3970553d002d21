//! What archives need from outside.

use async_trait::async_trait;
use serde_json::Value;

use super::{DataExport, Ready};
use crate::{
    clock::Timestamp,
    error::Result,
    id::{ExportId, UserId},
    page::{Page, PageRequest},
};

/// The write side of archives.
#[async_trait]
pub trait DataExportRepo: Send {
    /// Stores one that is to be made.
    async fn insert(&mut self, export: &DataExport) -> Result<()>;

    /// Those of a person, oldest first. Waits for whoever asks for one of theirs just now.
    async fn of(&mut self, user: UserId) -> Result<Vec<DataExport>>;

    /// The one of that id.
    async fn find(&mut self, id: ExportId) -> Result<Option<DataExport>>;

    /// Says that it is made; `false` when it was before, or is gone. Of several who say so at once, one is told `true`.
    async fn make_ready(&mut self, id: ExportId, ready: Ready) -> Result<bool>;

    /// Stores the next chunk of one that is made.
    async fn put_chunk(&mut self, id: ExportId, n: u32, sealed: &[u8]) -> Result<()>;

    /// Removes it with its chunks.
    async fn delete(&mut self, id: ExportId) -> Result<()>;
}

/// The read side of archives. One that has ended is gone.
#[async_trait]
pub trait DataExportQueries: Send + Sync {
    /// Those of a person, the newest first.
    async fn list(&self, user: UserId, now: Timestamp, page: PageRequest) -> Result<Page<DataExport>>;

    /// The one of that id, if it is this person's.
    async fn get(&self, user: UserId, id: ExportId, now: Timestamp) -> Result<Option<DataExport>>;

    /// A chunk, from 0 on.
    async fn chunk(&self, id: ExportId, n: u32) -> Result<Option<Vec<u8>>>;

    /// Removes those that ended before, at most `limit`, and gives how many.
    async fn purge(&self, before: Timestamp, limit: u32) -> Result<u64>;
}

/// All that is kept of a person, by subject. MUST NOT give what proves who they are, such as hashes and keys.
#[async_trait]
pub trait PersonalData: Send + Sync {
    /// The subjects, each a file of the archive.
    fn subjects(&self) -> Vec<&'static str>;

    /// At most `limit` rows of a subject after the first `offset`, in an order that stays.
    async fn rows(&self, user: UserId, subject: &str, offset: u64, limit: u32) -> Result<Vec<Value>>;
}

/// Makes archives.
pub trait Packer: Send + Sync {
    /// Begins one.
    fn begin(&self) -> Result<Box<dyn Pack>>;
}

/// An archive that is being made.
pub trait Pack: Send {
    /// Begins a file; what is written from now on is in it.
    fn file(&mut self, name: &str) -> Result<()>;

    /// Writes to the file begun last.
    fn write(&mut self, bytes: &[u8]) -> Result<()>;

    /// The whole archive.
    fn finish(self: Box<Self>) -> Result<Vec<u8>>;
}
