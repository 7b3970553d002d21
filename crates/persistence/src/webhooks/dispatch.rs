//! Messages as the dispatcher sees them.
//!
//! On PostgreSQL nodes pass by each other's rows (`SKIP LOCKED`), on SQLite there is one writer. What is due is asked of the readers
//! first, by endpoint, so that an idle dispatcher holds up nobody and the backlog of one endpoint is not walked for another.

mod fan_out;
mod settle;
mod take;

use std::sync::Arc;

use async_trait::async_trait;
use domain::{
    Error, Result,
    clock::Timestamp,
    id::{EndpointId, WebhookMessageId},
    webhooks::{
        Algorithm, Endpoint, Finished, NewMessage,
        ports::{Ask, Depth, Dispatch, Lane, Taken},
    },
};
use sea_orm::{QueryResult, Value};
use serde_json::json;

use super::row::{ENDPOINT, endpoint};
use crate::{
    bulk,
    database::Database,
    statement::{all, at, count, execute, one, statement},
};

/// Messages that are still in the hands of whoever says so, as `$1`.
const HELD_SQLITE: &str = "state = 'sending' AND (id, fence) IN \
    (SELECT unhex(value ->> 'message'), value ->> 'fence' FROM jsonb_each($1))";
const HELD_POSTGRES: &str = "state = 'sending' AND (id, fence) IN \
    (SELECT message, fence FROM jsonb_to_recordset($1::jsonb) AS row (message uuid, fence bigint))";

impl Database {
    /// Messages as the dispatcher sees them.
    pub fn webhook_dispatch(&self) -> Arc<dyn Dispatch> {
        Arc::new(self.clone())
    }

    fn in_hands(&self) -> &'static str {
        self.engine.pick(HELD_SQLITE, HELD_POSTGRES)
    }
}

fn held(held: &[(WebhookMessageId, u64)]) -> Result<Value> {
    let held: Vec<_> = held.iter().map(|(id, fence)| json!({ "message": bulk::hex(*id), "fence": fence })).collect();
    bulk::json(&held)
}

#[async_trait]
impl Dispatch for Database {
    async fn cursor(&self) -> Result<u64> {
        let row = one(&self.reader, statement(self.engine, "SELECT seq FROM webhook_cursor", [])).await?;
        row.map_or(Err(Error::internal("the cursor of webhooks is gone")), |row| count(&row, 0))
    }

    async fn listeners(&self) -> Result<Vec<Endpoint>> {
        let sql = format!("SELECT {ENDPOINT} FROM webhook_endpoints WHERE off_reason IS NULL ORDER BY id");
        all(&self.reader, statement(self.engine, sql, [])).await?.iter().map(|row| endpoint(row, 0)).collect()
    }

    async fn fan_out(&self, from: u64, to: u64, messages: &[NewMessage]) -> Result<bool> {
        self.tell_endpoints(from, to, messages).await
    }

    async fn lanes(&self, now: Timestamp) -> Result<Vec<Lane>> {
        self.open_lanes(now).await
    }

    async fn signing(&self, endpoint: EndpointId, now: Timestamp) -> Result<Vec<(Algorithm, Vec<u8>)>> {
        let sql = "SELECT algorithm, sealed FROM webhook_secrets WHERE endpoint_id = $1 \
                   AND (expires_at IS NULL OR expires_at > $2) ORDER BY number DESC";
        let rows = all(&self.reader, statement(self.engine, sql, [endpoint.0.into(), now.into()])).await?;
        let secret = |row: &QueryResult| {
            let algorithm: String = at(row, 0)?;
            let known = Algorithm::named(&algorithm);
            Ok((known.ok_or_else(|| Error::internal(format!("a secret signs by {algorithm:?}")))?, at(row, 1)?))
        };
        rows.iter().map(secret).collect()
    }

    async fn take(&self, asks: &[Ask]) -> Result<Vec<Taken>> {
        self.take_messages(asks).await
    }

