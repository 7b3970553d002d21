//! Webhooks that came in, as operators see them, and their purge.

use std::sync::Arc;

use async_trait::async_trait;
use domain::{
    Result,
    clock::Timestamp,
    id::HookEventId,
    inbound::{
        HookReport,
        ports::{HookFilter, HookQueries},
    },
    page::{Page, PageRequest},
};
use sea_orm::Value;

use super::row::{FROM, STATE, columns, report};
use crate::{
    database::Database,
    paging::{Paged, paged},
    statement::{execute, one, statement},
};

impl Database {
    /// The read side of webhooks that came in.
    pub fn hooks(&self) -> Arc<dyn HookQueries> {
        Arc::new(self.clone())
    }
}

#[async_trait]
impl HookQueries for Database {
    async fn get(&self, id: HookEventId) -> Result<Option<HookReport>> {
        let sql = format!("SELECT {} FROM {FROM} WHERE h.id = $1", columns("h.body"));
        let row = one(&self.reader, statement(self.engine, sql, [id.0.into()])).await?;
        row.map(|row| report(&row, 0)).transpose()
    }

    async fn list(&self, filter: &HookFilter, page: PageRequest) -> Result<Page<HookReport>> {
        let (mut values, mut these): (Vec<Value>, _) = (Vec::new(), vec!["TRUE".to_owned()]);
        let parts = [
            ("h.source", filter.source.clone()),
            ("h.kind", filter.kind.clone()),
            (STATE, filter.state.map(|state| state.name().to_owned())),
        ];
        for (column, value) in parts {
            if let Some(value) = value {
                values.push(value.into());
                // Parameters 1 and 2 are those of the page.
                these.push(format!("{column} = ${}", values.len() + 2));
            }
        }
        let from = format!("{FROM} WHERE {}", these.join(" AND "));
        // A NULL of the body's own type, so that a row is read alike.
        let columns = columns(self.engine.pick("NULL", "NULL::bytea"));
        let list = Paged { columns: &columns, from: &from, order: "h.id DESC" };
        paged(self, &list, values, page, report).await
    }

    async fn purge(&self, before: Timestamp, limit: u32) -> Result<u64> {
        let lock = self.engine.pick("", "FOR UPDATE OF h SKIP LOCKED");
        let sql = format!(
            "DELETE FROM hook_events WHERE id IN (SELECT h.id FROM {FROM} WHERE h.received_at < $1 AND {STATE} <> 'waiting' \
             ORDER BY h.received_at LIMIT $2 {lock})"
        );
        execute(&self.writer, statement(self.engine, sql, [before.into(), i64::from(limit).into()])).await
    }
}
