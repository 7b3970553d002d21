//! The write side of endpoints.

use async_trait::async_trait;
use domain::{
    Error, Result,
    clock::Timestamp,
    id::{EndpointId, UserId, WebhookMessageId},
    webhooks::{Endpoint, NewMessage, Off, Owner, StoredSecret, ports::WebhookRepo},
};

use super::row::{ENDPOINT, SECRET, endpoint, names, number, secret, these};
use crate::{
    statement::{all, at, count, execute, one, statement},
    tx::SeaTx,
};

const INSERT: &str = "INSERT INTO webhook_endpoints (id, owner, user_id, seller_id, url, description, types, filter, form, ordering, \
    per_minute, off_reason, failing_since, circuit_until, created_at, updated_at) \
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)";
const UPDATE: &str = "UPDATE webhook_endpoints SET url = $2, description = $3, types = $4, filter = $5, form = $6, ordering = $7, \
    per_minute = $8, off_reason = $9, failing_since = $10, circuit_until = $11, updated_at = $12 WHERE id = $1";
const ADD: &str = "INSERT INTO webhook_messages (id, endpoint_id, event_id, seq, kind, order_key, body, state, attempts, place, \
    next_attempt_at, fence, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, 'waiting', 0, 0, $8, 0, $8)";
const REVIVE: &str = "UPDATE webhook_messages SET state = 'waiting', cause = NULL, place = 0, next_attempt_at = $1, \
    finished_at = NULL, lease_until = NULL WHERE finished_at IS NOT NULL AND";

#[async_trait]
impl WebhookRepo for SeaTx {
    async fn insert(&mut self, endpoint: &Endpoint, secret: &StoredSecret) -> Result<()> {
        let values = [
            endpoint.id.0.into(),
            endpoint.owner.kind().into(),
            endpoint.made_by.0.into(),
            endpoint.owner.seller().map(|seller| seller.0).into(),
            endpoint.url.as_str().into(),
            endpoint.description.as_str().into(),
            names(&endpoint.types).into(),
            serde_json::to_string(&endpoint.filter).map_err(Error::internal)?.into(),
            endpoint.form.name().into(),
            endpoint.order.name().into(),
            endpoint.per_minute.map(i64::from).into(),
            endpoint.off.map(Off::name).into(),
            endpoint.failing_since.into(),
            endpoint.circuit_until.into(),
            endpoint.created_at.into(),
            endpoint.updated_at.into(),
        ];
        execute(&self.tx, statement(self.engine, INSERT, values)).await?;
        self.put_secrets(endpoint.id, std::slice::from_ref(secret)).await
    }

    async fn find(&mut self, id: EndpointId) -> Result<Option<Endpoint>> {
        let lock = self.engine.pick("", "FOR UPDATE");
        let sql = format!("SELECT {ENDPOINT} FROM webhook_endpoints WHERE id = $1 {lock}");
        let found = one(&self.tx, statement(self.engine, sql, [id.0.into()])).await?;
        found.map(|row| endpoint(&row, 0)).transpose()
    }

    async fn update(&mut self, endpoint: &Endpoint) -> Result<()> {
        let values = [
            endpoint.id.0.into(),
            endpoint.url.as_str().into(),
            endpoint.description.as_str().into(),
            names(&endpoint.types).into(),
            serde_json::to_string(&endpoint.filter).map_err(Error::internal)?.into(),
            endpoint.form.name().into(),
            endpoint.order.name().into(),
            endpoint.per_minute.map(i64::from).into(),
            endpoint.off.map(Off::name).into(),
            endpoint.failing_since.into(),
            endpoint.circuit_until.into(),
            endpoint.updated_at.into(),
        ];
        execute(&self.tx, statement(self.engine, UPDATE, values)).await.map(|_| ())
    }

    async fn delete(&mut self, id: EndpointId) -> Result<()> {
        let sql = "DELETE FROM webhook_endpoints WHERE id = $1";
        execute(&self.tx, statement(self.engine, sql, [id.0.into()])).await.map(|_| ())
    }

