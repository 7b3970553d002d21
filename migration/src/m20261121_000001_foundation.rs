//! People, sellers, the catalogue, the event and audit logs, idempotency keys.
//!
//! The two databases differ in what they are best at (full-text search, partial indexes, triggers), so each has its
//! own file of plain SQL; the columns are the same and the contract suites of the ports hold both to one meaning.

use sea_orm_migration::{prelude::*, sea_orm::DbBackend};

#[derive(Debug)]
pub struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "m20261121_000001_foundation"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let sql = match manager.get_database_backend() {
            DbBackend::Sqlite => include_str!("foundation/up.sqlite.sql"),
            _ => include_str!("foundation/up.postgres.sql"),
        };
        manager.get_connection().execute_unprepared(sql).await.map(|_| ())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let sql = match manager.get_database_backend() {
            DbBackend::Sqlite => include_str!("foundation/down.sqlite.sql"),
            _ => include_str!("foundation/down.postgres.sql"),
        };
        manager.get_connection().execute_unprepared(sql).await.map(|_| ())
    }
}
