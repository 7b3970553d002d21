//! What happened: the events every mutation leaves behind, in the transaction of the change itself.

mod fact;

pub use fact::{EndpointFact, Fact, ModelFact, ProductFact, SessionFact, ShownProduct};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use crate::{
    audit::AuditEntry,
    clock::Timestamp,
    error::Result,
    id::{EventId, UserId},
};

/// A committed change, as it stands in the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Event {
    /// Unique, sorts by time of making (not of commit).
    pub id: EventId,
    /// What happened, `<entity>.<verb in the past>`, such as `product.created`.
    pub kind: String,
    /// The thing it happened to.
    pub entity: Entity,
    /// Who did it; `None` for the system itself.
    pub actor: Option<UserId>,
    /// When the change was made.
    pub at: Timestamp,
    /// What a consumer needs to act; ids and public facts, never personal values.
    pub payload: Value,
}

/// The thing a change is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entity {
    /// Its type, such as `product`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Its id.
    pub id: Uuid,
}

impl Entity {
    /// The thing of that type and id.
    pub fn new(kind: &str, id: impl Into<Uuid>) -> Self {
        Self { kind: kind.to_owned(), id: id.into() }
    }
}

/// A change a use case made, told once: the event and the audit row are both made from it.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// The action of the audit row, `<entity>.<verb>`, such as `product.create`.
    pub action: &'static str,
    /// The kind of the event, `<entity>.<verb in the past>`.
    pub event: &'static str,
    /// What was changed.
    pub entity: Entity,
    /// What consumers of the event need.
    pub payload: Value,
    /// What an auditor needs: the fields before and after.
    pub metadata: Value,
}

/// What one change leaves in the logs; both have the same id.
#[derive(Debug, Clone, PartialEq)]
pub struct Trace {
    /// The audit row.
    pub entry: AuditEntry,
    /// The event.
    pub event: Event,
}

/// The outbox: events wait here, in the transaction that caused them, until the relay gives them their number.
#[async_trait::async_trait]
pub trait Outbox: Send {
    /// Adds an event to the transaction.
    async fn append(&mut self, event: Event) -> Result<()>;
}
