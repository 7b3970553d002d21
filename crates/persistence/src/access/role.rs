//! Roles.

use std::sync::Arc;

use async_trait::async_trait;
use domain::{
    Error, Result,
    access::{
        StoredRole,
        ports::{RoleQueries, RoleRepo},
    },
    catalog::Version,
    id::RoleId,
    permission::Role,
};
use sea_orm::QueryResult;

use super::row::{named, names};
use crate::{
    database::Database,
    statement::{all, at, count, execute, one, statement},
    tx::SeaTx,
};

const COLUMNS: &str = "id, name, level, permissions, version, created_at, updated_at";

impl Database {
    /// The read side of roles.
    pub fn roles(&self) -> Arc<dyn RoleQueries> {
        Arc::new(self.clone())
    }
}

#[async_trait]
impl RoleRepo for SeaTx {
    async fn insert(&mut self, new: &StoredRole) -> Result<bool> {
        let sql = format!("INSERT INTO roles ({COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING");
        let values = [
            new.id.0.into(),
            new.role.name().into(),
            i16::from(new.role.level()).into(),
            new.own.map(named).into(),
            new.version.0.into(),
            new.created_at.into(),
            new.updated_at.into(),
        ];
        Ok(execute(&self.tx, statement(self.engine, sql, values)).await? == 1)
    }

    async fn find(&mut self, name: &str) -> Result<Option<StoredRole>> {
        let held = self.engine.pick("", " FOR UPDATE");
        let sql = format!("SELECT {COLUMNS} FROM roles WHERE name = $1{held}");
        let found = one(&self.tx, statement(self.engine, sql, [name.into()])).await?;
        found.map(|row| role(&row)).transpose()
    }

    async fn update(&mut self, changed: &StoredRole) -> Result<()> {
        let sql = "UPDATE roles SET level = $2, permissions = $3, version = $4, updated_at = $5 WHERE id = $1";
        let values = [
            changed.id.0.into(),
            i16::from(changed.role.level()).into(),
            changed.own.map(named).into(),
            changed.version.0.into(),
            changed.updated_at.into(),
        ];
        execute(&self.tx, statement(self.engine, sql, values)).await.map(|_| ())
    }

    async fn delete(&mut self, id: RoleId, role: Role) -> Result<()> {
        let taken = statement(self.engine, "DELETE FROM user_roles WHERE role = $1", [role.name().into()]);
        execute(&self.tx, taken).await?;
        execute(&self.tx, statement(self.engine, "DELETE FROM roles WHERE id = $1", [id.0.into()])).await.map(|_| ())
    }

    async fn holders(&mut self, role: Role) -> Result<u64> {
        let sql = "SELECT count(*) FROM user_roles x WHERE x.role = $1 \
                   AND NOT EXISTS (SELECT 1 FROM user_bans b WHERE b.user_id = x.user_id)";
        let counted = one(&self.tx, statement(self.engine, sql, [role.name().into()])).await?;
        counted.map_or(Ok(0), |row| count(&row, 0))
    }
}

#[async_trait]
impl RoleQueries for Database {
    async fn all(&self) -> Result<Vec<StoredRole>> {
        let rows = all(&self.reader, statement(self.engine, format!("SELECT {COLUMNS} FROM roles"), [])).await?;
        let mut roles = rows.iter().map(role).collect::<Result<Vec<_>>>()?;
        roles.sort_by_key(|stored| stored.role);
        Ok(roles)
    }
}

fn role(row: &QueryResult) -> Result<StoredRole> {
    let (name, level): (String, i16) = (at(row, 1)?, at(row, 2)?);
    let role = u8::try_from(level).ok().and_then(|level| Role::stored(&name, level));
    Ok(StoredRole {
        id: RoleId(at(row, 0)?),
        role: role.ok_or_else(|| Error::internal(format!("a role is {name:?} at {level}")))?,
        own: at::<Option<String>>(row, 3)?.map(|text| names(&text)),
        version: Version(at(row, 4)?),
        created_at: at(row, 5)?,
        updated_at: at(row, 6)?,
    })
}
