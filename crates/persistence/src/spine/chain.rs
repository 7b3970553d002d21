//! The audit chain as it stands, for verification.

use std::sync::Arc;

use async_trait::async_trait;
use domain::{
    Result,
    audit::{Chain, ChainSnapshot, End, Mark, StoredEntry, StoredLink},
    id::AuditId,
};
use uuid::Uuid;

use super::rows;
use crate::{
    database::Database,
    engine::Engine,
    error,
    statement::{all, at, count, one, statement},
    transaction::{Purpose, Transaction},
};

/// Entries outside the chain. The relay is on its way to those whose event is pending.
const UNCHAINED: &str = "FROM audit_logs a WHERE NOT EXISTS (SELECT 1 FROM audit_chain c WHERE c.audit_id = a.id)";
const PENDING: &str = "EXISTS (SELECT 1 FROM events e WHERE e.id = a.id AND e.seq IS NULL AND e.failure IS NULL)";

impl Database {
    /// The chain over the audit log.
    pub fn chain(&self) -> Arc<dyn Chain> {
        Arc::new(self.clone())
    }
}

/// A transaction that reads one moment.
struct Snapshot {
    engine: Engine,
    tx: Transaction,
}

#[async_trait]
impl Chain for Database {
    async fn snapshot(&self) -> Result<Box<dyn ChainSnapshot>> {
        let tx = self.reader.begin(Purpose::Snapshot).await.map_err(error::of)?;
        Ok(Box::new(Snapshot { engine: self.engine, tx }))
    }
}

impl Snapshot {
    async fn number(&self, sql: &str) -> Result<u64> {
        one(&self.tx, statement(self.engine, sql, [])).await?.map_or(Ok(0), |row| count(&row, 0))
    }
}

#[async_trait]
impl ChainSnapshot for Snapshot {
    async fn mark(&mut self, end: End) -> Result<Option<Mark>> {
        let sql = "SELECT seq, hash, seal FROM audit_marks WHERE name = $1";
        let row = one(&self.tx, statement(self.engine, sql, [end.name().into()])).await?;
        Ok(row.map(|row| Mark {
            seq: count(&row, 0).unwrap_or_default(),
            hash: rows::hash(&row, 1),
            seal: rows::hash(&row, 2),
        }))
    }

    async fn last_event(&mut self) -> Result<u64> {
        self.number("SELECT last_seq FROM event_cursor WHERE id = 1").await
    }

    async fn links(&mut self, after: i64, limit: u32) -> Result<Vec<StoredLink>> {
        let sql = format!(
            "SELECT {}, c.seq, c.hash FROM audit_chain c LEFT JOIN audit_logs a ON a.id = c.audit_id \
             WHERE c.seq > $1 ORDER BY c.seq LIMIT $2",
            rows::entry_columns(self.engine)
        );
        let found = all(&self.tx, statement(self.engine, sql, [after.into(), i64::from(limit).into()])).await?;
        let links = found.iter().map(|row| {
            let entry = match at::<Option<Uuid>>(row, 0) {
                Ok(None) => StoredEntry::Gone,
                _ => rows::entry(row, 0).map_or_else(StoredEntry::Unreadable, StoredEntry::Found),
            };
            Ok(StoredLink { seq: at(row, rows::ENTRY_WIDTH)?, hash: rows::hash(row, rows::ENTRY_WIDTH + 1), entry })
        });
        links.collect()
    }

    async fn waiting(&mut self) -> Result<u64> {
        self.number(&format!("SELECT count(*) {UNCHAINED} AND {PENDING}")).await
    }

    async fn inserted(&mut self, limit: u32) -> Result<Vec<AuditId>> {
        let sql = format!("SELECT a.id {UNCHAINED} AND NOT {PENDING} ORDER BY a.id LIMIT $1");
        let found = all(&self.tx, statement(self.engine, sql, [i64::from(limit).into()])).await?;
        // An id that is none is told of as the one that nothing has.
        Ok(found.iter().map(|row| AuditId(at(row, 0).unwrap_or_default())).collect())
    }
}
