//! Who is who elsewhere, and sign-ins that are under way there.

use std::sync::Arc;

use async_trait::async_trait;
use domain::{
    Error, Result,
    clock::Timestamp,
    id::UserId,
    identity::{
        Email, ForeignId,
        outside::{
            Link,
            ports::{ForeignIdQueries, ForeignIdRepo, SignInStepRepo, Standing, StandingRepo},
        },
    },
};
use sea_orm::QueryResult;

use crate::{
    database::Database,
    statement::{all, at, execute, one, statement},
    tx::SeaTx,
};

const USER_OF: &str = "SELECT user_id FROM user_identities WHERE issuer = $1 AND subject = $2";
const OF: &str = "SELECT issuer, subject, provider, user_id, email, linked_at FROM user_identities WHERE user_id = $1 \
    ORDER BY linked_at, provider";
const INSERT: &str = "INSERT INTO user_identities (issuer, subject, provider, user_id, email, linked_at) \
    VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING";

#[async_trait]
impl ForeignIdRepo for SeaTx {
    async fn user_of(&mut self, id: &ForeignId) -> Result<Option<UserId>> {
        let row = one(&self.tx, statement(self.engine, USER_OF, key(id))).await?;
        row.map(|row| at(&row, 0).map(UserId)).transpose()
    }

    async fn insert(&mut self, link: &Link) -> Result<bool> {
        let [issuer, subject] = key(&link.id);
        let values = [
            issuer,
            subject,
            link.provider.as_str().into(),
            link.user.0.into(),
            link.email.as_ref().map(|email| email.as_str().to_owned()).into(),
            link.linked_at.into(),
        ];
        Ok(execute(&self.tx, statement(self.engine, INSERT, values)).await? == 1)
    }

    async fn of(&mut self, user: UserId) -> Result<Vec<Link>> {
        // Whoever links holds the row of the person for its key, and whoever looks here holds it alone. SQLite has one writer.
        let lock = self.engine.pick("", "SELECT 1 FROM users WHERE id = $1 FOR UPDATE");
        if !lock.is_empty() {
            one(&self.tx, statement(self.engine, lock, [user.0.into()])).await?;
        }
        let rows = all(&self.tx, statement(self.engine, OF, [user.0.into()])).await?;
        rows.iter().map(link).collect()
    }

    async fn remove(&mut self, user: UserId, provider: &str) -> Result<()> {
        let sql = "DELETE FROM user_identities WHERE user_id = $1 AND provider = $2";
        execute(&self.tx, statement(self.engine, sql, [user.0.into(), provider.into()])).await.map(|_| ())
    }

    async fn set_email(&mut self, id: &ForeignId, email: &Email) -> Result<()> {
        let [issuer, subject] = key(id);
        let sql = "UPDATE user_identities SET email = $3 WHERE issuer = $1 AND subject = $2";
        execute(&self.tx, statement(self.engine, sql, [issuer, subject, email.as_str().into()])).await.map(|_| ())
    }
}

#[async_trait]
impl StandingRepo for SeaTx {
    async fn hold(&mut self, id: &ForeignId) -> Result<Standing> {
        let digest = id.digest().0.to_vec();
        // A row to hold, of whom nothing was told yet. SQLite has one writer.
        let sql = "INSERT INTO foreign_standings (digest) VALUES ($1) ON CONFLICT DO NOTHING";
        execute(&self.tx, statement(self.engine, sql, [digest.clone().into()])).await?;
        let lock = self.engine.pick("", "FOR UPDATE");
        let sql = format!("SELECT told_at, barred, gone FROM foreign_standings WHERE digest = $1 {lock}");
        let row = one(&self.tx, statement(self.engine, sql, [digest.into()])).await?;
        let row = row.ok_or_else(|| Error::internal("what was just put is not there"))?;
        Ok(Standing { told_at: at(&row, 0)?, barred: at(&row, 1)?, gone: at(&row, 2)? })
    }

    async fn set(&mut self, id: &ForeignId, standing: &Standing) -> Result<()> {
        let sql = "UPDATE foreign_standings SET told_at = $2, barred = $3, gone = $4 WHERE digest = $1";
        let values =
            [id.digest().0.to_vec().into(), standing.told_at.into(), standing.barred.into(), standing.gone.into()];
        execute(&self.tx, statement(self.engine, sql, values)).await.map(|_| ())
    }
}

#[async_trait]
impl SignInStepRepo for SeaTx {
    async fn put(&mut self, digest: &[u8; 32], sealed: &[u8], until: Timestamp, now: Timestamp) -> Result<()> {
        let forget = statement(self.engine, "DELETE FROM sign_in_steps WHERE expires_at <= $1", [now.into()]);
        execute(&self.tx, forget).await?;
        let sql = "INSERT INTO sign_in_steps (digest, sealed, expires_at) VALUES ($1, $2, $3)";
        let values = [digest.to_vec().into(), sealed.to_vec().into(), until.into()];
        execute(&self.tx, statement(self.engine, sql, values)).await.map(|_| ())
    }

    async fn take(&mut self, digest: &[u8; 32], now: Timestamp) -> Result<Option<Vec<u8>>> {
        let sql = "DELETE FROM sign_in_steps WHERE digest = $1 AND expires_at > $2 RETURNING sealed";
        let row = one(&self.tx, statement(self.engine, sql, [digest.to_vec().into(), now.into()])).await?;
        row.map(|row| at(&row, 0)).transpose()
    }
}

impl Database {
    /// The read side of who is who elsewhere.
    pub fn foreign_ids(&self) -> Arc<dyn ForeignIdQueries> {
        Arc::new(self.clone())
    }
}

#[async_trait]
impl ForeignIdQueries for Database {
    async fn user_of(&self, id: &ForeignId) -> Result<Option<UserId>> {
        let row = one(&self.reader, statement(self.engine, USER_OF, key(id))).await?;
        row.map(|row| at(&row, 0).map(UserId)).transpose()
    }

    async fn of(&self, user: UserId) -> Result<Vec<Link>> {
        let rows = all(&self.reader, statement(self.engine, OF, [user.0.into()])).await?;
        rows.iter().map(link).collect()
    }
}

fn key(id: &ForeignId) -> [sea_orm::Value; 2] {
    [id.issuer.as_str().into(), id.subject.as_str().into()]
}

fn link(row: &QueryResult) -> Result<Link> {
    let email: Option<String> = at(row, 4)?;
    Ok(Link {
        id: ForeignId { issuer: at(row, 0)?, subject: at(row, 1)? },
        provider: at(row, 2)?,
        user: UserId(at(row, 3)?),
        email: email.map(Email::stored),
        linked_at: at(row, 5)?,
    })
}
