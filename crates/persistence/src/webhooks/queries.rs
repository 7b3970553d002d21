//! Webhooks as their owners see them.

use std::sync::Arc;

use async_trait::async_trait;
use domain::{
    Result,
    clock::Timestamp,
    id::{EndpointId, WebhookMessageId},
    page::{Page, PageRequest},
    webhooks::{
        Attempt, Endpoint, EventType, Message, MessageState, Owner, StoredSecret,
        ports::{MessageFilter, Stats, WebhookQueries},
    },
};

use super::row::{ATTEMPT, ENDPOINT, MESSAGE, SECRET, attempt, endpoint, message, secret, these};
use crate::{
    database::Database,
    paging::{Paged, paged},
    statement::{all, at, count, one, statement},
};

const MESSAGES: &str = "SELECT count(CASE WHEN finished_at IS NULL THEN 1 END), count(CASE WHEN state = 'delivered' THEN 1 END), \
    count(CASE WHEN state = 'failed' THEN 1 END), min(CASE WHEN finished_at IS NULL THEN created_at END) \
    FROM webhook_messages WHERE endpoint_id = $1";
const ATTEMPTS: &str = "SELECT count(*), count(fault), CAST(coalesce(sum(millis), 0) AS bigint) \
    FROM webhook_attempts WHERE endpoint_id = $1 AND began_at >= $2";

impl Database {
    /// The read side of webhooks.
    pub fn webhooks(&self) -> Arc<dyn WebhookQueries> {
        Arc::new(self.clone())
    }
}

#[async_trait]
impl WebhookQueries for Database {
    async fn get(&self, id: EndpointId) -> Result<Option<Endpoint>> {
        let sql = format!("SELECT {ENDPOINT} FROM webhook_endpoints WHERE id = $1");
        let found = one(&self.reader, statement(self.engine, sql, [id.0.into()])).await?;
        found.map(|row| endpoint(&row, 0)).transpose()
    }

    async fn list(&self, owner: Owner, page: PageRequest) -> Result<Page<Endpoint>> {
        let (these, value) = these(owner, 3);
        let listed = Paged { columns: ENDPOINT, from: &format!("webhook_endpoints WHERE {these}"), order: "id DESC" };
        paged(self, &listed, value.into_iter().collect(), page, endpoint).await
    }

    async fn secrets(&self, id: EndpointId) -> Result<Vec<StoredSecret>> {
        let sql = format!("SELECT {SECRET} FROM webhook_secrets WHERE endpoint_id = $1 ORDER BY number DESC");
        let rows = all(&self.reader, statement(self.engine, sql, [id.0.into()])).await?;
        rows.iter().map(secret).collect()
    }

    async fn messages(&self, id: EndpointId, filter: MessageFilter, page: PageRequest) -> Result<Page<Message>> {
        let (mut from, mut values) = ("webhook_messages WHERE endpoint_id = $3".to_owned(), vec![id.0.into()]);
        let parts = [("state", filter.state.map(MessageState::name)), ("kind", filter.kind.map(EventType::name))];
        for (column, name) in parts {
            if let Some(name) = name {
                values.push(name.into());
                from = format!("{from} AND {column} = ${}", values.len() + 2);
            }
        }
        let listed = Paged { columns: MESSAGE, from: &from, order: "id DESC" };
        paged(self, &listed, values, page, message).await
    }

    async fn message(&self, id: EndpointId, of: WebhookMessageId) -> Result<Option<Message>> {
        let sql = format!("SELECT {MESSAGE} FROM webhook_messages WHERE id = $1 AND endpoint_id = $2");
        let found = one(&self.reader, statement(self.engine, sql, [of.0.into(), id.0.into()])).await?;
        found.map(|row| message(&row, 0)).transpose()
    }

    async fn attempts(&self, message: WebhookMessageId, page: PageRequest) -> Result<Page<Attempt>> {
        let listed = Paged { columns: ATTEMPT, from: "webhook_attempts WHERE message_id = $3", order: "number DESC" };
        paged(self, &listed, vec![message.0.into()], page, attempt).await
    }

    async fn stats(&self, id: EndpointId, day: Timestamp) -> Result<Stats> {
        let mut stats = Stats::default();
        if let Some(row) = one(&self.reader, statement(self.engine, MESSAGES, [id.0.into()])).await? {
            stats.open = count(&row, 0)?;
            stats.delivered = count(&row, 1)?;
            stats.failed = count(&row, 2)?;
            stats.waiting_since = at(&row, 3)?;
        }
        if let Some(row) = one(&self.reader, statement(self.engine, ATTEMPTS, [id.0.into(), day.into()])).await? {
            stats.attempts = count(&row, 0)?;
            stats.failures = count(&row, 1)?;
            stats.mean_millis = count(&row, 2)?.checked_div(stats.attempts);
        }
        Ok(stats)
    }
}
