//! Events that were set aside.

use std::sync::Arc;

use async_trait::async_trait;
use domain::{
    Result,
    id::EventId,
    relay::{Failed, SetAside},
};

use crate::{
    database::Database,
    statement::{all, at, execute, statement},
};

impl Database {
    /// The events that were set aside, for an operator.
    pub fn set_aside(&self) -> Arc<dyn SetAside> {
        Arc::new(self.clone())
    }
}

#[async_trait]
impl SetAside for Database {
    async fn failed(&self, limit: u32) -> Result<Vec<Failed>> {
        let sql = "SELECT id, CAST(kind AS text), failure FROM events WHERE failure IS NOT NULL AND seq IS NULL ORDER BY id LIMIT $1";
        let found = all(&self.reader, statement(self.engine, sql, [i64::from(limit).into()])).await?;
        let failed =
            found.iter().map(|row| Ok(Failed { id: EventId(at(row, 0)?), kind: at(row, 1)?, reason: at(row, 2)? }));
        failed.collect()
    }

    async fn retry(&self, id: Option<EventId>) -> Result<u64> {
        let sql = "UPDATE events SET failure = NULL WHERE failure IS NOT NULL AND seq IS NULL";
        let again = match id {
            None => statement(self.engine, sql, []),
            Some(id) => statement(self.engine, format!("{sql} AND id = $1"), [id.0.into()]),
        };
        execute(&self.writer, again).await
    }
}
