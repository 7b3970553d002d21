//! Sessions, read side.

use std::sync::Arc;

use async_trait::async_trait;
use domain::{
    Error, Result,
    clock::Timestamp,
    id::{SessionId, UserId},
    identity::{StoredSession, ports::SessionQueries},
    page::{Page, PageRequest},
};
use uuid::Uuid;

use super::session::{SESSION, session};
use crate::{
    database::Database,
    statement::{all, at, count, execute, one, statement},
};

const LIVE: &str = "s.user_id = $1 AND s.ended_at IS NULL AND s.idle_until > $2 AND s.expires_at > $2";
/// `idle_until` is never after `expires_at`.
const PURGE: &str = "DELETE FROM sessions WHERE id IN (SELECT s.id FROM sessions s \
    WHERE s.idle_until < $1 AND s.tokens_until < $1 LIMIT $2)";

impl Database {
    /// The read side of sessions.
    pub fn sessions(&self) -> Arc<dyn SessionQueries> {
        Arc::new(self.clone())
    }
}

#[async_trait]
impl SessionQueries for Database {
    async fn live(&self, user: UserId, now: Timestamp, page: PageRequest) -> Result<Page<StoredSession>> {
        let offset = i64::try_from(page.offset()).map_err(Error::internal)?;
        // Total and page are of the same moment. The total comes also when the page is behind the last one.
        let sql = format!(
            "SELECT total.n, found.* FROM (SELECT count(*) AS n FROM sessions s WHERE {LIVE}) total LEFT JOIN \
             (SELECT {SESSION} FROM sessions s WHERE {LIVE} ORDER BY s.last_used_at DESC, s.id DESC LIMIT $3 OFFSET $4) \
             found ON TRUE ORDER BY found.last_used_at DESC, found.id DESC"
        );
        let values = [user.0.into(), now.into(), i64::from(page.limit.get()).into(), offset.into()];
        let rows = all(&self.reader, statement(self.engine, sql, values)).await?;
        let total = rows.first().map_or(Ok(0), |row| count(row, 0))?;
        let found = rows.iter().filter(|row| at::<Option<Uuid>>(row, 1).is_ok_and(|id| id.is_some()));
        let items = found.map(|row| session(row, 1)).collect::<Result<_>>()?;
        Ok(Page::new(items, total, page))
    }

    async fn find(&self, id: SessionId) -> Result<Option<StoredSession>> {
        let sql = format!("SELECT {SESSION} FROM sessions s WHERE s.id = $1");
        let row = one(&self.reader, statement(self.engine, sql, [id.0.into()])).await?;
        row.map(|row| session(&row, 0)).transpose()
    }

    async fn ended(&self, now: Timestamp) -> Result<Vec<(SessionId, Timestamp)>> {
        let sql = "SELECT id, tokens_until FROM sessions WHERE ended_at IS NOT NULL AND tokens_until >= $1";
        let rows = all(&self.reader, statement(self.engine, sql, [now.into()])).await?;
        rows.iter().map(|row| Ok((SessionId(at(row, 0)?), at(row, 1)?))).collect()
    }

    async fn purge(&self, before: Timestamp, limit: u32) -> Result<u64> {
        execute(&self.writer, statement(self.engine, PURGE, [before.into(), i64::from(limit).into()])).await
    }
}
