//! The outbox and the audit log in memory.

use async_trait::async_trait;

use super::{MemoryStore, MemoryTx, page_of};
use crate::{
    audit::{AuditEntry, AuditFilter, AuditLog, AuditQueries},
    error::Result,
    event::{Event, Outbox},
    page::{Page, PageRequest},
};

#[async_trait]
impl Outbox for MemoryTx {
    async fn append(&mut self, event: Event) -> Result<()> {
        self.write().events.push(event);
        Ok(())
    }
}

#[async_trait]
impl AuditLog for MemoryTx {
    async fn append(&mut self, entry: AuditEntry) -> Result<()> {
        self.write().audit.push(entry);
        Ok(())
    }
}

#[async_trait]
impl AuditQueries for MemoryStore {
    async fn list(&self, filter: &AuditFilter, page: PageRequest) -> Result<Page<AuditEntry>> {
        let asked = |entry: &&AuditEntry| {
            filter.actor.is_none_or(|actor| entry.actor == Some(actor))
                && filter.impersonator.is_none_or(|by| entry.impersonator == Some(by))
                && filter.action.as_ref().is_none_or(|action| entry.action == *action)
                && filter.entity_type.as_ref().is_none_or(|kind| entry.entity.kind == *kind)
                && filter.entity_id.is_none_or(|id| entry.entity.id == id)
        };
        let mut entries: Vec<_> = self.state().audit.iter().filter(asked).cloned().collect();
        entries.sort_by_key(|entry| std::cmp::Reverse((entry.at, entry.id)));
        Ok(page_of(entries, page))
    }
}
