//! Messages as the dispatcher sees them.
//!
//! On PostgreSQL nodes pass by each other's rows (`SKIP LOCKED`), on SQLite there is one writer. What is due is asked of the readers
//! first, by endpoint, so that an idle dispatcher holds up nobody and the backlog of one endpoint is not walked for another.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use async_trait::async_trait;
use domain::{
    Error, Result,
    clock::Timestamp,
    id::{EndpointId, WebhookMessageId},
    webhooks::{
        Algorithm, Endpoint, Fault, Finished, NewMessage, Rate, Settled,
        ports::{Ask, Depth, Dispatch, Lane, Signing, Taken},
    },
};
use sea_orm::{ConnectionTrait, QueryResult, Value};
use serde::Serialize;
use serde_json::json;
use uuid::Uuid;

use super::row::{ENDPOINT, endpoint, small};
use crate::{
    bulk::{self, Kind, Table},
    database::Database,
    engine::Engine,
    error,
    statement::{all, at, count, execute, one, placeholders, statement},
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

const LANES: &str = "SELECT e.id, e.url, e.per_minute, e.circuit_until, \
    (SELECT max(s.number) FROM webhook_secrets s WHERE s.endpoint_id = e.id), \
    (SELECT count(*) FROM webhook_secrets s WHERE s.endpoint_id = e.id AND (s.expires_at IS NULL OR s.expires_at > $1)) \
    FROM webhook_endpoints e WHERE e.off_reason IS NULL \
    AND (e.circuit_until IS NULL OR e.circuit_until <= $1) AND (e.rested_until IS NULL OR e.rested_until <= $1) \
    AND EXISTS (SELECT 1 FROM webhook_messages m WHERE m.endpoint_id = e.id AND m.state = 'waiting' AND m.next_attempt_at <= $1) \
    ORDER BY e.id";

/// The first of each thing that is not at its end, and all that are of none.
const DUE: &str = "SELECT m.id FROM webhook_messages m WHERE m.endpoint_id = $1 AND m.state = 'waiting' AND m.next_attempt_at <= $2 \
    AND (m.order_key IS NULL OR NOT EXISTS (SELECT 1 FROM webhook_messages o WHERE o.endpoint_id = m.endpoint_id \
    AND o.order_key = m.order_key AND o.finished_at IS NULL AND o.seq < m.seq)) ORDER BY m.next_attempt_at, m.seq LIMIT $3";

/// What takes messages, and what is told of them.
const SENDING: &str = "UPDATE webhook_messages SET state = 'sending', fence = fence + 1, lease_until = $4 WHERE id";
const TAKEN: &str = "RETURNING id, endpoint_id, fence, attempts, place, order_key, body, created_at";

/// Messages that are still in the hands of whoever says so, as `$1`.
const HELD_SQLITE: &str = "state = 'sending' AND (id, fence) IN \
    (SELECT unhex(value ->> 'message'), value ->> 'fence' FROM jsonb_each($1))";
const HELD_POSTGRES: &str = "state = 'sending' AND (id, fence) IN \
    (SELECT message, fence FROM jsonb_to_recordset($1::jsonb) AS row (message uuid, fence bigint))";

const ENDED_SQLITE: &str = "(SELECT unhex(value ->> 'message') AS message, value ->> 'told' AS told, value ->> 'becomes' AS becomes, \
    value ->> 'why' AS why, value ->> 'due' AS due, value ->> 'ended' AS ended, value ->> 'step' AS step FROM jsonb_each($1)) AS done";
const ENDED_POSTGRES: &str = "jsonb_to_recordset($1::jsonb) AS done (message uuid, told bigint, becomes text, why text, \
    due timestamptz, ended timestamptz, step bigint)";

/// What comes after a message of the same thing waits as long as it does.
const BEHIND: &str = "UPDATE webhook_messages SET next_attempt_at = $2 WHERE state = 'waiting' AND next_attempt_at < $2 \
    AND endpoint_id = $3 AND order_key = (SELECT order_key FROM webhook_messages WHERE id = $1) \
    AND seq > (SELECT seq FROM webhook_messages WHERE id = $1)";

const ATTEMPTS: Table = Table {
    name: "webhook_attempts",
    columns: &[
        ("message_id", Kind::Id),
        ("number", Kind::Number),
        ("endpoint_id", Kind::Id),
        ("began_at", Kind::Time),
        ("millis", Kind::Number),
        ("status", Kind::Number),
        ("fault", Kind::Text),
        ("body", Kind::Text),
    ],
};

#[derive(Serialize)]
struct AttemptRow<'a> {
    message_id: uuid::fmt::Simple,
    number: u32,
    endpoint_id: uuid::fmt::Simple,
    #[serde(serialize_with = "bulk::time")]
    began_at: Timestamp,
    millis: u64,
    status: Option<u16>,
    fault: Option<&'static str>,
    body: &'a str,
}

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
    /// Messages as the dispatcher sees them.
    pub fn webhook_dispatch(&self) -> Arc<dyn Dispatch> {
        Arc::new(self.clone())
    }

    /// Takes what is due; on PostgreSQL by one statement for all endpoints, on SQLite, where a statement is no journey, by one for
    /// each.
    async fn take_due(&self, tx: &impl ConnectionTrait, asks: &[Ask]) -> Result<Vec<Taken>> {
        let rows = match (self.engine, asks) {
            (_, []) => Vec::new(),
            (Engine::Sqlite, asks) => {
                let mut rows = Vec::new();
                for ask in asks {
                    let sql = format!("{SENDING} IN ({DUE}) {TAKEN}");
                    let values = [ask.endpoint.0.into(), ask.now.into(), i64::from(ask.most).into(), ask.until.into()];
                    rows.extend(all(tx, statement(self.engine, sql, values)).await?);
                }
                rows
            }
            (Engine::Postgres, [first, ..]) => {
                let json = asks.iter().map(|ask| json!({ "endpoint": bulk::hex(ask.endpoint), "most": ask.most }));
                let due = DUE.replace("$1", "ask.endpoint").replace("$3", "ask.most");
                let sql = format!(
                    "WITH picked AS MATERIALIZED (SELECT due.id FROM jsonb_to_recordset($1::jsonb) AS ask (endpoint uuid, most bigint) \
                     CROSS JOIN LATERAL ({due} FOR UPDATE OF m SKIP LOCKED) AS due) {SENDING} IN (SELECT id FROM picked) {TAKEN}"
                );
                let json = bulk::json(&json.collect::<Vec<_>>())?;
                all(tx, statement(self.engine, sql.replace("$4", "$3"), [json, first.now.into(), first.until.into()]))
                    .await?
            }
        };
        rows.iter().map(taken).collect()
    }

    /// Which of these that are well were said to fail: mostly none.
    async fn failing_of(
        &self,
        tx: &impl ConnectionTrait,
        well: &BTreeMap<EndpointId, bool>,
    ) -> Result<BTreeSet<EndpointId>> {
        let well: Vec<Value> = well.iter().filter(|(_, well)| **well).map(|(id, _)| id.0.into()).collect();
        if well.is_empty() {
            return Ok(BTreeSet::new());
        }
        let ids = placeholders(1, well.len());
        let sql = format!("SELECT id FROM webhook_endpoints WHERE failing_since IS NOT NULL AND id IN ({ids})");
        let rows = all(tx, statement(self.engine, sql, well)).await?;
        rows.iter().map(|row| Ok(EndpointId(at(row, 0)?))).collect()
    }

    fn in_hands(&self) -> &'static str {
        self.engine.pick(HELD_SQLITE, HELD_POSTGRES)
    }
}

