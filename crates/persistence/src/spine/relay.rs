//! The relay's lease and log.

use std::sync::Arc;

use async_trait::async_trait;
use domain::{
    Error, Result,
    clock::Timestamp,
    relay::{Lease, Opened, RelayLog},
};

use crate::{
    database::Database,
    engine::Engine,
    error,
    statement::{count, execute, one, statement},
    tx::SeaTx,
};

/// Takes the lease when it is free or ours; the fencing number grows when it changes hands.
const TAKE: &str = "INSERT INTO leases (name, holder, fence, expires_at) VALUES ('relay', $1, 1, $3) \
    ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, expires_at = excluded.expires_at, \
    fence = CASE WHEN leases.holder = excluded.holder THEN leases.fence ELSE leases.fence + 1 END \
    WHERE leases.holder = excluded.holder OR leases.expires_at <= $2 RETURNING fence";

/// One statement, so that a reader of counts and waiting changes sees each change on exactly one side.
const FOLD: &str = "WITH gone AS (DELETE FROM product_count_deltas WHERE ctid IN \
        (SELECT ctid FROM product_count_deltas LIMIT $1) RETURNING category_id, price_minor, n), \
    by_category AS (INSERT INTO category_counts (category_id, n) \
        SELECT category_id, sum(n)::bigint FROM gone GROUP BY category_id \
        ON CONFLICT (category_id) DO UPDATE SET n = category_counts.n + excluded.n), \
    by_price AS (INSERT INTO price_counts (level, bucket, n) \
        SELECT level, price_minor >> shift, sum(n)::bigint FROM gone, (VALUES (0, 6), (1, 12), (2, 18)) AS of (level, shift) \
        GROUP BY 1, 2 ON CONFLICT (level, bucket) DO UPDATE SET n = price_counts.n + excluded.n) \
    SELECT count(*) FROM gone";

impl Database {
    /// The log as the relay sees it.
    pub fn relay_log(&self) -> Arc<dyn RelayLog> {
        Arc::new(self.clone())
    }

    /// Begins a transaction in which the lease cannot change hands; `None` when it has.
    async fn fenced(&self, lease: &Lease) -> Result<Option<SeaTx>> {
        let tx = self.open().await?;
        // A node that stops in the middle must not hold the row for ever: PostgreSQL ends its transaction.
        let sql = self.engine.pick(
            "SELECT 1 FROM leases WHERE name = 'relay' AND holder = $1 AND fence = $2",
            "SELECT set_config('idle_in_transaction_session_timeout', '5s', true) FROM leases \
             WHERE name = 'relay' AND holder = $1 AND fence = $2 FOR UPDATE",
        );
        let fence = i64::try_from(lease.fence).map_err(Error::internal)?;
        let ours = one(&tx.tx, statement(self.engine, sql, [lease.holder.as_str().into(), fence.into()])).await?;
        Ok(ours.map(|_| tx))
    }

    async fn any(&self, sql: &str) -> Result<bool> {
        Ok(one(&self.reader, statement(self.engine, sql, [])).await?.is_some())
    }
}

#[async_trait]
impl RelayLog for Database {
    async fn lease(&self, holder: &str, now: Timestamp, until: Timestamp) -> Result<Option<Lease>> {
        let taken = statement(self.engine, TAKE, [holder.into(), now.into(), until.into()]);
        let row = one(&self.writer, taken).await?;
        row.map(|row| Ok(Lease { holder: holder.to_owned(), fence: count(&row, 0)?, until })).transpose()
    }

    async fn release(&self, lease: &Lease) -> Result<()> {
        let sql = "UPDATE leases SET expires_at = $3 WHERE name = 'relay' AND holder = $1 AND fence = $2";
        let fence = i64::try_from(lease.fence).map_err(Error::internal)?;
        let values = [lease.holder.as_str().into(), fence.into(), Timestamp::UNIX_EPOCH.into()];
        execute(&self.writer, statement(self.engine, sql, values)).await.map(|_| ())
    }

    async fn open(&self, lease: &Lease, limit: u32) -> Result<Opened> {
        if !self.any("SELECT 1 FROM events WHERE seq IS NULL AND failure IS NULL LIMIT 1").await? {
            return Ok(Opened::Idle);
        }
        match self.fenced(lease).await? {
            None => Ok(Opened::Fenced),
            Some(tx) => tx.numbering(limit).await,
        }
    }

    async fn fold(&self, lease: &Lease, limit: u32) -> Result<Option<u64>> {
        // SQLite has one writer, who keeps the counts right as it goes.
        if self.engine == Engine::Sqlite || !self.any("SELECT 1 FROM product_count_deltas LIMIT 1").await? {
            return Ok(Some(0));
        }
        let Some(tx) = self.fenced(lease).await? else { return Ok(None) };
        let row = one(&tx.tx, statement(self.engine, FOLD, [i64::from(limit).into()])).await?;
        let folded = row.map_or(Ok(0), |row| count(&row, 0))?;
        tx.tx.commit().await.map_err(error::of)?;
        Ok(Some(folded))
    }
}
