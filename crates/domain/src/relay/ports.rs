//! What the relay needs of the database.

use async_trait::async_trait;

use super::{Lease, Plan};
use crate::{
    audit::{AuditEntry, Mark},
    clock::Timestamp,
    error::Result,
    event::Event,
    id::EventId,
};

/// An event with its number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Numbered {
    /// Its place in the log: from 1, without gaps, in the order in which readers may see it.
    pub seq: u64,
    /// The event.
    pub event: Event,
}

/// A committed event that has no number yet.
#[derive(Debug, Clone, PartialEq)]
pub struct Pending {
    /// Its id, which is also that of its audit entry.
    pub id: EventId,
    /// The event, or why its row does not decode.
    pub event: Result<Event, String>,
    /// The audit entry of the same change.
    pub entry: Entry,
}

/// The audit entry beside a pending event.
#[derive(Debug, Clone, PartialEq)]
pub enum Entry {
    /// There is none.
    Missing,
    /// Its row does not decode, for this reason.
    Unreadable(String),
    /// It is in the chain already: the event was set aside before and is tried again.
    Linked,
    /// It waits to be chained.
    Waiting(AuditEntry),
}

/// How far numbering and chaining got.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    /// The last number given to an event; 0 before the first.
    pub last_seq: u64,
    /// The sealed head of the audit chain; `None` before the first link.
    pub head: Option<Mark>,
}

/// The log as the relay sees it.
#[async_trait]
pub trait RelayLog: Send + Sync {
    /// Takes the lease until `until`, or renews it. `None` while somebody else holds it and `now` is before its end.
    /// The fencing number MUST grow whenever the holder changes.
    async fn lease(&self, holder: &str, now: Timestamp, until: Timestamp) -> Result<Option<Lease>>;

    /// Gives the lease back, so that another need not wait for its end.
    async fn release(&self, lease: &Lease) -> Result<()>;

    /// Begins the transaction that numbers up to `limit` pending events, in the order in which they were written: of changes of one thing,
    /// each of which waits for the one before, that is the order in which they were made. While it is open the lease MUST NOT change hands. When nothing is pending this SHOULD cost one read.
    async fn open(&self, lease: &Lease, limit: u32) -> Result<Opened>;

    /// Adds up to `limit` waiting changes of the product counts to the counts, and gives how many; the changes leave in
    /// the same transaction, so that counts and waiting changes together are always right. `None` when the lease is in
    /// other hands.
    async fn fold(&self, lease: &Lease, limit: u32) -> Result<Option<u64>>;
}

/// What [`RelayLog::open`] found.
pub enum Opened {
    /// The lease is in other hands.
    Fenced,
    /// Nothing is pending.
    Idle,
    /// Events to number.
    Batch(Box<dyn Batch>),
}

impl std::fmt::Debug for Opened {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Fenced => "Fenced",
            Self::Idle => "Idle",
            Self::Batch(_) => "Batch(..)",
        })
    }
}

/// An open transaction of the relay; dropping it rolls back.
#[async_trait]
pub trait Batch: Send {
    /// How far the relay got before this batch.
    fn position(&self) -> Position;

    /// The events to number, in order.
    fn pending(&self) -> &[Pending];

    /// Writes the plan, its jobs too, and commits. A job whose key an unfinished one has is left out.
    async fn commit(self: Box<Self>, plan: &Plan) -> Result<()>;
}
