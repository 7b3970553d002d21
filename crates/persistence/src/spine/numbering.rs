//! The relay's transaction: pending events in, numbers and links out, with a handful of statements for any number of rows.

use async_trait::async_trait;
use domain::{
    Error, Result,
    audit::Mark,
    id::EventId,
    relay::{Batch, Entry, Opened, Pending, Plan, Position},
    secrets::hex,
};
use sea_orm::Value;
use serde_json::json;
use uuid::Uuid;

use super::rows::{self, ENTRY_WIDTH, WIDTH};
use crate::{
    error,
    statement::{all, at, count, execute, one, statement},
    tx::SeaTx,
};

struct Numbering {
    tx: SeaTx,
    position: Position,
    pending: Vec<Pending>,
}

impl SeaTx {
    /// Turns a transaction that holds the lease into a batch.
    pub(super) async fn numbering(self, limit: u32) -> Result<Opened> {
        let position = self.position().await?;
        let pending = self.pending(limit).await?;
        if pending.is_empty() {
            return Ok(Opened::Idle);
        }
        Ok(Opened::Batch(Box::new(Numbering { tx: self, position, pending })))
    }

    async fn position(&self) -> Result<Position> {
        let sql = "SELECT c.last_seq, m.seq, m.hash, m.seal FROM event_cursor c \
                   LEFT JOIN audit_marks m ON m.name = 'head' WHERE c.id = 1";
        let row = one(&self.tx, statement(self.engine, sql, [])).await?;
        let row = row.ok_or_else(|| Error::internal("the row of event_cursor is gone"))?;
        let head = match at::<Option<i64>>(&row, 1)? {
            None => None,
            Some(_) => Some(Mark { seq: count(&row, 1)?, hash: rows::hash(&row, 2), seal: rows::hash(&row, 3) }),
        };
        Ok(Position { last_seq: count(&row, 0)?, head })
    }

    async fn pending(&self, limit: u32) -> Result<Vec<Pending>> {
        let sql = format!(
            "SELECT {}, {}, c.seq FROM events e LEFT JOIN audit_logs a ON a.id = e.id \
             LEFT JOIN audit_chain c ON c.audit_id = e.id \
             WHERE e.seq IS NULL AND e.failure IS NULL ORDER BY {} LIMIT $1",
            rows::event_columns(self.engine),
            rows::entry_columns(self.engine),
            // As they were written: whoever changes one thing after somebody else writes the event of it later, too.
            self.engine.pick("e.rowid", "e.arrival NULLS FIRST, e.id")
        );
        let found = all(&self.tx, statement(self.engine, sql, [i64::from(limit).into()])).await?;
        let pending = found.iter().map(|row| {
            let entry = if at::<Option<i64>>(row, WIDTH + ENTRY_WIDTH)?.is_some() {
                Entry::Linked
            } else if at::<Option<Uuid>>(row, WIDTH)?.is_none() {
                Entry::Missing
            } else {
                rows::entry(row, WIDTH).map_or_else(Entry::Unreadable, Entry::Waiting)
            };
            Ok(Pending { id: EventId(at(row, 0)?), event: rows::event(row, 0), entry })
        });
        pending.collect()
    }

    /// Runs a statement whose `$1` is a list of rows as JSON: one text for any number of rows, so that it is prepared once.
    async fn bulk(&self, sqlite: &str, postgres: &str, rows: Vec<serde_json::Value>) -> Result<u64> {
        if rows.is_empty() {
            return Ok(0);
        }
        let rows = Value::Json(Some(Box::new(serde_json::Value::Array(rows))));
        execute(&self.tx, statement(self.engine, self.engine.pick(sqlite, postgres), [rows])).await
    }
}

#[async_trait]
impl Batch for Numbering {
    fn position(&self) -> Position {
        self.position
    }

    fn pending(&self) -> &[Pending] {
        &self.pending
    }

    async fn commit(self: Box<Self>, plan: &Plan) -> Result<()> {
        let mut tx = self.tx;
        let enqueued = tx.enqueued();
        let numbers = plan.numbered.iter().map(|(id, seq)| json!({ "id": id.0.simple().to_string(), "seq": seq }));
        tx.bulk(
            "UPDATE events SET seq = row.value ->> 'seq' FROM json_each($1) AS row \
             WHERE events.id = unhex(row.value ->> 'id')",
            "UPDATE events SET seq = row.seq FROM jsonb_to_recordset($1) AS row (id uuid, seq bigint) \
             WHERE events.id = row.id",
            numbers.collect(),
        )
        .await?;
        let failed = plan.failed.iter().map(|(id, reason)| json!({ "id": id.0.simple().to_string(), "why": reason }));
        tx.bulk(
            "UPDATE events SET failure = row.value ->> 'why' FROM json_each($1) AS row \
             WHERE events.id = unhex(row.value ->> 'id')",
            "UPDATE events SET failure = row.why FROM jsonb_to_recordset($1) AS row (id uuid, why text) \
             WHERE events.id = row.id",
            failed.collect(),
        )
        .await?;
        let links = plan
            .links
            .iter()
            .map(|link| json!({ "seq": link.seq, "id": link.audit.0.simple().to_string(), "hash": hex(&link.hash) }));
        tx.bulk(
            "INSERT INTO audit_chain (seq, audit_id, hash) SELECT row.value ->> 'seq', unhex(row.value ->> 'id'), \
             unhex(row.value ->> 'hash') FROM json_each($1) AS row",
            "INSERT INTO audit_chain (seq, audit_id, hash) SELECT seq, id, decode(hash, 'hex') \
             FROM jsonb_to_recordset($1) AS row (seq bigint, id uuid, hash text)",
            links.collect(),
        )
        .await?;
        if let Some(head) = &plan.head {
            let sql = "INSERT INTO audit_marks (name, seq, hash, seal) VALUES ('head', $1, $2, $3) \
                       ON CONFLICT (name) DO UPDATE SET seq = excluded.seq, hash = excluded.hash, seal = excluded.seal";
            let seq = i64::try_from(head.seq).map_err(Error::internal)?;
            let values = [seq.into(), head.hash.to_vec().into(), head.seal.to_vec().into()];
            execute(&tx.tx, statement(tx.engine, sql, values)).await?;
        }
        tx.enqueue_all(&plan.jobs).await?;
        let last = i64::try_from(plan.last_seq).map_err(Error::internal)?;
        execute(&tx.tx, statement(tx.engine, "UPDATE event_cursor SET last_seq = $1 WHERE id = 1", [last.into()]))
            .await?;
        let wakes = !plan.jobs.is_empty();
        tx.tx.commit().await.map_err(error::of)?;
        if wakes {
            enqueued.notify_one();
        }
        Ok(())
    }
}
