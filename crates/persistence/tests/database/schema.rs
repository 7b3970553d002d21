//! The schema itself: it goes up and down, and no foreign key lacks an index.

use migration::Migrator;
use sea_orm_migration::{
    MigratorTrait,
    sea_orm::{ConnectionTrait, Statement},
};
use souk_persistence::Engine;

use crate::harness::{blank, migrated};

crate::on_both!(goes_up_and_down_and_up_again, has_an_index_on_every_foreign_key);

async fn goes_up_and_down_and_up_again(engine: Engine) {
    let fresh = blank(engine).await;
    let on = fresh.database.migration_connection();
    Migrator::up(on, None).await.unwrap();
    Migrator::down(on, None).await.unwrap();
    Migrator::up(on, None).await.unwrap();
}

async fn has_an_index_on_every_foreign_key(engine: Engine) {
    let fresh = migrated(engine).await;
    let on = fresh.database.migration_connection();
    let sql = match engine {
        Engine::Sqlite => {
            "SELECT m.name || '.' || f.\"from\" FROM sqlite_master m JOIN pragma_foreign_key_list(m.name) f WHERE m.type = 'table' \
             AND f.seq = 0 AND NOT EXISTS (SELECT 1 FROM pragma_index_list(m.name) l JOIN pragma_index_info(l.name) i \
                             WHERE i.seqno = 0 AND i.name = f.\"from\")"
        }
        Engine::Postgres => {
            "SELECT c.conrelid::regclass::text || '.' || a.attname FROM pg_constraint c \
             JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1] WHERE c.contype = 'f' \
             AND NOT EXISTS (SELECT 1 FROM pg_index i WHERE i.indrelid = c.conrelid AND i.indkey[0] = c.conkey[1])"
        }
    };
    let rows = on.query_all_raw(Statement::from_string(on.get_database_backend(), sql)).await.unwrap();
    let bare: Vec<String> = rows.iter().map(|row| row.try_get_by_index(0).unwrap()).collect();
    assert!(bare.is_empty(), "foreign keys without an index: {bare:?}");
}

/// What PostgreSQL's type `uuid` refuses by itself.
#[tokio::test]
async fn sqlite_takes_no_id_that_is_none() {
    let fresh = migrated(Engine::Sqlite).await;
    let insert = |id: &str| {
        format!(
            "INSERT INTO events (id, kind, entity_type, entity_id, payload, occurred_at) \
             VALUES ({id}, 'user.created', 'user', zeroblob(16), '{{}}', '2026-01-02T03:04:05+00:00')"
        )
    };
    for id in ["x'00'", "zeroblob(17)", "'sixteen letters!'", "7"] {
        let refused = fresh.database.maintain(&insert(id)).await.unwrap_err();
        let cause = std::error::Error::source(&refused).unwrap().to_string();
        assert!(cause.contains("CHECK constraint failed"), "{id}: {cause}");
    }
    fresh.database.maintain(&insert("zeroblob(16)")).await.unwrap();
    let on = fresh.database.migration_connection();
    let sql = "SELECT m.name FROM sqlite_master m JOIN pragma_table_info(m.name) c WHERE m.type = 'table' \
               AND c.name = 'id' AND lower(c.type) = 'blob' AND m.sql NOT LIKE '%(typeof(id) = ''blob'' AND length(id) = 16)%'";
    let rows = on.query_all_raw(Statement::from_string(on.get_database_backend(), sql)).await.unwrap();
    let bare: Vec<String> = rows.iter().map(|row| row.try_get_by_index(0).unwrap()).collect();
    assert!(bare.is_empty(), "ids that take anything: {bare:?}");
}
