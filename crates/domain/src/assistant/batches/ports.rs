//! What batches need from outside.

use async_trait::async_trait;
use serde_json::{Map, Value};

use super::{
    AssistantFile, Batch, EndedLine, Endpoint, FilePurpose, LineEnd, LineFault, NewLine, Owner, Said, Waiting,
    WaitingLine,
};
use crate::{
    actor::Principal,
    clock::Timestamp,
    error::Result,
    id::{AssistantBatchId, AssistantFileId, UserId},
    permission::{Authorized, UseAssistant},
};

/// The write side of batches and their files.
#[async_trait]
pub trait BatchRepo: Send {
    /// Stores a file whose bytes are held.
    async fn insert_file(&mut self, file: &AssistantFile) -> Result<()>;

    /// The file of that id. Nobody else changes it until the transaction ends.
    async fn file(&mut self, id: AssistantFileId) -> Result<Option<AssistantFile>>;

    /// Removes a file. Whoever calls lets its bytes go.
    async fn delete_file(&mut self, id: AssistantFileId) -> Result<()>;

    /// Whether a batch that is not over has its lines in this file.
    async fn is_read(&mut self, id: AssistantFileId) -> Result<bool>;

    /// Stores a batch.
    async fn insert(&mut self, batch: &Batch) -> Result<()>;

    /// The batch of that id. Nobody else changes it until the transaction ends.
    async fn find(&mut self, id: AssistantBatchId) -> Result<Option<Batch>>;

    /// Replaces what is stored of a batch, but for whose it is and what it asks.
    async fn update(&mut self, batch: &Batch) -> Result<()>;

    /// Removes a batch with its lines.
    async fn delete(&mut self, id: AssistantBatchId) -> Result<()>;

    /// Stores the lines of a batch in the place of those it had.
    async fn put_lines(&mut self, id: AssistantBatchId, lines: &[NewLine]) -> Result<()>;

    /// A line that waits was asked so often; `due` is when it is to be asked again. One with an outcome stays as it is.
    async fn put_off(&mut self, id: AssistantBatchId, number: u64, attempts: u32, due: Timestamp) -> Result<()>;

    /// Gives a line its outcome; `false` when it had one before, which stays.
    async fn end_line(&mut self, id: AssistantBatchId, number: u64, end: &LineEnd) -> Result<bool>;

    /// Gives every line that waits this outcome, and tells how many.
    async fn end_waiting(&mut self, id: AssistantBatchId, end: &LineEnd) -> Result<u64>;

    /// Forgets the lines of a batch.
    async fn forget_lines(&mut self, id: AssistantBatchId) -> Result<()>;
}

/// The read side of batches and their files.
#[async_trait]
pub trait BatchQueries: Send + Sync {
    /// The file of that id.
    async fn get_file(&self, id: AssistantFileId) -> Result<Option<AssistantFile>>;

    /// Files of somebody behind one of them, at most `limit`, the newest first unless `is_rising`. Without a key: all of a person.
    async fn files(
        &self,
        of: Owner,
        purpose: Option<FilePurpose>,
        after: Option<AssistantFileId>,
        is_rising: bool,
        limit: u32,
    ) -> Result<Vec<AssistantFile>>;

    /// The batch of that id.
    async fn get(&self, id: AssistantBatchId) -> Result<Option<Batch>>;

    /// Batches of somebody that are older than one of them, at most `limit`, the newest first. Without a key: all of a person.
    async fn list(&self, of: Owner, after: Option<AssistantBatchId>, limit: u32) -> Result<Vec<Batch>>;

    /// Lines that are due, those of the begin of the file first, at most `limit`.
    async fn due(&self, id: AssistantBatchId, now: Timestamp, limit: u32) -> Result<Vec<WaitingLine>>;

    /// Lines that have no outcome.
    async fn waiting(&self, id: AssistantBatchId) -> Result<Waiting>;

    /// Lines behind this one that were answered, or that were not, in the order of the file, at most `limit`.
    async fn ended(&self, id: AssistantBatchId, are_answers: bool, after: u64, limit: u32) -> Result<Vec<EndedLine>>;

    /// Batches behind this one that are not over, by id, at most `limit`.
    async fn open(&self, after: Option<AssistantBatchId>, limit: u32) -> Result<Vec<Batch>>;

    /// Batches that were over before, at most `limit`.
    async fn ended_before(&self, before: Timestamp, limit: u32) -> Result<Vec<AssistantBatchId>>;

    /// Files that came before and have no lines of a batch that is not over, at most `limit`.
    async fn files_before(&self, before: Timestamp, limit: u32) -> Result<Vec<AssistantFileId>>;

    /// Whose files and batches there are of a person, at most `limit` of each.
    async fn of_person(&self, user: UserId, limit: u32) -> Result<(Vec<AssistantBatchId>, Vec<AssistantFileId>)>;
}

/// The door of an endpoint, for lines: it reads and answers what it would read and answer by itself.
#[async_trait]
pub trait LineDoor: Send + Sync {
    /// What the door would find wrong with a body before it asks anybody.
    fn check(&self, by: &Principal, endpoint: Endpoint, body: &Map<String, Value>) -> Result<(), LineFault>;

    /// Asks. The call has its row in the ledger, whatever becomes of it.
    async fn ask(
        &self,
        by: &Authorized<UseAssistant>,
        endpoint: Endpoint,
        request_id: &str,
        body: Map<String, Value>,
    ) -> Said;
}
