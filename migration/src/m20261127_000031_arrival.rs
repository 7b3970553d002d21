//! Events are numbered in the order in which they were written.

use sea_orm_migration::{prelude::*, sea_orm::DbBackend};

#[derive(Debug)]
pub struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "m20261127_000031_arrival"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let sql = match manager.get_database_backend() {
            DbBackend::Sqlite => include_str!("arrival/up.sqlite.sql"),
            _ => include_str!("arrival/up.postgres.sql"),
        };
        manager.get_connection().execute_unprepared(sql).await.map(|_| ())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let sql = match manager.get_database_backend() {
            DbBackend::Sqlite => include_str!("arrival/down.sqlite.sql"),
            _ => include_str!("arrival/down.postgres.sql"),
        };
        manager.get_connection().execute_unprepared(sql).await.map(|_| ())
    }
}
