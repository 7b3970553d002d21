//! The numbered log as streams read it.

use std::sync::Arc;

use async_trait::async_trait;
use domain::{
    Error, Result,
    event::Event,
    realtime::{EventFeed, Reach},
    relay::Numbered,
};

use super::rows;
use crate::{
    database::Database,
    statement::{all, at, count, one, placeholders, statement},
};

impl Database {
    /// The numbered log.
    pub fn feed(&self) -> Arc<dyn EventFeed> {
        Arc::new(self.clone())
    }
}

#[async_trait]
impl EventFeed for Database {
    async fn reach(&self) -> Result<Reach> {
        // The cursor outlives a purge of all events; the lowest number is the first entry of an index.
        let sql = "SELECT c.last_seq, coalesce((SELECT min(seq) FROM events), c.last_seq + 1) \
                   FROM event_cursor c WHERE c.id = 1";
        let row = one(&self.reader, statement(self.engine, sql, [])).await?;
        let row = row.ok_or_else(|| Error::internal("the row of event_cursor is gone"))?;
        Ok(Reach { first: count(&row, 1)?, last: count(&row, 0)? })
    }

    async fn after(&self, seq: u64, limit: u32) -> Result<Vec<Numbered>> {
        let sql = format!(
            "SELECT {}, e.seq FROM events e WHERE e.seq > $1 ORDER BY e.seq LIMIT $2",
            rows::event_columns(self.engine)
        );
        let after = i64::try_from(seq).map_err(Error::internal)?;
        let found = all(&self.reader, statement(self.engine, sql, [after.into(), i64::from(limit).into()])).await?;
        let numbered = found.iter().map(|row| {
            let event = rows::event(row, 0).map_err(Error::internal)?;
            let seq: i64 = at(row, rows::WIDTH)?;
            Ok(Numbered { seq: u64::try_from(seq).map_err(Error::internal)?, event })
        });
        numbered.collect()
    }

    async fn ahead(&self, seq: u64, types: &[&str], limit: u32) -> Result<Vec<Event>> {
        // Two indexes, each of what is ahead only.
        let (columns, types_in) = (rows::event_columns(self.engine), placeholders(3, types.len()));
        let sql = format!(
            "SELECT {columns} FROM events e WHERE e.seq IS NULL AND e.failure IS NULL AND e.entity_type IN ({types_in}) \
             UNION ALL SELECT {columns} FROM events e WHERE e.seq > $2 AND e.entity_type IN ({types_in}) LIMIT $1"
        );
        let after = i64::try_from(seq).map_err(Error::internal)?;
        let values = [i64::from(limit).into(), after.into()].into_iter();
        let values = values.chain(types.iter().map(|name| (*name).into()));
        let found = all(&self.reader, statement(self.engine, sql, values)).await?;
        // One that does not decode is set aside by the relay.
        Ok(found.iter().filter_map(|row| rows::event(row, 0).ok()).collect())
    }
}
