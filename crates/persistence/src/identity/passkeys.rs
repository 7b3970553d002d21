//! Passkeys.

use std::sync::Arc;

use async_trait::async_trait;
use domain::{
    Result,
    clock::Timestamp,
    id::{PasskeyId, UserId},
    identity::{
        Passkey,
        passkeys::ports::{PasskeyQueries, PasskeyRepo},
    },
    page::{Page, PageRequest},
};
use sea_orm::QueryResult;

use crate::{
    database::Database,
    paging::{Paged, paged},
    statement::{all, at, execute, one, statement},
    tx::SeaTx,
};

const COLUMNS: &str = "id, user_id, name, credential, key, created_at, last_used_at";
const INSERT: &str = "INSERT INTO passkeys (id, user_id, name, credential, key, created_at, last_used_at) \
    SELECT $1, u.id, $3, $4, $5, $6, $7 FROM users u WHERE u.id = $2 ON CONFLICT (credential) DO NOTHING";

#[async_trait]
impl PasskeyRepo for SeaTx {
    async fn insert(&mut self, new: &Passkey) -> Result<bool> {
        let values = [
            new.id.0.into(),
            new.user.0.into(),
            new.name.as_str().into(),
            new.credential.clone().into(),
            new.key.clone().into(),
            new.created_at.into(),
            new.last_used_at.into(),
        ];
        Ok(execute(&self.tx, statement(self.engine, INSERT, values)).await? == 1)
    }

    async fn find(&mut self, id: PasskeyId) -> Result<Option<Passkey>> {
        let sql = format!("SELECT {COLUMNS} FROM passkeys WHERE id = $1");
        one(&self.tx, statement(self.engine, sql, [id.0.into()])).await?.map(|row| passkey(&row, 0)).transpose()
    }

    async fn by_credential(&mut self, credential: &[u8]) -> Result<Option<Passkey>> {
        let lock = self.engine.pick("", " FOR NO KEY UPDATE");
        let sql = format!("SELECT {COLUMNS} FROM passkeys WHERE credential = $1{lock}");
        let row = one(&self.tx, statement(self.engine, sql, [credential.to_vec().into()])).await?;
        row.map(|row| passkey(&row, 0)).transpose()
    }

    async fn credentials(&mut self, user: UserId) -> Result<Vec<Vec<u8>>> {
        if !self.engine.pick("", "lock").is_empty() {
            // What follows sees what whoever held this row did, since each statement looks anew.
            let sql = "SELECT 1 FROM users WHERE id = $1 FOR NO KEY UPDATE";
            one(&self.tx, statement(self.engine, sql, [user.0.into()])).await?;
        }
        let sql = "SELECT credential FROM passkeys WHERE user_id = $1 ORDER BY id";
        let rows = all(&self.tx, statement(self.engine, sql, [user.0.into()])).await?;
        rows.iter().map(|row| at(row, 0)).collect()
    }

    async fn used(&mut self, id: PasskeyId, key: &[u8], at: Timestamp) -> Result<()> {
        let sql = "UPDATE passkeys SET key = $2, last_used_at = $3 WHERE id = $1";
        let values = [id.0.into(), key.to_vec().into(), at.into()];
        execute(&self.tx, statement(self.engine, sql, values)).await.map(|_| ())
    }

    async fn rename(&mut self, id: PasskeyId, name: &str) -> Result<()> {
        let sql = "UPDATE passkeys SET name = $2 WHERE id = $1";
        execute(&self.tx, statement(self.engine, sql, [id.0.into(), name.into()])).await.map(|_| ())
    }

    async fn delete(&mut self, id: PasskeyId) -> Result<()> {
        execute(&self.tx, statement(self.engine, "DELETE FROM passkeys WHERE id = $1", [id.0.into()])).await.map(|_| ())
    }
}

impl Database {
    /// The read side of passkeys.
    pub fn passkeys(&self) -> Arc<dyn PasskeyQueries> {
        Arc::new(self.clone())
    }
}

#[async_trait]
impl PasskeyQueries for Database {
    async fn list(&self, user: UserId, page: PageRequest) -> Result<Page<Passkey>> {
        let listed = Paged { columns: COLUMNS, from: "passkeys WHERE user_id = $3", order: "id DESC" };
        paged(self, &listed, vec![user.0.into()], page, passkey).await
    }

    async fn get(&self, user: UserId, id: PasskeyId) -> Result<Option<Passkey>> {
        let sql = format!("SELECT {COLUMNS} FROM passkeys WHERE id = $1 AND user_id = $2");
        let row = one(&self.reader, statement(self.engine, sql, [id.0.into(), user.0.into()])).await?;
        row.map(|row| passkey(&row, 0)).transpose()
    }
}

fn passkey(row: &QueryResult, first: usize) -> Result<Passkey> {
    Ok(Passkey {
        id: PasskeyId(at(row, first)?),
        user: UserId(at(row, first + 1)?),
        name: at(row, first + 2)?,
        credential: at(row, first + 3)?,
        key: at(row, first + 4)?,
        created_at: at(row, first + 5)?,
        last_used_at: at(row, first + 6)?,
    })
}
