//! Jobs where it matters that the database is a real one: many workers at once, and the relay's transaction.

use std::{sync::Arc, time::Duration};

use domain::{
    Shop,
    catalog::{ReindexPage, ReindexProducts, reindex_page},
    event::Event,
    id::{EventId, JobId},
    job::{
        Job as _, JobState, NewJob, Policy, Reactions, Request, Settled, StoredJob,
        ports::{Ask, JobFilter, JobQueue},
    },
    page::{Limit, PageRequest},
    relay::{Relay, Step, step},
    testing::{FakeClock, Fixtures},
};
use serde_json::json;
use souk_persistence::Engine;

use crate::{
    harness::{Fresh, migrated},
    logs::{drain, literal, log, number, relay, shop, sql, write},
};

crate::on_both!(
    many_workers_take_each_job_once,
    what_follows_from_events_is_stored_in_the_transaction_that_numbers_them,
    a_reaction_whose_key_is_taken_holds_up_nothing,
    an_effect_of_two_workers_happens_once,
    whoever_stored_jobs_wakes_the_worker,
    words_that_are_out_of_date_are_found_anew,
    an_idle_worker_does_not_wait_for_writers,
);

const LEASE: Duration = Duration::from_secs(30);

fn wanted(kind: &'static str) -> Request {
    Request { kind, payload: json!({}), policy: Policy::default(), key: None, delay: Duration::ZERO }
}

fn ask(worker: &str, shop: &Shop, kind: &'static str, most: u32) -> Ask {
    let now = shop.now();
    Ask { worker: worker.to_owned(), free: vec![(kind, most)], most, now, until: now + LEASE }
}

async fn many_workers_take_each_job_once(engine: Engine) {
    const JOBS: usize = 300;
    let fresh = migrated(engine).await;
    let shop = fresh.shop();
    for _ in 0..JOBS / 50 {
        let mut tx = shop.store.begin().await.unwrap();
        for _ in 0..50 {
            shop.enqueue(&mut *tx, wanted("many")).await.unwrap().unwrap();
        }
        tx.commit().await.unwrap();
    }
    let mut workers = tokio::task::JoinSet::new();
    for n in 0..8 {
        // Half of them in another process, as it were.
        let database = if n % 2 == 0 { fresh.database.clone() } else { fresh.another().await };
        let (queue, shop) = (database.job_queue(), fresh.shop());
        workers.spawn(async move {
            let mut done = Vec::new();
            loop {
                let taken = queue.take(&ask(&format!("worker {n}"), &shop, "many", 7)).await.unwrap();
                if taken.is_empty() {
                    return done;
                }
                assert!(taken.len() <= 7, "{} is more than the limit", taken.len());
                for job in taken {
                    assert!(queue.settle(job.attempt(), &Settled::Done, shop.now()).await.unwrap());
                    done.push((job.id, job.attempts, job.fence));
                }
            }
        });
    }
    let mut done: Vec<(JobId, u32, u64)> = workers.join_all().await.into_iter().flatten().collect();
    done.sort_unstable();
    done.dedup_by_key(|(id, ..)| *id);
    // A worker that found nothing may have come while others had locked what was left; then it was they who took it.
    assert_eq!(done.len(), JOBS);
    assert!(done.iter().all(|(_, attempts, fence)| (*attempts, *fence) == (1, 1)), "nobody took a job of another");
    assert_eq!(number(&fresh, "SELECT count(*) FROM jobs WHERE state = 'done'").await, 300);
}

fn greet(event: &Event) -> Vec<Request> {
    if event.kind == "user.created" {
        vec![wanted("greet"), wanted("note").keyed(event.id.to_string())]
    } else {
        vec![]
    }
}

fn only_one(_: &Event) -> Vec<Request> {
    vec![wanted("only").keyed("one")]
}

fn reacting(fresh: &Fresh, clock: &Arc<FakeClock>) -> Relay {
    Relay { reactions: Reactions(&[greet, only_one]), ..relay(fresh, clock, "one") }
}

async fn jobs_of(fresh: &Fresh, kind: &str) -> Vec<StoredJob> {
    let filter = JobFilter { state: None, kind: Some(kind.to_owned()) };
    let page = PageRequest { page: 1, limit: Limit::new(100).unwrap() };
    fresh.database.jobs().list(&filter, page).await.unwrap().items
}

async fn what_follows_from_events_is_stored_in_the_transaction_that_numbers_them(engine: Engine) {
    let fresh = migrated(engine).await;
    let clock = Arc::new(FakeClock::default());
    let (shop, relay) = (shop(&fresh, &clock), reacting(&fresh, &clock));
    write(&shop, 25).await;
    // Numbers that cannot be stored: the jobs of the batch are not there either.
    sql(&fresh, "UPDATE event_cursor SET last_seq = 9223372036854775807").await;
    step(&relay, &mut None).await.unwrap_err();
    assert_eq!(number(&fresh, "SELECT count(*) FROM jobs").await, 0);
    sql(&fresh, "UPDATE event_cursor SET last_seq = 0").await;
    let mut held = None;
    let Step::Led(done) = step(&relay, &mut held).await.unwrap() else { panic!("nobody else is the relay") };
    assert_eq!((done.numbered, done.jobs), (20, 60));
    assert_eq!(drain(&relay, &mut held).await, (5, 0));
    let numbered = log(&fresh, 1).await;
    for kind in ["greet", "note"] {
        let mut events: Vec<EventId> = jobs_of(&fresh, kind).await.iter().map(|job| job.event.unwrap()).collect();
        events.sort_unstable();
        let mut expected: Vec<EventId> = numbered.iter().map(|one| one.event.id).collect();
        expected.sort_unstable();
        assert_eq!(events, expected, "one {kind} for each event");
    }
    let [job] = &jobs_of(&fresh, "only").await[..] else { panic!("not one job") };
    assert_eq!((job.state, job.run_at, job.key.as_deref()), (JobState::Waiting, clock_now(&clock), Some("one")));
}

