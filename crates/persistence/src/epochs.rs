//! The epochs of the cache that nodes share.
//!
//! They are asked for on the connection that is beside the pool: while every other is busy, the cache is needed most.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use domain::{
    Error, Result,
    cache::{Epochs, Standing},
};

use crate::{
    database::Database,
    statement::{at, count, execute, one, statement},
};

impl Database {
    /// The epochs of the shared cache.
    pub fn epochs(&self) -> Arc<dyn Epochs> {
        Arc::new(self.clone())
    }

    /// Milliseconds since 1970 as an expression: when the statement came, for whoever reads; never later than what it sees.
    fn when_asked(&self) -> &'static str {
        self.engine.pick(SQLITE_NOW, "floor(extract(epoch FROM statement_timestamp()) * 1000)::bigint")
    }

    /// One that was never before, also when an older copy of the database took its place.
    fn next_epoch(&self) -> String {
        format!("{}(epoch + 1, {})", self.engine.pick("max", "greatest"), self.when_done())
    }

    /// The present moment, also when the statement waited for the row.
    fn when_done(&self) -> &'static str {
        self.engine.pick(SQLITE_NOW, "floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint")
    }
}

const SQLITE_NOW: &str = "CAST(unixepoch('subsec') * 1000 AS integer)";

#[async_trait]
impl Epochs for Database {
    async fn standing(&self) -> Result<Standing> {
        let sql =
            format!("SELECT epoch, source, suspended_until - {} FROM cache_epoch WHERE id = 1", self.when_asked());
        let row = one(&self.migrations, statement(self.engine, sql, [])).await?;
        let row = row.ok_or_else(|| Error::internal("the row of cache_epoch is gone"))?;
        Ok(Standing { epoch: count(&row, 0)?, source: at(&row, 1)?, suspended: Duration::from_millis(count(&row, 2)?) })
    }

    async fn begin(&self, seen: u64, source: &str) -> Result<()> {
        let sql =
            format!("UPDATE cache_epoch SET epoch = {}, source = $1 WHERE id = 1 AND epoch = $2", self.next_epoch());
        let seen = i64::try_from(seen).map_err(Error::internal)?;
        execute(&self.migrations, statement(self.engine, sql, [source.into(), seen.into()])).await.map(|_| ())
    }

    async fn suspend(&self, time: Duration) -> Result<()> {
        let longer = self.engine.pick("max", "greatest");
        let sql = format!(
            "UPDATE cache_epoch SET epoch = {}, suspended_until = {longer}(suspended_until, {} + $1) WHERE id = 1",
            self.next_epoch(),
            self.when_done()
        );
        let time = i64::try_from(time.as_millis()).map_err(Error::internal)?;
        execute(&self.migrations, statement(self.engine, sql, [time.into()])).await.map(|_| ())
    }
}
