//! People, write side.

use async_trait::async_trait;
use domain::{
    Result,
    clock::Timestamp,
    id::UserId,
    identity::{Email, NO_PASSWORD, Pseudonym, User, ports::UserRepo},
    permission::{Role, Roles},
};
use sea_orm::{ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, sea_query::OnConflict};

use crate::{
    access::row,
    entity::{user, user_role},
    error,
    statement::{at, execute, one, statement},
    tx::SeaTx,
};

#[async_trait]
impl UserRepo for SeaTx {
    async fn insert(&mut self, new: &User, password_hash: &str) -> Result<bool> {
        let row = user::ActiveModel {
            id: Set(new.id.0),
            email: Set(new.email.as_str().to_owned()),
            name: Set(new.name.clone()),
            password_hash: Set(password_hash.to_owned()),
            created_at: Set(new.created_at),
            updated_at: Set(new.updated_at),
            email_verified_at: Set(new.email_verified_at),
        };
        let stored = user::Entity::insert(row)
            .on_conflict(OnConflict::new().do_nothing().to_owned())
            .exec_without_returning(&self.tx)
            .await
            .map_err(error::of)?;
        if stored == 0 {
            return Ok(false);
        }
        let roles = new.roles.iter().map(|role| role_row(new.id, role, new.created_at));
        user_role::Entity::insert_many(roles).exec_without_returning(&self.tx).await.map_err(error::of)?;
        Ok(true)
    }

    async fn by_email(&mut self, email: &Email) -> Result<Option<UserId>> {
        let found = user::Entity::find().filter(user::Column::Email.eq(email.as_str())).one(&self.tx).await;
        Ok(found.map_err(error::of)?.map(|row| UserId(row.id)))
    }

    async fn find(&mut self, id: UserId) -> Result<Option<User>> {
        let Some(row) = user::Entity::find_by_id(id.0).one(&self.tx).await.map_err(error::of)? else { return Ok(None) };
        let sql = format!("SELECT {}", row::roles_of(self.engine, "$1"));
        let told = one(&self.tx, statement(self.engine, sql, [id.0.into()])).await?;
        let roles = told.map_or(Ok(Roles::default()), |told| row::roles(&told, 0).map(|(roles, _)| roles))?;
        Ok(Some(User {
            id,
            email: Email::stored(row.email),
            name: row.name,
            email_verified_at: row.email_verified_at,
            roles,
            created_at: row.created_at,
            updated_at: row.updated_at,
        }))
    }

    async fn grant(&mut self, id: UserId, role: Role, at: Timestamp) -> Result<()> {
        user_role::Entity::insert(role_row(id, role, at))
            .on_conflict(OnConflict::new().do_nothing().to_owned())
            .exec_without_returning(&self.tx)
            .await
            .map(|_| ())
            .map_err(error::of)
    }

    async fn revoke(&mut self, id: UserId, role: Role, at: Timestamp) -> Result<()> {
        let gone = user_role::Entity::delete_many()
            .filter(user_role::Column::UserId.eq(id.0))
            .filter(user_role::Column::Role.eq(role.name()))
            .exec(&self.tx)
            .await
            .map_err(error::of)?;
        if gone.rows_affected == 0 {
            return Ok(());
        }
        user::Entity::update_many()
            .col_expr(user::Column::UpdatedAt, at.into())
            .filter(user::Column::Id.eq(id.0))
            .exec(&self.tx)
            .await
            .map(|_| ())
            .map_err(error::of)
    }

    async fn set_email(
        &mut self,
        id: UserId,
        email: &Email,
        verified: Option<Timestamp>,
        at: Timestamp,
    ) -> Result<bool> {
        let sql = "UPDATE users SET email = $2, email_verified_at = $3, updated_at = $4 WHERE id = $1 \
                   AND NOT EXISTS (SELECT 1 FROM users o WHERE o.email = $2 AND o.id <> $1)";
        let values = [id.0.into(), email.as_str().into(), verified.into(), at.into()];
        let changed = self.tx.execute_raw(statement(self.engine, sql, values)).await.map_err(error::of_a_race)?;
        Ok(changed.rows_affected() == 1)
    }

    async fn set_name(&mut self, id: UserId, name: &str, at: Timestamp) -> Result<()> {
        let sql = "UPDATE users SET name = $2, updated_at = $3 WHERE id = $1";
        let values = [id.0.into(), name.into(), at.into()];
        execute(&self.tx, statement(self.engine, sql, values)).await.map(|_| ())
    }

    async fn deletion(&mut self, id: UserId) -> Result<Option<Timestamp>> {
        let sql = "SELECT deletes_at FROM users WHERE id = $1";
        let found = one(&self.tx, statement(self.engine, sql, [id.0.into()])).await?;
        found.map_or(Ok(None), |found| at(&found, 0))
    }

    async fn set_deletion(&mut self, id: UserId, due: Option<Timestamp>) -> Result<()> {
        let sql = "UPDATE users SET deletes_at = $2 WHERE id = $1";
        execute(&self.tx, statement(self.engine, sql, [id.0.into(), due.into()])).await.map(|_| ())
    }

    async fn erase(&mut self, id: UserId, pseudonym: &Pseudonym, at: Timestamp) -> Result<()> {
        self.forget(id, pseudonym, at).await
    }

    async fn has_password(&mut self, id: UserId) -> Result<bool> {
        let sql = "SELECT password_hash FROM users WHERE id = $1";
        let found = one(&self.tx, statement(self.engine, sql, [id.0.into()])).await?;
        found.map_or(Ok(false), |found| at::<String>(&found, 0).map(|hash| hash != NO_PASSWORD))
    }

    async fn set_password_hash(&mut self, id: UserId, hash: &str, at: Timestamp) -> Result<()> {
        user::Entity::update_many()
            .col_expr(user::Column::PasswordHash, hash.into())
            .col_expr(user::Column::UpdatedAt, at.into())
            .filter(user::Column::Id.eq(id.0))
            .exec(&self.tx)
            .await
            .map(|_| ())
            .map_err(error::of)
    }
}

fn role_row(user: UserId, role: Role, at: Timestamp) -> user_role::ActiveModel {
    user_role::ActiveModel { user_id: Set(user.0), role: Set(role.name().to_owned()), created_at: Set(at) }
}