fn clock_now(clock: &Arc<FakeClock>) -> domain::clock::Timestamp {
    domain::clock::Clock::now(&**clock)
}

async fn a_reaction_whose_key_is_taken_holds_up_nothing(engine: Engine) {
    let fresh = migrated(engine).await;
    let clock = Arc::new(FakeClock::default());
    let (shop, relay) = (shop(&fresh, &clock), reacting(&fresh, &clock));
    for _ in 0..2 {
        write(&shop, 3).await;
        assert_eq!(drain(&relay, &mut None).await, (3, 0));
    }
    assert_eq!((jobs_of(&fresh, "only").await.len(), jobs_of(&fresh, "greet").await.len()), (1, 6));
}

/// A worker that slept and the one that took its job over do it at the same time.
async fn an_effect_of_two_workers_happens_once(engine: Engine) {
    let fresh = migrated(engine).await;
    let shop = fresh.shop();
    let page = ReindexPage { products: vec![] };
    for _ in 0..10 {
        let job: JobId = shop.id();
        let (one, two) = tokio::join!(reindex_page(&shop, &page, job), reindex_page(&shop, &page, job));
        one.unwrap();
        two.unwrap();
        let told = format!("SELECT count(*) FROM audit_logs WHERE entity_id = {}", literal(engine, job.0));
        assert_eq!(number(&fresh, &told).await, 1);
    }
}

async fn whoever_stored_jobs_wakes_the_worker(engine: Engine) {
    let fresh = migrated(engine).await;
    let clock = Arc::new(FakeClock::default());
    let shop = shop(&fresh, &clock);
    let woken = fresh.database.enqueued();
    let is_woken = async || tokio::time::timeout(Duration::from_millis(200), woken.notified()).await.is_ok();
    write(&shop, 1).await;
    assert!(!is_woken().await, "a commit without a job is none of its business");
    let mut tx = shop.store.begin().await.unwrap();
    shop.enqueue(&mut *tx, wanted("wake")).await.unwrap().unwrap();
    assert!(!is_woken().await, "not before the commit");
    tx.commit().await.unwrap();
    assert!(is_woken().await);
    drain(&reacting(&fresh, &clock), &mut None).await;
    assert!(is_woken().await, "the relay stores jobs too");
}

async fn words_that_are_out_of_date_are_found_anew(engine: Engine) {
    let fresh = migrated(engine).await;
    let given = Fixtures::new(fresh.database.store(), Arc::default());
    let owner = given.seller().await;
    let mut ids = Vec::new();
    for _ in 0..3 {
        ids.push(given.stored_product(owner.seller.unwrap(), |_| ()).await.id);
    }
    sql(&fresh, &format!("UPDATE products SET search_text = 'stale' WHERE id <> {}", literal(engine, ids[0].0))).await;
    let page = ReindexPage { products: ids.iter().copied().chain([given.shop.id()]).collect() };
    let job: NewJob = Request::of(&page).into_job(given.shop.id(), given.shop.now(), None);
    assert_eq!((job.kind.as_str(), ReindexProducts::NAME), ("reindex_page", "reindex_products"));
    reindex_page(&given.shop, &page, job.id).await.unwrap();
    assert_eq!(number(&fresh, "SELECT count(*) FROM products WHERE search_text = 'stale'").await, 0);
    assert_eq!(number(&fresh, "SELECT count(*) FROM products WHERE version <> 1").await, 0);
    let changed = match engine {
        Engine::Sqlite => "SELECT metadata ->> 'changed' FROM audit_logs WHERE action = 'job.reindex'",
        Engine::Postgres => "SELECT (metadata ->> 'changed')::bigint FROM audit_logs WHERE action = 'job.reindex'",
    };
    assert_eq!(number(&fresh, changed).await, 2);
}

/// Asking whether anything is due takes no part in the line of SQLite's writers.
async fn an_idle_worker_does_not_wait_for_writers(engine: Engine) {
    let fresh = migrated(engine).await;
    let shop = fresh.shop();
    let mut writing = shop.store.begin().await.unwrap();
    shop.enqueue(&mut *writing, wanted("idle")).await.unwrap().unwrap();
    let queue: Arc<dyn JobQueue> = fresh.database.job_queue();
    let now = shop.now();
    let asked = async {
        assert!(queue.take(&ask("one", &shop, "idle", 5)).await.unwrap().is_empty());
        assert!(queue.take_over("one", now, now + LEASE, 5).await.unwrap().is_empty());
    };
    let answered = tokio::time::timeout(Duration::from_secs(5), asked).await;
    assert!(answered.is_ok(), "it waited for the writer");
    writing.commit().await.unwrap();
    assert_eq!(queue.take(&ask("one", &shop, "idle", 5)).await.unwrap().len(), 1);
}
