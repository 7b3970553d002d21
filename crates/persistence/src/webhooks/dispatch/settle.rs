//! How attempts ended.

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    Result,
    clock::Timestamp,
    id::{EndpointId, WebhookMessageId},
    webhooks::{Fault, Finished, Settled},
};
use sea_orm::{ConnectionTrait, Value};
use serde::Serialize;
use serde_json::json;

use crate::{
    bulk::{self, Kind, Table},
    database::Database,
    error,
    statement::{all, at, execute, one, placeholders, statement},
    transaction::Purpose,
};

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

impl Database {
    /// Stores how attempts ended, of messages that are still in the hands of whoever says so; gives the endpoints that fail, and since
    /// when.
    pub(super) async fn settle_messages(
        &self,
        finished: &[Finished],
        now: Timestamp,
    ) -> Result<Vec<(EndpointId, Timestamp)>> {
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