    async fn count(&mut self, owner: Owner) -> Result<u64> {
        let (these, value) = these(owner, 1);
        let sql = format!("SELECT count(*) FROM webhook_endpoints WHERE {these}");
        let counted = one(&self.tx, statement(self.engine, sql, value)).await?;
        counted.map_or(Ok(0), |row| count(&row, 0))
    }

    async fn secrets(&mut self, id: EndpointId) -> Result<Vec<StoredSecret>> {
        let sql = format!("SELECT {SECRET} FROM webhook_secrets WHERE endpoint_id = $1 ORDER BY number DESC");
        let rows = all(&self.tx, statement(self.engine, sql, [id.0.into()])).await?;
        rows.iter().map(secret).collect()
    }

    async fn put_secrets(&mut self, id: EndpointId, secrets: &[StoredSecret]) -> Result<()> {
        let sql = "DELETE FROM webhook_secrets WHERE endpoint_id = $1";
        execute(&self.tx, statement(self.engine, sql, [id.0.into()])).await?;
        let sql = "INSERT INTO webhook_secrets (endpoint_id, number, algorithm, sealed, created_at, expires_at) \
                   VALUES ($1, $2, $3, $4, $5, $6)";
        for secret in secrets {
            let values = [
                id.0.into(),
                number(secret.number)?,
                secret.algorithm.name().into(),
                secret.sealed.clone().into(),
                secret.created_at.into(),
                secret.expires_at.into(),
            ];
            execute(&self.tx, statement(self.engine, sql, values)).await?;
        }
        Ok(())
    }

    async fn keepers(&mut self, endpoint: &Endpoint) -> Result<Vec<UserId>> {
        let Owner::Seller(seller) = endpoint.owner else { return Ok(vec![endpoint.made_by]) };
        let sql =
            "SELECT user_id FROM seller_members WHERE seller_id = $1 AND role = 'owner' ORDER BY created_at, user_id";
        let rows = all(&self.tx, statement(self.engine, sql, [seller.0.into()])).await?;
        rows.iter().map(|row| at(row, 0).map(UserId)).collect()
    }

    async fn give_up(&mut self, id: EndpointId, now: Timestamp) -> Result<u64> {
        let sql = "UPDATE webhook_messages SET state = 'failed', cause = 'off', next_attempt_at = NULL, finished_at = $2 \
                   WHERE endpoint_id = $1 AND state = 'waiting'";
        execute(&self.tx, statement(self.engine, sql, [id.0.into(), now.into()])).await
    }

    async fn add(&mut self, message: &NewMessage) -> Result<()> {
        let values = [
            message.id.0.into(),
            message.endpoint.0.into(),
            message.event.map(|event| event.0).into(),
            number(message.seq)?,
            message.kind.name().into(),
            message.key.into(),
            message.body.as_str().into(),
            message.created_at.into(),
        ];
        execute(&self.tx, statement(self.engine, ADD, values)).await.map(|_| ())
    }

    async fn revive(&mut self, id: EndpointId, message: WebhookMessageId, now: Timestamp) -> Result<Option<bool>> {
        let sql = format!("{REVIVE} id = $2 AND endpoint_id = $3");
        let values = [now.into(), message.0.into(), id.0.into()];
        if execute(&self.tx, statement(self.engine, sql, values)).await? > 0 {
            return Ok(Some(true));
        }
        let sql = "SELECT 1 FROM webhook_messages WHERE id = $1 AND endpoint_id = $2";
        let found = one(&self.tx, statement(self.engine, sql, [message.0.into(), id.0.into()])).await?;
        Ok(found.map(|_| false))
    }

    async fn recover(&mut self, id: EndpointId, since: Timestamp, now: Timestamp, limit: u32) -> Result<u64> {
        let sql = format!(
            "{REVIVE} id IN (SELECT id FROM webhook_messages WHERE endpoint_id = $2 AND state = 'failed' \
             AND created_at >= $3 ORDER BY id LIMIT $4)"
        );
        let values = [now.into(), id.0.into(), since.into(), i64::from(limit).into()];
        execute(&self.tx, statement(self.engine, sql, values)).await
    }
}
