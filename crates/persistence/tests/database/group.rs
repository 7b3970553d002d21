//! Many who commit at once: SQLite commits them together, and each is told only what is so of its own.

use std::{future::poll_fn, sync::Arc, task::Poll, time::Duration};

use domain::{Result, identity::User, permission::Role, testing::Fixtures};
use migration::Migrator;
use sea_orm_migration::MigratorTrait;
use souk_persistence::Engine;
use tokio::task::JoinSet;

use crate::{
    harness::{Fresh, blank_with, migrated},
    on_both,
};

on_both!(
    what_was_told_stored_is_seen_by_others_at_once,
    who_gives_up_takes_nobody_along,
    who_goes_away_takes_nobody_along,
    a_commit_that_fails_is_told_to_whom_it_concerns,
    work_that_is_no_transaction_finds_none_open,
    who_saw_what_others_did_waits_for_its_commit,
);

/// One connection to write with, so that all others wait for it.
async fn one_writer(engine: Engine) -> (Fresh, Arc<Fixtures>) {
    let fresh = blank_with(engine, |settings| settings.max_connections = 1).await;
    Migrator::up(fresh.database.migration_connection(), None).await.unwrap();
    let given = Arc::new(Fixtures::new(fresh.database.store(), Arc::default()));
    (fresh, given)
}

async fn store(given: &Fixtures, user: &User) -> Result<()> {
    let mut tx = given.shop.store.begin().await?;
    assert!(tx.users().insert(user, "plain$x").await?);
    tx.commit().await
}

async fn is_seen(fresh: &Fresh, user: &User) -> bool {
    fresh.database.users().principal(user.id).await.unwrap().is_some()
}

async fn what_was_told_stored_is_seen_by_others_at_once(engine: Engine) {
    let (fresh, given) = one_writer(engine).await;
    let fresh = Arc::new(fresh);
    let mut all = JoinSet::new();
    for _ in 0..40 {
        let (fresh, given) = (Arc::clone(&fresh), Arc::clone(&given));
        all.spawn(async move {
            for _ in 0..5 {
                let user = given.user(Role::User);
                store(&given, &user).await.unwrap();
                assert!(is_seen(&fresh, &user).await);
            }
        });
    }
    all.join_all().await;
}

async fn who_gives_up_takes_nobody_along(engine: Engine) {
    let (fresh, given) = one_writer(engine).await;
    let mut all = JoinSet::new();
    for n in 0..60 {
        let given = Arc::clone(&given);
        all.spawn(async move {
            let user = given.user(Role::User);
            let mut tx = given.tx().await;
            assert!(tx.users().insert(&user, "plain$x").await.unwrap());
            match n % 4 {
                0 => tx.rollback().await.unwrap(),
                1 => drop(tx),
                // A statement that fails, for no such seller is there, and what came before it with it.
                2 => {
                    let mut product = given.product(given.shop.id());
                    assert!(tx.products().insert(&mut product).await.is_err());
                }
                _ => tx.commit().await.unwrap(),
            }
            (user, n % 4 == 3)
        });
    }
    for (user, committed) in all.join_all().await {
        assert_eq!(is_seen(&fresh, &user).await, committed);
    }
}

async fn who_goes_away_takes_nobody_along(engine: Engine) {
    let (fresh, given) = one_writer(engine).await;
    // Gone after so many steps of the future: in line, before, during and after each of its statements.
    for steps in 0..16 {
        let mut all = JoinSet::new();
        for _ in 0..4 {
            let given = Arc::clone(&given);
            all.spawn(async move {
                let user = given.user(Role::User);
                store(&given, &user).await.map(|()| user)
            });
        }
        let one = given.user(Role::User);
        let mut leaving = Box::pin(store(&given, &one));
        for _ in 0..steps {
            if poll_fn(|context| Poll::Ready(leaving.as_mut().poll(context).is_ready())).await {
                break;
            }
            tokio::time::sleep(Duration::from_micros(300)).await;
        }
        drop(leaving);
        for user in all.join_all().await {
            assert!(is_seen(&fresh, &user.unwrap()).await);
        }
    }
    store(&given, &given.user(Role::User)).await.unwrap();
}

