//! The chain as it is found in the database, tampered with or not.

use async_trait::async_trait;

use super::{AuditEntry, End, Mark};
use crate::{error::Result, id::AuditId};

/// A link with the entry it names, as found.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredLink {
    /// The number found; below 1 only when somebody put it there.
    pub seq: i64,
    /// The hash found; zeros when it has another length.
    pub hash: [u8; 32],
    /// The entry.
    pub entry: StoredEntry,
}

/// The entry a link names, as found.
#[derive(Debug, Clone, PartialEq)]
pub enum StoredEntry {
    /// There is none.
    Gone,
    /// Its row does not decode, for this reason.
    Unreadable(String),
    /// Here it is.
    Found(AuditEntry),
}

/// Gives still pictures of the chain.
#[async_trait]
pub trait Chain: Send + Sync {
    /// A picture of the chain at this moment; writers go on meanwhile and it does not see them.
    async fn snapshot(&self) -> Result<Box<dyn ChainSnapshot>>;
}

/// The chain as it was at one moment. Everything read from one snapshot MUST be of the same moment, and a row that does
/// not decode MUST be told of, never be an error: this is what reads a log somebody tampered with.
#[async_trait]
pub trait ChainSnapshot: Send {
    /// An end of the chain. Fields of the wrong length are zeros, which no seal fits.
    async fn mark(&mut self, end: End) -> Result<Option<Mark>>;

    /// The last number given to an event.
    async fn last_event(&mut self) -> Result<u64>;

    /// Links with numbers above `after`, in order, at most `limit`.
    async fn links(&mut self, after: i64, limit: u32) -> Result<Vec<StoredLink>>;

    /// How many entries wait for the relay to chain them.
    async fn waiting(&mut self) -> Result<u64>;

    /// Entries that are neither chained nor waiting, at most `limit`.
    async fn inserted(&mut self, limit: u32) -> Result<Vec<AuditId>>;
}