fn held(held: &[(WebhookMessageId, u64)]) -> Result<Value> {
    let held: Vec<_> = held.iter().map(|(id, fence)| json!({ "message": bulk::hex(*id), "fence": fence })).collect();
    bulk::json(&held)
}

fn moment(at: Timestamp) -> String {
    at.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, false)
}

/// What a message becomes, as the statement wants it.
fn ended(one: &Finished, now: Timestamp) -> serde_json::Value {
    let (becomes, why, due, ended, step) = match one.settled {
        Settled::Delivered => ("delivered", None, None, Some(moment(now)), 0),
        Settled::GivenUp(cause) => ("failed", Some(cause.name()), None, Some(moment(now)), 0),
        Settled::Again(at) => ("waiting", None, Some(moment(at)), None, 1),
    };
    json!({
        "message": bulk::hex(one.message), "told": one.fence, "becomes": becomes, "why": why, "due": due,
        "ended": ended, "step": step,
    })
}

fn taken(row: &QueryResult) -> Result<Taken> {
    Ok(Taken {
        id: WebhookMessageId(at(row, 0)?),
        endpoint: EndpointId(at(row, 1)?),
        fence: count(row, 2)?,
        attempts: small(row, 3)?,
        place: small(row, 4)?,
        ordered: at::<Option<Uuid>>(row, 5)?.is_some(),
        body: at(row, 6)?,
        created_at: at(row, 7)?,
    })
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

    async fn lanes(&self, now: Timestamp) -> Result<Vec<Lane>> {
        let rows = all(&self.reader, statement(self.engine, LANES, [now.into()])).await?;
        let lane = |row: &QueryResult| {
            Ok(Lane {
                endpoint: EndpointId(at(row, 0)?),
                url: at(row, 1)?,
                per_minute: at::<Option<i64>>(row, 2)?.and_then(|calls| u32::try_from(calls).ok()),
                careful: at::<Option<Timestamp>>(row, 3)?.is_some(),
                signing: Signing {
                    newest: at::<Option<i64>>(row, 4)?
                        .and_then(|newest| u32::try_from(newest).ok())
                        .unwrap_or_default(),
                    many: small(row, 5)?,
                },
            })
        };
        rows.iter().map(lane).collect()
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
        if asks.is_empty() {
            return Ok(Vec::new());
        }
        let tx = self.writer.begin(Purpose::Write).await.map_err(error::of)?;
        // What was spent lies with the endpoint, whose row is held meanwhile: so the rate holds over all nodes.
        let (mut allowed, mut spending) = (asks.to_vec(), BTreeMap::new());
        let hold = self.engine.pick("", "FOR UPDATE");
        // In one order, so that two nodes cannot wait for each other.
        allowed.sort_unstable_by_key(|ask| ask.endpoint);
        for ask in &mut allowed {
            let Some(rate) = ask.per_minute.map(Rate::per_minute) else { continue };
            let spent = format!("SELECT spent_until FROM webhook_endpoints WHERE id = $1 {hold}");
            let spent = one(&tx, statement(self.engine, spent, [ask.endpoint.0.into()])).await?;
            let spent: Option<Timestamp> = spent.map_or(Ok(None), |row| at(&row, 0))?;
            ask.most = ask.most.min(rate.allowed(spent, ask.now));
            spending.insert(ask.endpoint, (rate, spent, ask.now));
        }
        allowed.retain(|ask| ask.most > 0);
        let found = self.take_due(&tx, &allowed).await?;
        for (endpoint, (rate, spent, now)) in spending {
            let calls = found.iter().filter(|one| one.endpoint == endpoint).count();
            let calls = u32::try_from(calls).unwrap_or(u32::MAX);
            if calls > 0 {
                let sql = "UPDATE webhook_endpoints SET spent_until = $2 WHERE id = $1";
                let spent = rate.spend(spent, now, calls);
                execute(&tx, statement(self.engine, sql, [endpoint.0.into(), spent.into()])).await?;
            }
        }
        tx.commit().await.map_err(error::of)?;
        Ok(found)
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
        if finished.is_empty() {
            return Ok(Vec::new());
        }
        let tx = self.writer.begin(Purpose::Write).await.map_err(error::of)?;
        let from = self.engine.pick(ENDED_SQLITE, ENDED_POSTGRES);
        let sql = format!(
            "UPDATE webhook_messages SET state = done.becomes, cause = done.why, attempts = attempts + 1, place = place + done.step, \
             next_attempt_at = done.due, finished_at = done.ended, lease_until = NULL FROM {from} \
             WHERE id = done.message AND fence = done.told AND state = 'sending' RETURNING id"
        );
        let mut own = BTreeSet::new();
        for finished in finished.chunks(bulk::ROWS) {
            let rows: Vec<_> = finished.iter().map(|one| ended(one, now)).collect();
            for row in all(&tx, statement(self.engine, sql.as_str(), [bulk::json(&rows)?])).await? {
                own.insert(WebhookMessageId(at(&row, 0)?));
            }
        }
        let mut well: BTreeMap<EndpointId, bool> = BTreeMap::new();
        let mut attempts = Vec::with_capacity(own.len());
        for one in finished.iter().filter(|one| own.contains(&one.message)) {
            let noted = well.entry(one.endpoint).or_default();
            *noted |= one.settled == Settled::Delivered;
            let attempt = &one.attempt;
            attempts.push(AttemptRow {
                message_id: bulk::hex(one.message),
                number: attempt.number,
                endpoint_id: bulk::hex(one.endpoint),
                began_at: attempt.at,
                millis: attempt.millis,
                status: attempt.status,
                fault: attempt.fault.map(Fault::name),
                body: &attempt.body,
            });
            if let Settled::Again(due) = one.settled
                && one.ordered
            {
                let values = [one.message.0.into(), due.into(), one.endpoint.0.into()];
                execute(&tx, statement(self.engine, BEHIND, values)).await?;
            }
        }
        ATTEMPTS.insert(&tx, self.engine, &attempts, "ON CONFLICT DO NOTHING").await?;
        let failed = self.failing_of(&tx, &well).await?;
        let mut failing = Vec::new();
        // In one order, so that two nodes cannot wait for each other.
        for (id, well) in well {
            if well {
                if failed.contains(&id) {
                    let sql = "UPDATE webhook_endpoints SET failing_since = NULL WHERE id = $1";
                    execute(&tx, statement(self.engine, sql, [id.0.into()])).await?;
                }
                continue;
            }
            let sql = "UPDATE webhook_endpoints SET failing_since = coalesce(failing_since, $2) WHERE id = $1 RETURNING failing_since";
            if let Some(row) = one(&tx, statement(self.engine, sql, [id.0.into(), now.into()])).await? {
                failing.push((id, at(&row, 0)?));
            }
        }
        tx.commit().await.map_err(error::of)?;
        Ok(failing)
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
