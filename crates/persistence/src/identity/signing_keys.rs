//! The sealed keys that sign tokens.

use std::sync::Arc;

use async_trait::async_trait;
use domain::{
    Result,
    identity::ports::{SealedKey, SigningKeys},
};
use sea_orm::{ActiveValue::Set, EntityTrait, QueryOrder, sea_query::OnConflict};

use crate::{database::Database, entity::signing_key, error};

impl Database {
    /// Where the keys that sign tokens are kept.
    pub fn signing_keys(&self) -> Arc<dyn SigningKeys> {
        Arc::new(self.clone())
    }
}

#[async_trait]
impl SigningKeys for Database {
    async fn all(&self) -> Result<Vec<SealedKey>> {
        let rows = signing_key::Entity::find()
            .order_by_asc(signing_key::Column::CreatedAt)
            .order_by_asc(signing_key::Column::Kid)
            .all(&self.reader)
            .await
            .map_err(error::of)?;
        Ok(rows
            .into_iter()
            .map(|row| SealedKey { kid: row.kid, sealed: row.sealed, created_at: row.created_at })
            .collect())
    }

    async fn insert_if_absent(&self, key: &SealedKey) -> Result<()> {
        let row = signing_key::ActiveModel {
            kid: Set(key.kid.clone()),
            sealed: Set(key.sealed.clone()),
            created_at: Set(key.created_at),
        };
        signing_key::Entity::insert(row)
            .on_conflict(OnConflict::new().do_nothing().to_owned())
            .exec_without_returning(&self.writer)
            .await
            .map(|_| ())
            .map_err(error::of)
    }
}
