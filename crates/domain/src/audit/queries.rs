//! Reading the audit log.

use async_trait::async_trait;

use super::AuditEntry;
use crate::{
    error::Result,
    id::UserId,
    page::{Page, PageRequest},
};

/// Which entries to list; every part given must match.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuditFilter {
    /// Entries by this person.
    pub actor: Option<UserId>,
    /// Entries of what this operator did as somebody else.
    pub impersonator: Option<UserId>,
    /// Entries of this action, such as `product.delete`.
    pub action: Option<String>,
    /// Entries about this type of thing.
    pub entity_type: Option<String>,
    /// Entries about this thing.
    pub entity_id: Option<uuid::Uuid>,
}

/// The read side of the audit log.
#[async_trait]
pub trait AuditQueries: Send + Sync {
    /// A page of entries, newest first.
    async fn list(&self, filter: &AuditFilter, page: PageRequest) -> Result<Page<AuditEntry>>;
}
