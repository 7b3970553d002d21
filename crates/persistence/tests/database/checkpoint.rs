//! SQLite's log goes into the file without anybody closing the database.

use std::{sync::Arc, time::Duration};

use domain::{permission::Role, testing::Fixtures};
use sea_orm_migration::sea_orm::{self, ConnectionTrait};
use souk_persistence::Engine;

use crate::harness::{Fresh, migrated};

/// As many users as the file holds by itself, its log apart; none while the file is half copied.
async fn users_in_file(fresh: &Fresh) -> i64 {
    let apart = tempfile::tempdir().unwrap();
    let copy = apart.path().join("copy.db");
    std::fs::copy(fresh.file(), &copy).unwrap();
    let database = sea_orm::Database::connect(format!("sqlite:{}", copy.display())).await.unwrap();
    let counted = "SELECT count(*) AS n FROM users";
    let row = database.query_one_raw(sea_orm::Statement::from_string(sea_orm::DbBackend::Sqlite, counted)).await;
    row.ok().flatten().map_or(0, |row| row.try_get("", "n").unwrap())
}

async fn commit_users(fresh: &Fresh, count: usize) {
    let given = Fixtures::new(fresh.database.store(), Arc::default());
    for _ in 0..count {
        let mut tx = given.tx().await;
        assert!(tx.users().insert(&given.user(Role::User), "plain$x").await.unwrap());
        tx.commit().await.unwrap();
    }
}

#[tokio::test]
async fn the_log_is_copied_beside_the_writing() {
    let fresh = migrated(Engine::Sqlite).await;
    commit_users(&fresh, 100).await;
    assert_eq!(users_in_file(&fresh).await, 0, "nobody copies yet");

    let database = fresh.database.clone();
    let mut copying = tokio::task::JoinSet::new();
    copying.spawn(async move { database.keep_log_short().await });
    let copied = async {
        while users_in_file(&fresh).await < 100 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), copied).await.expect("what was committed is in the file");
    // Also what is committed later, again and again.
    commit_users(&fresh, 200).await;
    let copied = async {
        while users_in_file(&fresh).await < 200 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), copied).await.expect("it goes on copying");
}
