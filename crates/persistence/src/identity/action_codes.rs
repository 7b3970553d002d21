//! Codes that are good once, and where people signed in from.

use std::sync::Arc;

use async_trait::async_trait;
use domain::{
    Error, Result,
    clock::Timestamp,
    id::UserId,
    identity::{
        ActionCode, Email, Purpose,
        ports::{ActionCodeRepo, PLACE_KEPT, Places},
    },
};
use sea_orm::QueryResult;

use crate::{
    database::Database,
    statement::{at, execute, one, statement},
    tx::SeaTx,
};

const COLUMNS: &str = "user_id, purpose, email, digest, expires_at";
const PUT: &str = "INSERT INTO action_codes (user_id, purpose, email, digest, guesses, expires_at) \
    VALUES ($1, $2, $3, $4, 0, $5) ON CONFLICT (user_id, purpose) DO UPDATE SET email = excluded.email, \
    digest = excluded.digest, guesses = 0, expires_at = excluded.expires_at";
/// Only who exists.
const NOTE: &str = "INSERT INTO sign_in_places (user_id, place, seen_at) SELECT u.id, $2, $3 FROM users u WHERE u.id = $1 \
    ON CONFLICT (user_id, place) DO UPDATE SET seen_at = excluded.seen_at";

#[async_trait]
impl ActionCodeRepo for SeaTx {
    async fn put(&mut self, code: &ActionCode, now: Timestamp) -> Result<()> {
        let forget = statement(self.engine, "DELETE FROM action_codes WHERE expires_at <= $1", [now.into()]);
        execute(&self.tx, forget).await?;
        let values = [
            code.user.0.into(),
            code.purpose.name().into(),
            code.email.as_str().into(),
            code.digest.to_vec().into(),
            code.expires_at.into(),
        ];
        execute(&self.tx, statement(self.engine, PUT, values)).await.map(|_| ())
    }

    async fn find(&mut self, user: UserId, purpose: Purpose, now: Timestamp) -> Result<Option<ActionCode>> {
        let sql = format!("SELECT {COLUMNS} FROM action_codes WHERE user_id = $1 AND purpose = $2 AND expires_at > $3");
        let values = [user.0.into(), purpose.name().into(), now.into()];
        one(&self.tx, statement(self.engine, sql, values)).await?.map(|row| code(&row)).transpose()
    }

    async fn take(&mut self, purpose: Purpose, digest: &[u8; 32], now: Timestamp) -> Result<Option<ActionCode>> {
        let sql = format!(
            "DELETE FROM action_codes WHERE digest = $1 AND purpose = $2 AND expires_at > $3 RETURNING {COLUMNS}"
        );
        let values = [digest.to_vec().into(), purpose.name().into(), now.into()];
        one(&self.tx, statement(self.engine, sql, values)).await?.map(|row| code(&row)).transpose()
    }

    async fn guess(&mut self, user: UserId, purpose: Purpose, most: u32, now: Timestamp) -> Result<Option<ActionCode>> {
        let sql = format!(
            "UPDATE action_codes SET guesses = guesses + 1 WHERE user_id = $1 AND purpose = $2 AND expires_at > $3 \
             AND guesses < $4 RETURNING {COLUMNS}"
        );
        let values = [user.0.into(), purpose.name().into(), now.into(), i64::from(most).into()];
        one(&self.tx, statement(self.engine, sql, values)).await?.map(|row| code(&row)).transpose()
    }

    async fn clear(&mut self, user: UserId) -> Result<()> {
        let sql = "DELETE FROM action_codes WHERE user_id = $1";
        execute(&self.tx, statement(self.engine, sql, [user.0.into()])).await.map(|_| ())
    }
}

impl Database {
    /// Where people signed in from.
    pub fn places(&self) -> Arc<dyn Places> {
        Arc::new(self.clone())
    }
}

#[async_trait]
impl Places for Database {
    async fn seen(&self, user: UserId, place: &[u8; 32]) -> Result<Option<Timestamp>> {
        let sql = "SELECT seen_at FROM sign_in_places WHERE user_id = $1 AND place = $2";
        let row = one(&self.reader, statement(self.engine, sql, [user.0.into(), place.to_vec().into()])).await?;
        row.map(|row| at(&row, 0)).transpose()
    }

    async fn note(&self, user: UserId, place: &[u8; 32], now: Timestamp) -> Result<()> {
        let sql = "DELETE FROM sign_in_places WHERE user_id = $1 AND seen_at <= $2";
        let values = [user.0.into(), (now - PLACE_KEPT).into()];
        execute(&self.writer, statement(self.engine, sql, values)).await?;
        let values = [user.0.into(), place.to_vec().into(), now.into()];
        execute(&self.writer, statement(self.engine, NOTE, values)).await.map(|_| ())
    }
}

fn code(row: &QueryResult) -> Result<ActionCode> {
    let purpose: String = at(row, 1)?;
    let digest: Vec<u8> = at(row, 3)?;
    Ok(ActionCode {
        user: UserId(at(row, 0)?),
        purpose: Purpose::named(&purpose).ok_or_else(|| Error::internal(format!("a code is for {purpose:?}")))?,
        email: Email::stored(at(row, 2)?),
        digest: digest.try_into().map_err(|_| Error::internal("a digest has another length"))?,
        expires_at: at(row, 4)?,
    })
}
