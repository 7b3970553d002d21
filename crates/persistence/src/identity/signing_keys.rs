//! The sealed keys that sign tokens.

use std::sync::Arc;

use async_trait::async_trait;
use domain::{
    Result,
    identity::ports::{SealedKey, SigningKeyRepo, SigningKeys},
};
use sea_orm::{QueryResult, Statement};

use crate::{
    database::Database,
    engine::Engine,
    statement::{all, at, execute, statement},
    tx::SeaTx,
};

/// An older version of Souk says nothing of when its key signs: from the beginning.
const ALL: &str = "SELECT kid, sealed, created_at, coalesce(signs_from, created_at) FROM signing_keys ORDER BY 4, 1";
const INSERT: &str =
    "INSERT INTO signing_keys (kid, sealed, created_at, signs_from) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING";

impl Database {
    /// Where the keys that sign tokens are kept.
    pub fn signing_keys(&self) -> Arc<dyn SigningKeys> {
        Arc::new(self.clone())
    }
}

#[async_trait]
impl SigningKeys for Database {
    async fn all(&self) -> Result<Vec<SealedKey>> {
        all(&self.reader, statement(self.engine, ALL, [])).await?.iter().map(key).collect()
    }

    async fn insert_if_absent(&self, key: &SealedKey) -> Result<()> {
        execute(&self.writer, insert(self.engine, key)).await.map(|_| ())
    }
}

#[async_trait]
impl SigningKeyRepo for SeaTx {
    async fn keys(&mut self) -> Result<Vec<SealedKey>> {
        // Rows cannot be locked that are not there yet.
        if self.engine == Engine::Postgres {
            execute(&self.tx, statement(self.engine, "LOCK TABLE signing_keys IN SHARE ROW EXCLUSIVE MODE", []))
                .await?;
        }
        all(&self.tx, statement(self.engine, ALL, [])).await?.iter().map(key).collect()
    }

    async fn add(&mut self, key: &SealedKey) -> Result<bool> {
        Ok(execute(&self.tx, insert(self.engine, key)).await? == 1)
    }

    async fn remove(&mut self, kid: &str) -> Result<()> {
        let gone = statement(self.engine, "DELETE FROM signing_keys WHERE kid = $1", [kid.into()]);
        execute(&self.tx, gone).await.map(|_| ())
    }
}

fn insert(engine: Engine, key: &SealedKey) -> Statement {
    let values = [key.kid.as_str().into(), key.sealed.clone().into(), key.created_at.into(), key.signs_from.into()];
    statement(engine, INSERT, values)
}

fn key(row: &QueryResult) -> Result<SealedKey> {
    Ok(SealedKey { kid: at(row, 0)?, sealed: at(row, 1)?, created_at: at(row, 2)?, signs_from: at(row, 3)? })
}
