//! People, read side: one statement each.

use std::sync::Arc;

use async_trait::async_trait;
use domain::{
    Principal, Result,
    clock::Timestamp,
    id::UserId,
    identity::{
        Email, GuestQueries, Profile, User,
        ports::{Account, UserQueries},
    },
};
use sea_orm::QueryResult;

use crate::{
    access::row::{self, BAN},
    database::Database,
    engine::Engine,
    statement::{all, at, one, statement},
};

impl Database {
    /// The read side of people.
    pub fn users(&self) -> Arc<dyn UserQueries> {
        Arc::new(self.clone())
    }

    /// The read side of guests.
    pub fn guests(&self) -> Arc<dyn GuestQueries> {
        Arc::new(self.clone())
    }

    async fn account_where(&self, condition: &str, value: sea_orm::Value) -> Result<Option<Account>> {
        let sql = format!(
            "SELECT u.id, u.email, u.name, u.password_hash, u.created_at, u.updated_at, {}, {}, u.email_verified_at, {BAN} \
             FROM users u LEFT JOIN user_bans b ON b.user_id = u.id WHERE {condition}",
            row::sellers_of(self.engine, "u.id"),
            row::roles_of(self.engine, "u.id")
        );
        let row = one(&self.reader, statement(self.engine, sql, [value])).await?;
        row.map(|row| account(&row)).transpose()
    }
}

#[async_trait]
impl UserQueries for Database {
    async fn principal(&self, id: UserId) -> Result<Option<Principal>> {
        let sql = format!(
            "SELECT {}, {} FROM users u WHERE u.id = $1 AND u.deleted_at IS NULL \
             AND NOT EXISTS (SELECT 1 FROM user_bans b WHERE b.user_id = u.id)",
            row::roles_of(self.engine, "u.id"),
            row::sellers_of(self.engine, "u.id")
        );
        let found = one(&self.reader, statement(self.engine, sql, [id.0.into()])).await?;
        let Some(found) = found else { return Ok(None) };
        let (roles, permissions) = row::roles(&found, 0)?;
        Ok(Some(Principal::new(id, roles, permissions, row::sellers(&found, 1)?)))
    }

    async fn account(&self, email: &Email) -> Result<Option<Account>> {
        self.account_where("u.email = $1", email.as_str().into()).await
    }

    async fn hash_from(&self, address: &str) -> Result<Option<String>> {
        let email = match self.engine {
            Engine::Postgres => "email COLLATE \"C\"",
            Engine::Sqlite => "email",
        };
        let sql = format!(
            "SELECT COALESCE((SELECT password_hash FROM users WHERE {email} >= $1 ORDER BY {email} LIMIT 1), \
             (SELECT password_hash FROM users ORDER BY {email} LIMIT 1))"
        );
        let found = one(&self.reader, statement(self.engine, sql, [address.into()])).await?;
        found.map_or(Ok(None), |found| at(&found, 0))
    }

    async fn own_account(&self, id: UserId) -> Result<Option<Account>> {
        self.account_where("u.id = $1", id.0.into()).await
    }

    async fn deletion(&self, id: UserId) -> Result<Option<Timestamp>> {
        let sql = "SELECT deletes_at FROM users WHERE id = $1";
        let found = one(&self.reader, statement(self.engine, sql, [id.0.into()])).await?;
        found.map_or(Ok(None), |found| at(&found, 0))
    }

    async fn profile(&self, id: UserId) -> Result<Option<Profile>> {
        let account = self.account_where("u.id = $1", id.0.into()).await?;
        Ok(account.map(|account| Profile { user: account.user, seller: account.seller }))
    }
}

#[async_trait]
impl GuestQueries for Database {
    async fn came_before(&self, before: Timestamp, limit: u32) -> Result<Vec<UserId>> {
        let sql = "SELECT u.id FROM user_roles r JOIN users u ON u.id = r.user_id \
                   WHERE r.role = 'guest' AND u.created_at < $1 ORDER BY u.created_at, u.id LIMIT $2";
        let values = [before.into(), i64::from(limit).into()];
        let rows = all(&self.reader, statement(self.engine, sql, values)).await?;
        rows.iter().map(|row| at(row, 0).map(UserId)).collect()
    }
}

fn account(row: &QueryResult) -> Result<Account> {
    Ok(Account {
        user: User {
            id: UserId(at(row, 0)?),
            email: Email::stored(at(row, 1)?),
            name: at(row, 2)?,
            email_verified_at: at(row, 8)?,
            roles: row::roles(row, 7)?.0,
            created_at: at(row, 4)?,
            updated_at: at(row, 5)?,
        },
        seller: row::sellers(row, 6)?.sole(),
        ban: row::ban(row, 9)?,
        password_hash: at(row, 3)?,
    })
}
