//! Removing what is older than it is kept.

use std::sync::Arc;

use async_trait::async_trait;
use domain::{
    Error, Result, Tx,
    audit::{AuditPurge, Mark},
    clock::Timestamp,
    event::Trace,
    retention::LogPurge,
};

use crate::{
    database::Database,
    statement::{all, at, execute, statement},
};

impl Database {
    /// The purge of events and idempotency keys.
    pub fn log_purge(&self) -> Arc<dyn LogPurge> {
        Arc::new(self.clone())
    }

    /// The purge of the audit log.
    pub fn audit_purge(&self) -> Arc<dyn AuditPurge> {
        Arc::new(self.clone())
    }
}

#[async_trait]
impl LogPurge for Database {
    async fn events(&self, before: Timestamp, limit: u32) -> Result<u64> {
        let sql = "SELECT seq, occurred_at FROM events WHERE seq IS NOT NULL ORDER BY seq LIMIT $1";
        let lowest = all(&self.reader, statement(self.engine, sql, [i64::from(limit).into()])).await?;
        let mut last: Option<i64> = None;
        for row in &lowest {
            if at::<Timestamp>(row, 1)? >= before {
                break;
            }
            last = Some(at(row, 0)?);
        }
        let Some(last) = last else { return Ok(0) };
        execute(&self.writer, statement(self.engine, "DELETE FROM events WHERE seq <= $1", [last.into()])).await
    }

    async fn keys(&self, before: Timestamp, limit: u32) -> Result<u64> {
        let sql = "DELETE FROM idempotency_keys WHERE (actor_id, operation, key) IN \
                   (SELECT actor_id, operation, key FROM idempotency_keys WHERE created_at < $1 LIMIT $2)";
        execute(&self.writer, statement(self.engine, sql, [before.into(), i64::from(limit).into()])).await
    }
}

#[async_trait]
impl AuditPurge for Database {
    async fn cut(&self, from: u64, base: &Mark, trace: Trace) -> Result<bool> {
        let from = i64::try_from(from).map_err(Error::internal)?;
        let seq = i64::try_from(base.seq).map_err(Error::internal)?;
        let mut tx = self.open().await?;
        let sql = "INSERT INTO audit_marks (name, seq, hash, seal) VALUES ('base', $1, $2, $3) \
                   ON CONFLICT (name) DO UPDATE SET seq = excluded.seq, hash = excluded.hash, seal = excluded.seal \
                   WHERE audit_marks.seq = $4";
        let values = [seq.into(), base.hash.to_vec().into(), base.seal.to_vec().into(), from.into()];
        if execute(&tx.tx, statement(self.engine, sql, values)).await? == 0 {
            return Ok(false);
        }
        let entries = "DELETE FROM audit_logs WHERE id IN (SELECT audit_id FROM audit_chain WHERE seq <= $1)";
        execute(&tx.tx, statement(self.engine, entries, [seq.into()])).await?;
        execute(&tx.tx, statement(self.engine, "DELETE FROM audit_chain WHERE seq <= $1", [seq.into()])).await?;
        tx.told.entries.push(trace.entry);
        tx.told.events.push(trace.event);
        Box::new(tx).commit().await?;
        Ok(true)
    }
}
