//! What a transaction tells the logs, gathered until it ends: one change then costs one round trip for both logs, and
//! thousands cost a few.

use domain::{Result, audit::AuditEntry, event::Event};
use sea_orm::{EntityTrait, Value};

use super::{audit, outbox};
use crate::{
    entity::{audit_log, event},
    error,
    statement::{execute, statement},
    tx::SeaTx,
};

/// Rows per statement of a bulk insert, inside the parameters either engine takes.
const BULK: usize = 1000;

/// Rows of both logs that are not written yet.
#[derive(Debug, Default)]
pub(crate) struct Told {
    pub(crate) entries: Vec<AuditEntry>,
    pub(crate) events: Vec<Event>,
}

impl SeaTx {
    /// Writes what was told; the last thing a transaction does before it commits.
    pub(crate) async fn write_told(&mut self) -> Result<()> {
        let mut entries = std::mem::take(&mut self.told.entries);
        let mut events = std::mem::take(&mut self.told.events);
        if let ([_], [_]) = (entries.as_slice(), events.as_slice())
            && let (Some(entry), Some(event)) = (entries.pop(), events.pop())
        {
            return self.both(entry, event).await;
        }
        let mut rows = entries.into_iter().map(audit::row).peekable();
        while rows.peek().is_some() {
            let chunk = rows.by_ref().take(BULK);
            audit_log::Entity::insert_many(chunk).exec_without_returning(&self.tx).await.map_err(error::of)?;
        }
        let mut rows = events.into_iter().map(outbox::row).peekable();
        while rows.peek().is_some() {
            let chunk = rows.by_ref().take(BULK);
            event::Entity::insert_many(chunk).exec_without_returning(&self.tx).await.map_err(error::of)?;
        }
        Ok(())
    }
}

/// One row in each log, in one round trip.
const BOTH: &str = "WITH audited AS ( \
     INSERT INTO audit_logs (id, actor_id, action, entity_type, entity_id, metadata, created_at) \
     VALUES ($1, $2, $3, $4, $5, $6, $7)) \
     INSERT INTO events (id, kind, entity_type, entity_id, actor_id, payload, occurred_at) \
     VALUES ($8, $9, $10, $11, $12, $13, $14)";
/// SQLite takes statements one after the other instead.
const EACH: &str = "INSERT INTO audit_logs (id, actor_id, action, entity_type, entity_id, metadata, created_at) \
     VALUES ($1, $2, $3, $4, $5, $6, $7); \
     INSERT INTO events (id, kind, entity_type, entity_id, actor_id, payload, occurred_at) \
     VALUES ($8, $9, $10, $11, $12, $13, $14)";

impl SeaTx {
    async fn both(&self, entry: AuditEntry, event: Event) -> Result<()> {
        let values: [Value; 14] = [
            entry.id.0.into(),
            entry.actor.map(|user| user.0).into(),
            entry.action.into(),
            entry.entity.kind.into(),
            entry.entity.id.into(),
            entry.metadata.into(),
            entry.at.into(),
            event.id.0.into(),
            event.kind.into(),
            event.entity.kind.into(),
            event.entity.id.into(),
            event.actor.map(|user| user.0).into(),
            event.payload.into(),
            event.at.into(),
        ];
        let sql = self.engine.pick(EACH, BOTH);
        execute(&self.tx, statement(self.engine, sql, values)).await.map(|_| ())
    }
}
