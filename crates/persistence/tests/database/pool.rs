//! A pool of one connection: whoever finds it in use waits, and what was left half done leaves no trace.

use std::{
    future::poll_fn,
    task::Poll,
    time::{Duration, Instant},
};

use domain::{
    Error,
    audit::AuditEntry,
    event::{Entity, Event},
    id::{AuditId, EventId},
    permission::Role,
    testing::Fixtures,
};
use migration::Migrator;
use sea_orm_migration::MigratorTrait;
use souk_persistence::Engine;

use crate::{
    harness::{Fresh, blank_with},
    on_both,
};

/// Within this a database is opened on a busy machine, too.
const PATIENCE: Duration = Duration::from_secs(3);

on_both!(
    one_waits_in_line_and_no_longer_than_said,
    what_was_dropped_half_way_is_undone,
    a_commit_that_fails_stores_nothing,
    who_went_away_leaves_a_sound_pool,
    who_went_away_within_a_transaction_stores_nothing,
    a_refused_statement_leaves_the_connection,
    a_closed_database_is_away,
);

async fn scarce(engine: Engine) -> Fresh {
    let fresh = blank_with(engine, |settings| {
        settings.max_connections = 1;
        settings.acquire_timeout = PATIENCE;
    })
    .await;
    Migrator::up(fresh.database.migration_connection(), None).await.unwrap();
    fresh
}

async fn one_waits_in_line_and_no_longer_than_said(engine: Engine) {
    let fresh = scarce(engine).await;
    let store = fresh.database.store();
    let first = store.begin().await.unwrap();
    let began = Instant::now();
    let second = store.begin().await;
    assert!(matches!(second.err(), Some(Error::Unavailable { .. })));
    assert!(began.elapsed() >= PATIENCE);
    let (second, ()) = tokio::join!(store.begin(), async {
        tokio::time::sleep(PATIENCE / 3).await;
        first.rollback().await.unwrap();
    });
    second.unwrap().rollback().await.unwrap();
}

async fn what_was_dropped_half_way_is_undone(engine: Engine) {
    let fresh = scarce(engine).await;
    let given = Fixtures::new(fresh.database.store(), std::sync::Arc::default());
    let user = given.user(Role::User);
    for _ in 0..3 {
        let mut tx = given.tx().await;
        assert!(tx.users().insert(&user, "plain$x").await.unwrap(), "the attempt before left nothing");
        drop(tx);
    }
    assert_eq!(given.tx().await.users().find(user.id).await.unwrap(), None);
}

async fn a_commit_that_fails_stores_nothing(engine: Engine) {
    let fresh = scarce(engine).await;
    let given = Fixtures::new(fresh.database.store(), std::sync::Arc::default());
    let entry = AuditEntry {
        id: AuditId(uuid::Uuid::from_u128(1)),
        actor: None,
        impersonator: None,
        action: "user.create".to_owned(),
        entity: Entity { kind: "user".to_owned(), id: uuid::Uuid::from_u128(2) },
        metadata: serde_json::Value::Null,
        at: chrono::DateTime::UNIX_EPOCH,
    };
    let (stored, refused) = (given.user(Role::User), given.user(Role::User));
    for (user, good) in [(&stored, true), (&refused, false), (&refused, false)] {
        let mut tx = given.tx().await;
        assert!(tx.users().insert(user, "plain$x").await.unwrap());
        let event = Event {
            id: EventId(user.id.0),
            kind: "user.created".to_owned(),
            entity: entry.entity.clone(),
            actor: None,
            at: entry.at,
            payload: serde_json::Value::Null,
        };
        tx.outbox().append(event).await.unwrap();
        // The id of an entry is unique.
        tx.audit().append(entry.clone()).await.unwrap();
        assert_eq!(tx.commit().await.is_ok(), good);
    }
    let mut tx = given.tx().await;
    assert!(tx.users().find(stored.id).await.unwrap().is_some());
    assert_eq!(tx.users().find(refused.id).await.unwrap(), None);
}

async fn who_went_away_within_a_transaction_stores_nothing(engine: Engine) {
    let fresh = scarce(engine).await;
    let given = Fixtures::new(fresh.database.store(), std::sync::Arc::default());
    let user = given.user(Role::User);
    // Gone after so many steps of the future: before, during and after each of its statements.
    for steps in 0..12 {
        let work = async {
            let mut tx = given.tx().await;
            assert!(tx.users().insert(&user, "plain$x").await.unwrap(), "the attempt before left nothing");
            tx.users().find(user.id).await.unwrap();
            std::future::pending::<()>().await;
        };
        let mut work = Box::pin(work);
        for _ in 0..steps {
            assert!(poll_fn(|context| Poll::Ready(work.as_mut().poll(context).is_pending())).await);
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }
    assert_eq!(given.tx().await.users().find(user.id).await.unwrap(), None);
}

async fn who_went_away_leaves_a_sound_pool(engine: Engine) {
    let fresh = scarce(engine).await;
    // Long enough to be given up on, short enough to end within the patience of the next.
    let slow = match engine {
        Engine::Postgres => "SELECT pg_sleep(0.2)",
        Engine::Sqlite => {
            "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000) SELECT max(i) FROM n"
        }
    };
    for _ in 0..5 {
        let asked = fresh.database.maintain(slow);
        assert!(tokio::time::timeout(Duration::from_micros(200), asked).await.is_err(), "it was too quick to leave");
        fresh.database.maintain("SELECT 1").await.unwrap();
    }
}

async fn a_refused_statement_leaves_the_connection(engine: Engine) {
    let fresh = scarce(engine).await;
    for _ in 0..3 {
        assert!(fresh.database.maintain("SELECT nothing FROM nowhere").await.is_err());
        fresh.database.maintain("SELECT 1").await.unwrap();
    }
}

/// Only PostgreSQL can be told; SQLite is in the process.
#[tokio::test]
async fn a_statement_that_takes_too_long_is_ended_and_the_database_told_away() {
    let fresh = blank_with(Engine::Postgres, |settings| settings.statement_timeout = Duration::from_millis(100)).await;
    let ended = fresh.database.maintain("SELECT pg_sleep(60)").await;
    assert!(matches!(ended, Err(Error::Unavailable { .. })), "{ended:?}");
    fresh.database.maintain("SELECT 1").await.unwrap();
}

async fn a_closed_database_is_away(engine: Engine) {
    let fresh = scarce(engine).await;
    let (store, views) = (fresh.database.store(), fresh.database.views());
    fresh.database.clone().close().await.unwrap();
    assert!(matches!(store.begin().await.err(), Some(Error::Unavailable { .. })));
    assert!(matches!(views.store(&[]).await.err(), Some(Error::Unavailable { .. })));
}

#[test]
fn the_last_handle_may_go_after_the_runtime() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let fresh = runtime.block_on(async {
        let fresh = scarce(Engine::Sqlite).await;
        fresh.database.maintain("SELECT 1").await.unwrap();
        fresh
    });
    drop(runtime);
    drop(fresh);
}
