//! The audit log: who did what to what, append only, chained so that a change to it shows.

mod chain;
mod finding;
mod mark;
mod purge;
mod queries;
mod stored;
mod verify;
mod walk;

pub use chain::{ChainLink, link};
pub use finding::Finding;
pub use mark::{End, Mark, Note};
pub use purge::{AuditPurge, purge_audit};
pub use queries::{AuditFilter, AuditQueries};
use serde::{Deserialize, Serialize};
use serde_json::Value;
pub use stored::{Chain, ChainSnapshot, StoredEntry, StoredLink};
pub use verify::{Verified, verify};

use crate::{
    clock::Timestamp,
    error::Result,
    event::Entity,
    id::{AuditId, UserId},
};

/// One thing somebody did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AuditEntry {
    /// Unique, sorts by time of making.
    pub id: AuditId,
    /// Who; `None` for the system itself.
    pub actor: Option<UserId>,
    /// The operator who did it as them, when it was not they themselves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub impersonator: Option<UserId>,
    /// What, `<entity>.<verb>`, such as `product.create`.
    pub action: String,
    /// To what.
    pub entity: Entity,
    /// The fields before and after; ids and public facts, never personal values.
    pub metadata: Value,
    /// When.
    pub at: Timestamp,
}

/// The append side of the audit log.
#[async_trait::async_trait]
pub trait AuditLog: Send {
    /// Adds an entry to the transaction.
    async fn append(&mut self, entry: AuditEntry) -> Result<()>;
}
