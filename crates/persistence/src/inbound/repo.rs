//! Webhooks that came in, write side.

use async_trait::async_trait;
use domain::{
    Error, Result,
    id::HookEventId,
    inbound::{HookEvent, HookState, ports::HookRepo},
};
use uuid::Uuid;

use super::row::{FROM, columns, report};
use crate::{
    statement::{at, execute, one, statement},
    tx::SeaTx,
};

const INSERT: &str = "INSERT INTO hook_events (id, source, known_by, event, kind, occurred_at, received_at, headers, size, body, state, \
    outcome, user_id, job_id, handled_at, replays) \
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16) ON CONFLICT DO NOTHING";
const UPDATE: &str = "UPDATE hook_events SET state = $2, outcome = $3, user_id = $4, job_id = $5, handled_at = $6, replays = $7, \
    body = CASE WHEN $8 THEN body END WHERE id = $1";

/// What is stored of where an event stands: that it failed, its job says.
fn state(event: &HookEvent) -> &'static str {
    if event.state == HookState::Failed { HookState::Waiting.name() } else { event.state.name() }
}

#[async_trait]
impl HookRepo for SeaTx {
    async fn insert(&mut self, event: &HookEvent) -> Result<bool> {
        let values = [
            event.id.0.into(),
            event.source.as_str().into(),
            event.key.as_str().into(),
            event.event.clone().into(),
            event.kind.clone().into(),
            event.occurred_at.into(),
            event.received_at.into(),
            serde_json::to_string(&event.headers).map_err(Error::internal)?.into(),
            i64::try_from(event.size).map_err(Error::internal)?.into(),
            event.body.clone().into(),
            state(event).into(),
            event.outcome.clone().into(),
            event.user.map(|user| user.0).into(),
            event.job.0.into(),
            event.handled_at.into(),
            i64::from(event.replays).into(),
        ];
        Ok(execute(&self.tx, statement(self.engine, INSERT, values)).await? == 1)
    }

    async fn known(&mut self, source: &str, key: &str) -> Result<Option<HookEventId>> {
        let sql = "SELECT id FROM hook_events WHERE source = $1 AND known_by = $2";
        let row = one(&self.tx, statement(self.engine, sql, [source.into(), key.into()])).await?;
        row.map(|row| at::<Uuid>(&row, 0).map(HookEventId)).transpose()
    }

    async fn find(&mut self, id: HookEventId) -> Result<Option<HookEvent>> {
        // SQLite has one writer.
        let lock = self.engine.pick("", "FOR UPDATE OF h");
        let sql = format!("SELECT {} FROM {FROM} WHERE h.id = $1 {lock}", columns("h.body"));
        let row = one(&self.tx, statement(self.engine, sql, [id.0.into()])).await?;
        row.map(|row| report(&row, 0).map(|report| report.event)).transpose()
    }

    async fn update(&mut self, event: &HookEvent) -> Result<()> {
        let values = [
            event.id.0.into(),
            state(event).into(),
            event.outcome.clone().into(),
            event.user.map(|user| user.0).into(),
            event.job.0.into(),
            event.handled_at.into(),
            i64::from(event.replays).into(),
            event.body.is_some().into(),
        ];
        execute(&self.tx, statement(self.engine, UPDATE, values)).await.map(|_| ())
    }
}
