//! API keys.

use std::{collections::BTreeMap, sync::Arc};

use async_trait::async_trait;
use domain::{
    Error, Result,
    access::{
        ApiKey,
        ports::{ApiKeyQueries, ApiKeyRepo, HeldKey, KeysOf},
    },
    clock::Timestamp,
    id::{ApiKeyId, SellerId, UserId},
    page::{Page, PageRequest},
};
use sea_orm::{QueryResult, Value};
use uuid::Uuid;

use super::row::{named, names};
use crate::{
    database::Database,
    error,
    paging::{Paged, paged},
    statement::{at, count, execute, one, statement},
    transaction::Purpose,
    tx::SeaTx,
};

const COLUMNS: &str =
    "id, name, user_id, seller_id, scopes, hint, per_minute, expires_at, created_at, last_used_at, models";
/// How many they are.
const WIDTH: usize = 11;

impl Database {
    /// The read side of API keys.
    pub fn api_keys(&self) -> Arc<dyn ApiKeyQueries> {
        Arc::new(self.clone())
    }
}

/// The condition that says whose keys are meant, with its value at this place.
fn these(of: KeysOf, place: usize) -> (String, Value) {
    match of {
        KeysOf::User(user) => (format!("user_id = ${place} AND seller_id IS NULL"), user.0.into()),
        KeysOf::Seller(seller) => (format!("seller_id = ${place}"), seller.0.into()),
    }
}

#[async_trait]
impl ApiKeyRepo for SeaTx {
    async fn insert(&mut self, key: &ApiKey, digest: &[u8; 32]) -> Result<()> {
        let sql = format!(
            "INSERT INTO api_keys ({COLUMNS}, digest) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)"
        );
        let values = [
            key.id.0.into(),
            key.name.as_str().into(),
            key.user.0.into(),
            key.seller.map(|seller| seller.0).into(),
            named(key.scopes).into(),
            key.hint.as_str().into(),
            key.per_minute.map(i64::from).and_then(|calls| i32::try_from(calls).ok()).into(),
            key.expires_at.into(),
            key.created_at.into(),
            key.last_used_at.into(),
            models(key)?.into(),
            digest.to_vec().into(),
        ];
        execute(&self.tx, statement(self.engine, sql, values)).await.map(|_| ())
    }

    async fn find(&mut self, id: ApiKeyId) -> Result<Option<ApiKey>> {
        let sql = format!("SELECT {COLUMNS} FROM api_keys WHERE id = $1");
        let found = one(&self.tx, statement(self.engine, sql, [id.0.into()])).await?;
        found.map(|row| key(&row, 0)).transpose()
    }

    async fn update(&mut self, key: &ApiKey) -> Result<()> {
        let sql = "UPDATE api_keys SET name = $2, models = $3 WHERE id = $1";
        let values = [key.id.0.into(), key.name.as_str().into(), models(key)?.into()];
        execute(&self.tx, statement(self.engine, sql, values)).await.map(|_| ())
    }

    async fn delete(&mut self, id: ApiKeyId) -> Result<()> {
        let sql = "DELETE FROM api_keys WHERE id = $1";
        execute(&self.tx, statement(self.engine, sql, [id.0.into()])).await.map(|_| ())
    }

    async fn count(&mut self, of: KeysOf) -> Result<u64> {
        let (these, value) = these(of, 1);
        let sql = format!("SELECT count(*) FROM api_keys WHERE {these}");
        let counted = one(&self.tx, statement(self.engine, sql, [value])).await?;
        counted.map_or(Ok(0), |row| count(&row, 0))
    }
}

#[async_trait]
impl ApiKeyQueries for Database {
    async fn held(&self, id: ApiKeyId) -> Result<Option<HeldKey>> {
        let sql = format!(
            "SELECT {COLUMNS}, digest FROM api_keys WHERE id = $1 AND (seller_id IS NOT NULL OR NOT EXISTS \
             (SELECT 1 FROM users u WHERE u.id = api_keys.user_id AND u.deletes_at IS NOT NULL))"
        );
        let Some(row) = one(&self.reader, statement(self.engine, sql, [id.0.into()])).await? else { return Ok(None) };
        let digest: Vec<u8> = at(&row, WIDTH)?;
        let digest = digest.try_into().map_err(|_| Error::internal("the digest of a key has not 32 bytes"))?;
        Ok(Some(HeldKey { key: key(&row, 0)?, digest }))
    }

    async fn get(&self, id: ApiKeyId) -> Result<Option<ApiKey>> {
        let sql = format!("SELECT {COLUMNS} FROM api_keys WHERE id = $1");
        let found = one(&self.reader, statement(self.engine, sql, [id.0.into()])).await?;
        found.map(|row| key(&row, 0)).transpose()
    }

    async fn list(&self, of: KeysOf, page: PageRequest) -> Result<Page<ApiKey>> {
        let (these, value) = these(of, 3);
        let listed = Paged { columns: COLUMNS, from: &format!("api_keys WHERE {these}"), order: "id DESC" };
        paged(self, &listed, vec![value], page, key).await
    }

    async fn used(&self, uses: &[(ApiKeyId, Timestamp)]) -> Result<()> {
        // One order for all writers, so that two batches cannot wait for each other.
        let mut latest = BTreeMap::<ApiKeyId, Timestamp>::new();
        for (id, at) in uses {
            let known = latest.entry(*id).or_insert(*at);
            *known = (*known).max(*at);
        }
        let sql = "UPDATE api_keys SET last_used_at = $2 WHERE id = $1 AND (last_used_at IS NULL OR last_used_at < $2)";
        let tx = self.writer.begin(Purpose::Write).await.map_err(error::of)?;
        for (id, at) in latest {
            execute(&tx, statement(self.engine, sql, [id.0.into(), at.into()])).await?;
        }
        tx.commit().await.map_err(error::of)
    }
}

/// The models a key is for, as they are stored.
fn models(key: &ApiKey) -> Result<Option<String>> {
    key.models.as_ref().map(serde_json::to_string).transpose().map_err(Error::internal)
}

fn key(row: &QueryResult, first: usize) -> Result<ApiKey> {
    let models: Option<String> = at(row, first + 10)?;
    let models = models.map(|text| serde_json::from_str(&text)).transpose().map_err(Error::internal)?;
    Ok(ApiKey {
        models,
        id: ApiKeyId(at(row, first)?),
        name: at(row, first + 1)?,
        user: UserId(at(row, first + 2)?),
        seller: at::<Option<Uuid>>(row, first + 3)?.map(SellerId),
        scopes: names(&at::<String>(row, first + 4)?),
        hint: at(row, first + 5)?,
        per_minute: at::<Option<i32>>(row, first + 6)?.and_then(|calls| u32::try_from(calls).ok()),
        expires_at: at(row, first + 7)?,
        created_at: at(row, first + 8)?,
        last_used_at: at(row, first + 9)?,
    })
}
