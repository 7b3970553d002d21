//! The audit log: append and read.

use std::sync::Arc;

use async_trait::async_trait;
use domain::{
    Result,
    audit::{AuditEntry, AuditFilter, AuditLog, AuditQueries},
    event::Entity,
    id::{AuditId, UserId},
    page::{Page, PageRequest},
};
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect};

use crate::{database::Database, entity::audit_log, error, tx::SeaTx};

#[async_trait]
impl AuditLog for SeaTx {
    async fn append(&mut self, entry: AuditEntry) -> Result<()> {
        self.told.entries.push(entry);
        Ok(())
    }
}

impl Database {
    /// The read side of the audit log.
    pub fn audit(&self) -> Arc<dyn AuditQueries> {
        Arc::new(self.clone())
    }
}

#[async_trait]
impl AuditQueries for Database {
    async fn list(&self, filter: &AuditFilter, page: PageRequest) -> Result<Page<AuditEntry>> {
        let mut found = audit_log::Entity::find();
        if let Some(actor) = filter.actor {
            found = found.filter(audit_log::Column::ActorId.eq(actor.0));
        }
        if let Some(by) = filter.impersonator {
            found = found.filter(audit_log::Column::ImpersonatorId.eq(by.0));
        }
        if let Some(action) = &filter.action {
            found = found.filter(audit_log::Column::Action.eq(action));
        }
        if let Some(kind) = &filter.entity_type {
            found = found.filter(audit_log::Column::EntityType.eq(kind));
        }
        if let Some(id) = filter.entity_id {
            found = found.filter(audit_log::Column::EntityId.eq(id));
        }
        let total = found.clone().count(&self.reader).await.map_err(error::of)?;
        let rows = found
            .order_by_desc(audit_log::Column::Id)
            .offset(page.offset())
            .limit(u64::from(page.limit.get()))
            .all(&self.reader)
            .await
            .map_err(error::of)?;
        Ok(Page::new(rows.into_iter().map(entry).collect(), total, page))
    }
}

pub(crate) fn entry(row: audit_log::Model) -> AuditEntry {
    AuditEntry {
        id: AuditId(row.id),
        actor: row.actor_id.map(UserId),
        impersonator: row.impersonator_id.map(UserId),
        action: row.action,
        entity: Entity { kind: row.entity_type, id: row.entity_id },
        metadata: row.metadata,
        at: row.created_at,
    }
}
