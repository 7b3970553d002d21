//! Authenticator apps and recovery codes.

use std::sync::Arc;

use async_trait::async_trait;
use domain::{
    Result,
    clock::Timestamp,
    id::UserId,
    identity::{
        NO_PASSWORD,
        factors::{
            StoredTotp,
            ports::{FactorQueries, FactorRepo, Ways},
        },
    },
};

use crate::{
    database::Database,
    statement::{at, count, execute, one, statement},
    tx::SeaTx,
};

const PUT: &str = "INSERT INTO totp_factors (user_id, sealed, confirmed_at, last_step, created_at) \
    VALUES ($1, $2, $3, $4, $5) ON CONFLICT (user_id) DO UPDATE SET sealed = excluded.sealed, \
    confirmed_at = excluded.confirmed_at, last_step = excluded.last_step, created_at = excluded.created_at \
    WHERE totp_factors.confirmed_at IS NULL";
const WAYS: &str = "SELECT u.password_hash, (SELECT t.confirmed_at FROM totp_factors t WHERE t.user_id = u.id), \
    (SELECT count(*) FROM recovery_codes r WHERE r.user_id = u.id), \
    (SELECT count(*) FROM passkeys p WHERE p.user_id = u.id) FROM users u WHERE u.id = $1";

#[async_trait]
impl FactorRepo for SeaTx {
    async fn totp(&mut self, user: UserId) -> Result<Option<StoredTotp>> {
        let lock = self.engine.pick("", " FOR NO KEY UPDATE");
        let sql =
            format!("SELECT sealed, confirmed_at, last_step, created_at FROM totp_factors WHERE user_id = $1{lock}");
        let Some(row) = one(&self.tx, statement(self.engine, sql, [user.0.into()])).await? else { return Ok(None) };
        let (sealed, confirmed_at) = (at(&row, 0)?, at(&row, 1)?);
        Ok(Some(StoredTotp { user, sealed, confirmed_at, last_step: at(&row, 2)?, created_at: at(&row, 3)? }))
    }

    async fn put_totp(&mut self, totp: &StoredTotp) -> Result<bool> {
        let values = [
            totp.user.0.into(),
            totp.sealed.clone().into(),
            totp.confirmed_at.into(),
            totp.last_step.into(),
            totp.created_at.into(),
        ];
        Ok(execute(&self.tx, statement(self.engine, PUT, values)).await? == 1)
    }

    async fn confirm_totp(&mut self, user: UserId, at: Timestamp) -> Result<()> {
        let sql = "UPDATE totp_factors SET confirmed_at = $2 WHERE user_id = $1";
        execute(&self.tx, statement(self.engine, sql, [user.0.into(), at.into()])).await.map(|_| ())
    }

    async fn use_step(&mut self, user: UserId, step: i64) -> Result<bool> {
        let sql = "UPDATE totp_factors SET last_step = $2 WHERE user_id = $1 AND last_step < $2";
        Ok(execute(&self.tx, statement(self.engine, sql, [user.0.into(), step.into()])).await? == 1)
    }

    async fn remove_totp(&mut self, user: UserId) -> Result<bool> {
        let codes = statement(self.engine, "DELETE FROM recovery_codes WHERE user_id = $1", [user.0.into()]);
        execute(&self.tx, codes).await?;
        let app = statement(self.engine, "DELETE FROM totp_factors WHERE user_id = $1", [user.0.into()]);
        Ok(execute(&self.tx, app).await? == 1)
    }

    async fn put_recovery(&mut self, user: UserId, digests: &[[u8; 32]]) -> Result<()> {
        let sql = "DELETE FROM recovery_codes WHERE user_id = $1";
        execute(&self.tx, statement(self.engine, sql, [user.0.into()])).await?;
        for digest in digests {
            let sql = "INSERT INTO recovery_codes (user_id, digest) VALUES ($1, $2)";
            execute(&self.tx, statement(self.engine, sql, [user.0.into(), digest.to_vec().into()])).await?;
        }
        Ok(())
    }

    async fn take_recovery(&mut self, user: UserId, digest: &[u8; 32]) -> Result<bool> {
        let sql = "DELETE FROM recovery_codes WHERE user_id = $1 AND digest = $2";
        Ok(execute(&self.tx, statement(self.engine, sql, [user.0.into(), digest.to_vec().into()])).await? == 1)
    }
}

impl Database {
    /// The read side of second factors.
    pub fn factors(&self) -> Arc<dyn FactorQueries> {
        Arc::new(self.clone())
    }
}

#[async_trait]
impl FactorQueries for Database {
    async fn ways(&self, user: UserId) -> Result<Option<Ways>> {
        let Some(row) = one(&self.reader, statement(self.engine, WAYS, [user.0.into()])).await? else {
            return Ok(None);
        };
        let number = |index| count(&row, index).map(|n| u32::try_from(n).unwrap_or(u32::MAX));
        Ok(Some(Ways {
            password: at::<String>(&row, 0)? != NO_PASSWORD,
            totp: at(&row, 1)?,
            recovery_codes: number(2)?,
            passkeys: number(3)?,
        }))
    }
}
