//! Events of the log as messages for endpoints.

use domain::{Error, Result, clock::Timestamp, webhooks::NewMessage};
use sea_orm::Value;
use serde::Serialize;

use crate::{
    bulk,
    database::Database,
    error,
    statement::{execute, statement},
    transaction::Purpose,
};

const STORED: &str =
    "id, endpoint_id, event_id, seq, kind, order_key, body, state, attempts, place, next_attempt_at, fence, created_at";
const FANNED_SQLITE: &str = "SELECT unhex(row.value ->> 'id'), e.id, unhex(row.value ->> 'event'), row.value ->> 'seq', \
    row.value ->> 'kind', unhex(row.value ->> 'key'), row.value ->> 'body', 'waiting', 0, 0, row.value ->> 'at', 0, row.value ->> 'at' \
    FROM jsonb_each($1) AS row CROSS JOIN webhook_endpoints e ON e.id = unhex(row.value ->> 'endpoint') WHERE e.off_reason IS NULL";
const FANNED_POSTGRES: &str = "SELECT row.id, e.id, row.event, row.seq, row.kind, row.key, row.body, 'waiting', 0, 0, row.at, 0, row.at \
    FROM jsonb_to_recordset($1::jsonb) AS row (id uuid, endpoint uuid, event uuid, seq bigint, kind text, key uuid, body text, \
    at timestamptz) JOIN webhook_endpoints e ON e.id = row.endpoint WHERE e.off_reason IS NULL";

#[derive(Serialize)]
struct MessageRow<'a> {
    id: uuid::fmt::Simple,
    endpoint: uuid::fmt::Simple,
    event: Option<uuid::fmt::Simple>,
    seq: u64,
    kind: &'static str,
    key: Option<uuid::fmt::Simple>,
    body: &'a str,
    #[serde(serialize_with = "bulk::time")]
    at: Timestamp,
}

impl<'a> MessageRow<'a> {
    fn of(one: &'a NewMessage) -> Self {
        Self {
            id: bulk::hex(one.id),
            endpoint: bulk::hex(one.endpoint),
            event: one.event.map(bulk::hex),
            seq: one.seq,
            kind: one.kind.name(),
            key: one.key.map(bulk::hex),
            body: &one.body,
            at: one.created_at,
        }
    }
}

impl Database {
    /// Makes messages and moves the cursor, unless somebody else has moved it.
    pub(super) async fn tell_endpoints(&self, from: u64, to: u64, messages: &[NewMessage]) -> Result<bool> {
        let place = |seq: u64| i64::try_from(seq).map(Value::from).map_err(Error::internal);
        let tx = self.writer.begin(Purpose::Write).await.map_err(error::of)?;
        let sql = "UPDATE webhook_cursor SET seq = $2 WHERE seq = $1";
        if execute(&tx, statement(self.engine, sql, [place(from)?, place(to)?])).await? == 0 {
            tx.rollback().await.map_err(error::of)?;
            return Ok(false);
        }
        let sql =
            format!("INSERT INTO webhook_messages ({STORED}) {}", self.engine.pick(FANNED_SQLITE, FANNED_POSTGRES));
        for messages in messages.chunks(bulk::ROWS) {
            let rows: Vec<_> = messages.iter().map(MessageRow::of).collect();
            execute(&tx, statement(self.engine, sql.as_str(), [bulk::json(&rows)?])).await?;
        }
        tx.commit().await.map_err(error::of)?;
        Ok(true)
    }
}
