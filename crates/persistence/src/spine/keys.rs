//! Idempotency keys.

use async_trait::async_trait;
use domain::{
    Error, Result,
    clock::Timestamp,
    idempotency::{Claim, IdempotencyKeys, Key, Reply},
};
use sea_orm::{ActiveValue::Set, EntityTrait, sea_query::OnConflict};
use uuid::Uuid;

use crate::{
    engine::Engine,
    entity::idempotency_key::{self, Column},
    error,
    statement::{at, one, statement},
    tx::SeaTx,
};

#[async_trait]
impl IdempotencyKeys for SeaTx {
    async fn claim(&mut self, key: &Key, since: Timestamp) -> Result<Claim> {
        // SQLite has one writer: who holds the same key has committed or rolled back before we began.
        if self.engine == Engine::Postgres && !self.try_lock(key).await? {
            return Ok(Claim::InFlight);
        }
        let id = (actor(key), key.operation.to_owned(), key.key.clone());
        let found = idempotency_key::Entity::find_by_id(id.clone()).one(&self.tx).await.map_err(error::of)?;
        match found {
            Some(row) if row.created_at < since => {
                idempotency_key::Entity::delete_by_id(id).exec(&self.tx).await.map_err(error::of)?;
                Ok(Claim::Fresh)
            }
            Some(row) if row.fingerprint != key.fingerprint => Ok(Claim::Mismatch),
            Some(row) => Ok(Claim::Replay(reply(row)?)),
            None => Ok(Claim::Fresh),
        }
    }

    async fn keep(&mut self, key: &Key, reply: &Reply, at: Timestamp) -> Result<()> {
        let row = idempotency_key::ActiveModel {
            actor_id: Set(actor(key)),
            operation: Set(key.operation.to_owned()),
            key: Set(key.key.clone()),
            fingerprint: Set(key.fingerprint.to_vec()),
            status: Set(i32::from(reply.status)),
            headers: Set(serde_json::to_value(&reply.headers).map_err(Error::internal)?),
            body: Set(reply.body.clone()),
            created_at: Set(at),
        };
        let place = OnConflict::columns([Column::ActorId, Column::Operation, Column::Key])
            .update_columns([Column::Fingerprint, Column::Status, Column::Headers, Column::Body, Column::CreatedAt])
            .to_owned();
        let kept = idempotency_key::Entity::insert(row).on_conflict(place).exec_without_returning(&self.tx).await;
        kept.map(|_| ()).map_err(error::of)
    }
}

impl SeaTx {
    /// Takes the key until the transaction ends; works behind a transaction pooler.
    async fn try_lock(&self, key: &Key) -> Result<bool> {
        let name = format!("{}/{}/{}", actor(key), key.operation, key.key);
        let sql = "SELECT pg_try_advisory_xact_lock(hashtextextended($1, 0))";
        let row = one(&self.tx, statement(self.engine, sql, [name.into()])).await?;
        row.map_or(Ok(false), |row| at(&row, 0))
    }
}

fn actor(key: &Key) -> Uuid {
    key.actor.map_or(Uuid::nil(), |user| user.0)
}

fn reply(row: idempotency_key::Model) -> Result<Reply> {
    Ok(Reply {
        status: u16::try_from(row.status).map_err(Error::internal)?,
        headers: serde_json::from_value(row.headers).map_err(Error::internal)?,
        body: row.body,
    })
}