    async fn extend(&self, hands: &[(WebhookMessageId, u64)], until: Timestamp) -> Result<()> {
        if hands.is_empty() {
            return Ok(());
        }
        let sql = format!("UPDATE webhook_messages SET lease_until = $2 WHERE {}", self.in_hands());
        execute(&self.writer, statement(self.engine, sql, [held(hands)?, until.into()])).await.map(|_| ())
    }

    async fn take_back(&self, now: Timestamp) -> Result<u64> {
        let any = "SELECT 1 FROM webhook_messages WHERE state = 'sending' AND lease_until <= $1 LIMIT 1";
        if one(&self.reader, statement(self.engine, any, [now.into()])).await?.is_none() {
            return Ok(0);
        }
        let sql = "UPDATE webhook_messages SET state = 'waiting', next_attempt_at = $1, lease_until = NULL \
                   WHERE state = 'sending' AND lease_until <= $1";
        execute(&self.writer, statement(self.engine, sql, [now.into()])).await
    }

    async fn release(&self, hands: &[(WebhookMessageId, u64)]) -> Result<()> {
        if hands.is_empty() {
            return Ok(());
        }
        let sql =
            format!("UPDATE webhook_messages SET state = 'waiting', lease_until = NULL WHERE {}", self.in_hands());
        execute(&self.writer, statement(self.engine, sql, [held(hands)?])).await.map(|_| ())
    }

    async fn settle(&self, finished: &[Finished], now: Timestamp) -> Result<Vec<(EndpointId, Timestamp)>> {
        self.settle_messages(finished, now).await
    }

    async fn rest(&self, endpoint: EndpointId, until: Timestamp) -> Result<()> {
        let sql = "UPDATE webhook_endpoints SET rested_until = $2 WHERE id = $1";
        execute(&self.writer, statement(self.engine, sql, [endpoint.0.into(), until.into()])).await.map(|_| ())
    }

    async fn circuit(&self, endpoint: EndpointId, until: Option<Timestamp>) -> Result<()> {
        let sql = "UPDATE webhook_endpoints SET circuit_until = $2 WHERE id = $1";
        execute(&self.writer, statement(self.engine, sql, [endpoint.0.into(), until.into()])).await.map(|_| ())
    }

    async fn depth(&self, late: Timestamp) -> Result<Depth> {
        let sql = "SELECT (SELECT count(*) FROM webhook_messages WHERE state = 'waiting') \
                   + (SELECT count(*) FROM webhook_messages WHERE state = 'sending'), \
                   (SELECT count(*) FROM webhook_messages WHERE state = 'waiting' AND next_attempt_at <= $1), \
                   (SELECT count(*) FROM webhook_endpoints WHERE circuit_until IS NOT NULL AND off_reason IS NULL)";
        let row = one(&self.reader, statement(self.engine, sql, [late.into()])).await?;
        row.map_or_else(
            || Ok(Depth::default()),
            |row| Ok(Depth { open: count(&row, 0)?, late: count(&row, 1)?, circuits: count(&row, 2)? }),
        )
    }

    async fn purge(&self, before: Timestamp, limit: u32) -> Result<u64> {
        // Ids sort by the time they were made: the oldest rows come first in the key, so that none is needed for the time.
        let millis = u64::try_from(before.timestamp_millis()).unwrap_or_default();
        let newest = uuid::Builder::from_unix_timestamp_millis(millis + 1, &[0xff; 10]).into_uuid();
        let sql = "DELETE FROM webhook_messages WHERE id IN (SELECT id FROM webhook_messages WHERE id < $1 \
                   AND created_at < $2 AND finished_at IS NOT NULL ORDER BY id LIMIT $3)";
        let values = [newest.into(), before.into(), i64::from(limit).into()];
        execute(&self.writer, statement(self.engine, sql, values)).await
    }
}
