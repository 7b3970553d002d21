//! People, read side: one statement each.

use std::sync::Arc;

use async_trait::async_trait;
use domain::{
    Principal, Result,
    id::{SellerId, UserId},
    identity::{
        Email, Profile, User,
        ports::{Account, UserQueries},
    },
    permission::{Role, Roles},
};
use sea_orm::QueryResult;
use uuid::Uuid;

use crate::{
    database::Database,
    statement::{at, one, statement},
};

impl Database {
    /// The read side of people.
    pub fn users(&self) -> Arc<dyn UserQueries> {
        Arc::new(self.clone())
    }

    fn roles_of(&self, user: &str) -> String {
        let joined = self.engine.pick("group_concat(role, ' ')", "string_agg(role, ' ')");
        format!("(SELECT {joined} FROM user_roles WHERE user_id = {user})")
    }

    async fn account_where(&self, condition: &str, value: sea_orm::Value) -> Result<Option<Account>> {
        let sql = format!(
            "SELECT u.id, u.email, u.name, u.password_hash, u.created_at, u.updated_at, m.seller_id, {}, u.email_verified_at \
             FROM users u LEFT JOIN seller_members m ON m.user_id = u.id WHERE {condition}",
            self.roles_of("u.id")
        );
        let row = one(&self.reader, statement(self.engine, sql, [value])).await?;
        row.map(|row| account(&row)).transpose()
    }
}

#[async_trait]
impl UserQueries for Database {
    async fn principal(&self, id: UserId) -> Result<Option<Principal>> {
        let sql = format!(
            "SELECT {}, m.seller_id FROM users u LEFT JOIN seller_members m ON m.user_id = u.id WHERE u.id = $1",
            self.roles_of("u.id")
        );
        let Some(row) = one(&self.reader, statement(self.engine, sql, [id.0.into()])).await? else { return Ok(None) };
        Ok(Some(Principal { user: id, roles: roles(&row, 0)?, seller: at::<Option<Uuid>>(&row, 1)?.map(SellerId) }))
    }

    async fn account(&self, email: &Email) -> Result<Option<Account>> {
        self.account_where("u.email = $1", email.as_str().into()).await
    }

    async fn own_account(&self, id: UserId) -> Result<Option<Account>> {
        self.account_where("u.id = $1", id.0.into()).await
    }

    async fn profile(&self, id: UserId) -> Result<Option<Profile>> {
        let account = self.account_where("u.id = $1", id.0.into()).await?;
        Ok(account.map(|account| Profile { user: account.user, seller: account.seller }))
    }
}

fn account(row: &QueryResult) -> Result<Account> {
    Ok(Account {
        user: User {
            id: UserId(at(row, 0)?),
            email: Email::stored(at(row, 1)?),
            name: at(row, 2)?,
            email_verified_at: at(row, 8)?,
            roles: roles(row, 7)?,
            created_at: at(row, 4)?,
            updated_at: at(row, 5)?,
        },
        seller: at::<Option<Uuid>>(row, 6)?.map(SellerId),
        password_hash: at(row, 3)?,
    })
}

fn roles(row: &QueryResult, index: usize) -> Result<Roles> {
    let names: Option<String> = at(row, index)?;
    Ok(Roles::new(names.unwrap_or_default().split(' ').filter_map(Role::named)))
}
