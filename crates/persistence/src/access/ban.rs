//! Bans, write side.

use async_trait::async_trait;
use domain::{
    Result,
    access::{Ban, ports::BanRepo},
    id::UserId,
};

use uuid::Uuid;

use super::row::{self, BAN};
use crate::{
    statement::{execute, one, statement},
    tx::SeaTx,
};

#[async_trait]
impl BanRepo for SeaTx {
    async fn find(&mut self, user: UserId) -> Result<Option<Ban>> {
        let sql = format!("SELECT {BAN} FROM user_bans b WHERE b.user_id = $1");
        match one(&self.tx, statement(self.engine, sql, [user.0.into()])).await? {
            Some(found) => row::ban(&found, 0),
            None => Ok(None),
        }
    }

    async fn put(&mut self, ban: &Ban) -> Result<()> {
        let sql = "INSERT INTO user_bans (user_id, until, reason, by_id, created_at) VALUES ($1, $2, $3, $4, $5) \
                   ON CONFLICT (user_id) DO UPDATE SET until = excluded.until, reason = excluded.reason, \
                   by_id = excluded.by_id, created_at = excluded.created_at";
        let by = ban.by.map_or_else(Uuid::nil, |by| by.0);
        let values = [ban.user.0.into(), ban.until.into(), ban.reason.as_str().into(), by.into(), ban.at.into()];
        execute(&self.tx, statement(self.engine, sql, values)).await.map(|_| ())
    }

    async fn lift(&mut self, user: UserId) -> Result<bool> {
        let sql = "DELETE FROM user_bans WHERE user_id = $1";
        Ok(execute(&self.tx, statement(self.engine, sql, [user.0.into()])).await? == 1)
    }
}
