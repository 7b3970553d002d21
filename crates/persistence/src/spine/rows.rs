//! Rows of the logs, read one by one, so that one that does not decode spoils no other.

use domain::{
    Result,
    audit::AuditEntry,
    clock::Timestamp,
    event::{Entity, Event},
    id::{AuditId, EventId, UserId},
};
use sea_orm::QueryResult;
use uuid::Uuid;

use crate::{engine::Engine, statement::at};

/// The columns of an event under the alias `e`, as [`event`] reads them.
pub(super) fn event_columns(engine: Engine) -> String {
    columns(engine, "e", "kind", "payload", "occurred_at")
}

/// The columns of an audit entry under the alias `a`, as [`entry`] reads them.
pub(super) fn entry_columns(engine: Engine) -> String {
    columns(engine, "a", "action", "metadata", "created_at") + ", a.impersonator_id"
}

/// How many columns an event has.
pub(super) const WIDTH: usize = 7;
/// How many an entry has.
pub(super) const ENTRY_WIDTH: usize = WIDTH + 1;

fn columns(engine: Engine, alias: &str, name: &str, json: &str, time: &str) -> String {
    let text = engine.pick("", "::text");
    ["id", name, "entity_type", "entity_id", "actor_id", &format!("{json}{text}"), time]
        .map(|column| format!("{alias}.{column}"))
        .join(", ")
}

/// The event whose columns begin at `first`.
pub(super) fn event(row: &QueryResult, first: usize) -> Result<Event, String> {
    let told = told(row, first)?;
    Ok(Event {
        id: EventId(told.id),
        kind: told.name,
        entity: told.entity,
        actor: told.actor,
        at: told.at,
        payload: told.json,
    })
}

/// The audit entry whose columns begin at `first`.
pub(super) fn entry(row: &QueryResult, first: usize) -> Result<AuditEntry, String> {
    let told = told(row, first)?;
    Ok(AuditEntry {
        id: AuditId(told.id),
        actor: told.actor,
        impersonator: column::<Option<Uuid>>(row, first + WIDTH)?.map(UserId),
        action: told.name,
        entity: told.entity,
        metadata: told.json,
        at: told.at,
    })
}

/// What events and audit entries have in common.
struct Told {
    id: Uuid,
    name: String,
    entity: Entity,
    actor: Option<UserId>,
    json: serde_json::Value,
    at: Timestamp,
}

fn told(row: &QueryResult, first: usize) -> Result<Told, String> {
    let text: String = column(row, first + 5)?;
    Ok(Told {
        id: column(row, first)?,
        name: column(row, first + 1)?,
        entity: Entity { kind: column(row, first + 2)?, id: column(row, first + 3)? },
        actor: column::<Option<Uuid>>(row, first + 4)?.map(UserId),
        json: serde_json::from_str(&text).map_err(|error| error.to_string())?,
        at: column(row, first + 6)?,
    })
}

/// A column, or why it does not decode; the text goes to operators.
fn column<T: sea_orm::TryGetable>(row: &QueryResult, index: usize) -> Result<T, String> {
    row.try_get_by_index(index).map_err(|error| error.to_string())
}

/// A hash; zeros, which nothing matches, when it has another length or type.
pub(super) fn hash(row: &QueryResult, index: usize) -> [u8; 32] {
    let bytes: Vec<u8> = at(row, index).unwrap_or_default();
    bytes.try_into().unwrap_or_default()
}