async fn a_commit_that_fails_is_told_to_whom_it_concerns(engine: Engine) {
    let (fresh, given) = one_writer(engine).await;
    // What is wrong with it, the database finds only at the commit.
    let refusing = match engine {
        Engine::Sqlite => {
            "CREATE TRIGGER refuse AFTER INSERT ON users WHEN new.name = 'refuse' BEGIN INSERT INTO refusals VALUES (1); END"
        }
        Engine::Postgres => {
            "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS \
             $$ BEGIN INSERT INTO refusals VALUES (1); RETURN NULL; END $$; \
             CREATE TRIGGER refuse AFTER INSERT ON users FOR EACH ROW WHEN (new.name = 'refuse') EXECUTE FUNCTION refuse()"
        }
    };
    let tables = "CREATE TABLE nowhere (id integer PRIMARY KEY); \
                  CREATE TABLE refusals (id integer REFERENCES nowhere (id) DEFERRABLE INITIALLY DEFERRED)";
    fresh.database.maintain(&format!("{tables}; {refusing}")).await.unwrap();
    for refused in [0, 3, 7] {
        let mut all = JoinSet::new();
        for n in 0..8 {
            let given = Arc::clone(&given);
            all.spawn(async move {
                let mut user = given.user(Role::User);
                if n == refused {
                    "refuse".clone_into(&mut user.name);
                }
                let told = store(&given, &user).await;
                assert!(n != refused || told.is_err());
                (user, told.is_ok())
            });
        }
        for (user, told) in all.join_all().await {
            assert_eq!(is_seen(&fresh, &user).await, told);
        }
        let next = given.user(Role::User);
        store(&given, &next).await.unwrap();
        assert!(is_seen(&fresh, &next).await);
    }
}

async fn work_that_is_no_transaction_finds_none_open(engine: Engine) {
    let (fresh, given) = one_writer(engine).await;
    let mut all = JoinSet::new();
    for n in 0..30 {
        let (given, database) = (Arc::clone(&given), fresh.database.clone());
        all.spawn(async move {
            if n % 5 == 4 {
                // Both engines refuse it within a transaction.
                database.maintain("VACUUM").await.unwrap();
            } else {
                store(&given, &given.user(Role::User)).await.unwrap();
            }
        });
    }
    all.join_all().await;
}

async fn who_saw_what_others_did_waits_for_its_commit(engine: Engine) {
    let (fresh, given) = one_writer(engine).await;
    for _ in 0..10 {
        let user = given.user(Role::User);
        let mut first = given.tx().await;
        assert!(first.users().insert(&user, "plain$x").await.unwrap());
        // Such as who repeats a request, and is given the answer that was kept.
        let second = async {
            let mut tx = given.tx().await;
            assert!(tx.users().find(user.id).await.unwrap().is_some());
            tx.rollback().await.unwrap();
            assert!(is_seen(&fresh, &user).await);
        };
        let (told, ()) = tokio::join!(
            async {
                // The other one stands in line by then.
                tokio::task::yield_now().await;
                first.commit().await
            },
            second
        );
        told.unwrap();
    }
}

#[tokio::test]
async fn sqlite_writes_less_for_many_at_once() {
    let fresh = migrated(Engine::Sqlite).await;
    let given = Arc::new(Fixtures::new(fresh.database.store(), Arc::default()));
    let log = || std::fs::metadata(fresh.file().with_extension("db-wal")).unwrap().len();
    let before = log();
    for _ in 0..50 {
        store(&given, &given.user(Role::User)).await.unwrap();
    }
    let alone = log() - before;
    let mut first = given.tx().await;
    assert!(first.users().insert(&given.user(Role::User), "plain$x").await.unwrap());
    let mut all = JoinSet::new();
    for _ in 0..50 {
        let given = Arc::clone(&given);
        all.spawn(async move { store(&given, &given.user(Role::User)).await.unwrap() });
    }
    // All of them stand in line by then.
    tokio::task::yield_now().await;
    first.commit().await.unwrap();
    all.join_all().await;
    let together = log() - before - alone;
    assert!(together * 4 < alone, "{together} bytes together, {alone} one after the other");
}
