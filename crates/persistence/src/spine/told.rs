//! What a transaction tells the logs, gathered until it ends: one change then costs one round trip for both logs, and
//! thousands cost a few.

use domain::{Result, audit::AuditEntry, clock::Timestamp, event::Event};
use sea_orm::{Statement, Value};
use serde::Serialize;
use uuid::fmt::Simple;

use crate::{
    bulk::{
        Kind::{Id, Json, Text, Time},
        Table, hex, time,
    },
    engine::Engine,
    statement::statement,
    tx::SeaTx,
};

/// Rows of both logs that are not written yet.
#[derive(Debug, Default)]
pub(crate) struct Told {
    pub(crate) entries: Vec<AuditEntry>,
    pub(crate) events: Vec<Event>,
}

impl SeaTx {
    /// Writes what was told, but for what fits into one statement: that is given back, to go with the commit.
    pub(crate) async fn write_told(&mut self) -> Result<Option<Statement>> {
        let mut entries = std::mem::take(&mut self.told.entries);
        let mut events = std::mem::take(&mut self.told.events);
        if let ([_], [_]) = (entries.as_slice(), events.as_slice())
            && let (Some(entry), Some(event)) = (entries.pop(), events.pop())
        {
            return Ok(Some(both(self.engine, entry, event)));
        }
        let rows: Vec<_> = entries.iter().map(AuditRow::of).collect();
        AUDIT_LOGS.insert(&self.tx, self.engine, &rows, "").await?;
        let rows: Vec<_> = events.iter().map(EventRow::of).collect();
        EVENTS.insert(&self.tx, self.engine, &rows, "").await?;
        Ok(None)
    }
}

const AUDIT_LOGS: Table = Table {
    name: "audit_logs",
    columns: &[
        ("id", Id),
        ("actor_id", Id),
        ("action", Text),
        ("entity_type", Text),
        ("entity_id", Id),
        ("metadata", Json),
        ("created_at", Time),
        ("impersonator_id", Id),
    ],
};

const EVENTS: Table = Table {
    name: "events",
    columns: &[
        ("id", Id),
        ("kind", Text),
        ("entity_type", Text),
        ("entity_id", Id),
        ("actor_id", Id),
        ("payload", Json),
        ("occurred_at", Time),
    ],
};

/// A row of [`AUDIT_LOGS`].
#[derive(Serialize)]
struct AuditRow<'a> {
    id: Simple,
    actor_id: Option<Simple>,
    action: &'a str,
    entity_type: &'a str,
    entity_id: Simple,
    metadata: &'a serde_json::Value,
    #[serde(serialize_with = "time")]
    created_at: Timestamp,
    impersonator_id: Option<Simple>,
}

impl<'a> AuditRow<'a> {
    fn of(entry: &'a AuditEntry) -> Self {
        Self {
            id: hex(entry.id),
            actor_id: entry.actor.map(hex),
            action: &entry.action,
            entity_type: &entry.entity.kind,
            entity_id: hex(entry.entity.id),
            metadata: &entry.metadata,
            created_at: entry.at,
            impersonator_id: entry.impersonator.map(hex),
        }
    }
}

/// A row of [`EVENTS`].
#[derive(Serialize)]
struct EventRow<'a> {
    id: Simple,
    kind: &'a str,
    entity_type: &'a str,
    entity_id: Simple,
    actor_id: Option<Simple>,
    payload: &'a serde_json::Value,
    #[serde(serialize_with = "time")]
    occurred_at: Timestamp,
}

impl<'a> EventRow<'a> {
    fn of(event: &'a Event) -> Self {
        Self {
            id: hex(event.id),
            kind: &event.kind,
            entity_type: &event.entity.kind,
            entity_id: hex(event.entity.id),
            actor_id: event.actor.map(hex),
            payload: &event.payload,
            occurred_at: event.at,
        }
    }
}

/// One row in each log, in one round trip.
const BOTH: &str = "WITH audited AS ( \
     INSERT INTO audit_logs (id, actor_id, action, entity_type, entity_id, metadata, created_at, impersonator_id) \
     VALUES ($1, $2, $3, $4, $5, $6, $7, $15)) \
     INSERT INTO events (id, kind, entity_type, entity_id, actor_id, payload, occurred_at) \
     VALUES ($8, $9, $10, $11, $12, $13, $14)";
/// SQLite takes statements one after the other instead.
const EACH: &str = "INSERT INTO audit_logs (id, actor_id, action, entity_type, entity_id, metadata, created_at, \
     impersonator_id) VALUES ($1, $2, $3, $4, $5, $6, $7, $15); \
     INSERT INTO events (id, kind, entity_type, entity_id, actor_id, payload, occurred_at) \
     VALUES ($8, $9, $10, $11, $12, $13, $14)";

fn both(engine: Engine, entry: AuditEntry, event: Event) -> Statement {
    let values: [Value; 15] = [
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
        entry.impersonator.map(|user| user.0).into(),
    ];
    statement(engine, engine.pick(EACH, BOTH), values)
}
