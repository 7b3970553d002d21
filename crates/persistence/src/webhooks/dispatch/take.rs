//! What is due, and taking it.

use std::collections::BTreeMap;

use domain::{
    Result,
    clock::Timestamp,
    id::{EndpointId, WebhookMessageId},
    webhooks::{
        Rate,
        ports::{Ask, Lane, Signing, Taken},
    },
};
use sea_orm::{ConnectionTrait, QueryResult};
use serde_json::json;
use uuid::Uuid;

use super::super::row::small;
use crate::{
    bulk,
    database::Database,
    engine::Engine,
    error,
    statement::{all, at, count, execute, one, statement},
    transaction::Purpose,
};

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

impl Database {
    /// The endpoints that may be called and have something due.
    pub(super) async fn open_lanes(&self, now: Timestamp) -> Result<Vec<Lane>> {
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

    /// Takes what is due, no more than endpoints bear.
    pub(super) async fn take_messages(&self, asks: &[Ask]) -> Result<Vec<Taken>> {
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
