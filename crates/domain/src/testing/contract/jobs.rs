//! Jobs as they are stored, tried again, cancelled and listed, and the inbox.

use std::time::Duration;

use serde_json::json;
use uuid::Uuid;

use super::{
    Harness, begin, fixtures,
    job_queue::{self, Kind},
    page,
};
use crate::{
    clock::Timestamp,
    error::Error,
    id::{EventId, JobId},
    job::{
        JobState, Policy, Priority, Request, Settled, StoredJob, cancel_job,
        ports::{Depth, JobFilter},
        retry_job,
    },
    permission::Role,
    testing::Fixtures,
};

/// Runs the cases.
pub async fn run(harness: &impl Harness) {
    a_job_reads_back_as_it_was_stored(harness).await;
    what_was_rolled_back_is_no_job(harness).await;
    a_key_is_unique_among_the_unfinished_of_a_kind(harness).await;
    a_message_is_claimed_once(harness).await;
    a_dead_job_is_retried(harness).await;
    a_waiting_job_is_cancelled_at_once_and_a_running_one_is_asked(harness).await;
    jobs_are_listed_and_counted(harness).await;
}

async fn enqueue(harness: &impl Harness, given: &Fixtures, request: Request) -> Option<JobId> {
    let mut tx = begin(harness).await;
    let id = given.shop.enqueue(&mut *tx, request).await.unwrap();
    tx.commit().await.unwrap();
    id
}

async fn a_job_reads_back_as_it_was_stored(harness: &impl Harness) {
    let given = fixtures(harness);
    let (id, event): (JobId, EventId) = (given.shop.id(), given.shop.id());
    let policy =
        Policy { priority: Priority::High, attempts: 7, timeout: Duration::from_millis(1234), ..Policy::default() };
    let payload = json!({ "text": "é\n", "list": [1, null, 2.5], "inner": {} });
    let request = Request {
        kind: "stored",
        payload: payload.clone(),
        policy,
        key: Some("a key".to_owned()),
        delay: Duration::from_micros(2_500_001),
    };
    let now = given.shop.now();
    let mut tx = begin(harness).await;
    assert!(tx.jobs().enqueue(&request.into_job(id, now, Some(event))).await.unwrap());
    tx.commit().await.unwrap();
    let expected = StoredJob {
        id,
        kind: "stored".to_owned(),
        payload,
        priority: Priority::High,
        state: JobState::Waiting,
        run_at: now + Duration::from_micros(2_500_001),
        attempts: 0,
        max_attempts: 7,
        timeout: Duration::from_millis(1234),
        key: Some("a key".to_owned()),
        event: Some(event),
        worker: None,
        lease_until: None,
        fence: 0,
        stop_asked: false,
        errors: vec![],
        created_at: now,
        started_at: None,
        finished_at: None,
    };
    assert_eq!(harness.jobs().get(id).await.unwrap(), Some(expected.clone()));
    assert_eq!(begin(harness).await.jobs().find(id).await.unwrap(), Some(expected));
    assert_eq!(harness.jobs().get(given.shop.id()).await.unwrap(), None);
}

async fn what_was_rolled_back_is_no_job(harness: &impl Harness) {
    let given = fixtures(harness);
    let kind = Kind::new("rolled_back");
    let mut tx = begin(harness).await;
    let id = given.shop.enqueue(&mut *tx, kind.request()).await.unwrap().unwrap();
    tx.rollback().await.unwrap();
    assert_eq!(harness.jobs().get(id).await.unwrap(), None);
    assert!(job_queue::take(harness, &given, kind, 9).await.is_empty());
}

async fn a_key_is_unique_among_the_unfinished_of_a_kind(harness: &impl Harness) {
    let given = fixtures(harness);
    let (kind, other) = (Kind::new("keyed"), Kind::new("keyed_too"));
    assert!(enqueue(harness, &given, kind.request().keyed("k")).await.is_some());
    assert!(enqueue(harness, &given, kind.request().keyed("k")).await.is_none());
    assert!(enqueue(harness, &given, kind.request().keyed("l")).await.is_some());
    assert!(enqueue(harness, &given, other.request().keyed("k")).await.is_some());
    for _ in 0..2 {
        assert!(enqueue(harness, &given, kind.request()).await.is_some(), "without a key there may be any number");
    }
    let taken = job_queue::take(harness, &given, kind, 9).await;
    let keyed = taken.iter().find(|job| job.key.as_deref() == Some("k")).unwrap();
    assert!(enqueue(harness, &given, kind.request().keyed("k")).await.is_none(), "also while it runs");
    assert!(
        is_open(harness, kind, "k").await && is_open(harness, kind, "l").await && !is_open(harness, kind, "m").await
    );
    assert!(harness.job_queue().settle(keyed.attempt(), &Settled::Done, given.shop.now()).await.unwrap());
    assert!(!is_open(harness, kind, "k").await);
    assert!(is_open(harness, other, "k").await, "of its own kind alone");
    assert!(enqueue(harness, &given, kind.request().keyed("k")).await.is_some(), "and free when it is done");
}

async fn is_open(harness: &impl Harness, kind: Kind, key: &str) -> bool {
    let mut tx = begin(harness).await;
    let open = tx.jobs().is_open(kind.request().kind, key).await.unwrap();
    tx.rollback().await.unwrap();
    open
}

async fn a_message_is_claimed_once(harness: &impl Harness) {
    let given = fixtures(harness);
    let (message, other, now): (Uuid, Uuid, Timestamp) = (given.shop.id(), given.shop.id(), given.shop.now());
    let mut tx = begin(harness).await;
    assert!(tx.inbox().claim("lamps", message, now).await.unwrap());
    assert!(!tx.inbox().claim("lamps", message, now).await.unwrap());
    tx.rollback().await.unwrap();
    let mut tx = begin(harness).await;
    assert!(tx.inbox().claim("lamps", message, now).await.unwrap(), "a claim goes with its transaction");
    assert!(tx.inbox().claim("chairs", message, now).await.unwrap());
    assert!(tx.inbox().claim("lamps", other, now).await.unwrap());
    tx.commit().await.unwrap();
    let mut tx = begin(harness).await;
    assert!(!tx.inbox().claim("lamps", message, now).await.unwrap());
    tx.commit().await.unwrap();
}

async fn a_dead_job_is_retried(harness: &impl Harness) {
    let given = fixtures(harness);
    let admin = given.person(Role::Admin).await;
    let kind = Kind::new("retried");
    let id = enqueue(harness, &given, kind.request().keyed("k")).await.unwrap();
    let refused = retry_job(&given.shop, given.authorized(&admin), id).await.unwrap_err();
    assert_eq!(refused.to_string(), "Only a dead or cancelled job can be retried; this one is waiting");
    let taken = job_queue::take_one(harness, &given, kind).await;
    let errors = taken.errors_with("no luck", given.shop.now());
    let dead = Settled::Dead { errors: errors.clone() };
    assert!(harness.job_queue().settle(taken.attempt(), &dead, given.shop.now()).await.unwrap());
    assert!(job_queue::take(harness, &given, kind, 9).await.is_empty());

    let key_taken = enqueue(harness, &given, kind.request().keyed("k")).await.unwrap();
    let refused = retry_job(&given.shop, given.authorized(&admin), id).await.unwrap_err();
    assert!(matches!(&refused, Error::Conflict(message) if message.contains("same kind and key")), "{refused}");
    cancel_job(&given.shop, given.authorized(&admin), key_taken).await.unwrap();

    given.clock.advance(Duration::from_secs(1));
    let again = retry_job(&given.shop, given.authorized(&admin), id).await.unwrap();
    assert_eq!((again.state, again.attempts, again.run_at), (JobState::Waiting, 0, given.shop.now()));
    assert_eq!((again.errors, again.finished_at), (errors, None));
    let taken = job_queue::take_one(harness, &given, kind).await;
    assert_eq!((taken.id, taken.attempts, taken.fence), (id, 1, 2), "the attempts of before stay fenced off");
    let told: Vec<_> = harness.events_of(id.0).await.unwrap().into_iter().map(|event| event.kind).collect();
    assert_eq!(told, ["job.retried"]);
    let missing = retry_job(&given.shop, given.authorized(&admin), given.shop.id()).await;
    assert!(matches!(missing, Err(Error::NotFound("Job"))));
}

async fn a_waiting_job_is_cancelled_at_once_and_a_running_one_is_asked(harness: &impl Harness) {
    let given = fixtures(harness);
    let admin = given.person(Role::Admin).await;
    let kind = Kind::new("cancelled");
    let waiting = enqueue(harness, &given, kind.request()).await.unwrap();
    for _ in 0..2 {
        let job = cancel_job(&given.shop, given.authorized(&admin), waiting).await.unwrap();
        assert_eq!((job.state, job.finished_at, job.stop_asked), (JobState::Cancelled, Some(given.shop.now()), false));
    }
    assert!(job_queue::take(harness, &given, kind, 9).await.is_empty());

    let running = enqueue(harness, &given, kind.request()).await.unwrap();
    let taken = job_queue::take_one(harness, &given, kind).await;
    for _ in 0..2 {
        let job = cancel_job(&given.shop, given.authorized(&admin), running).await.unwrap();
        assert_eq!((job.state, job.stop_asked, job.finished_at), (JobState::Running, true, None));
    }
    let until = given.shop.now() + Duration::from_mins(1);
    assert_eq!(harness.job_queue().extend(&[taken.attempt()], until).await.unwrap(), [(taken.attempt(), true)]);
    // A worker that did not hear of it yet, and wants another attempt, gets none.
    let again = Settled::Again { at: given.shop.now(), errors: vec![] };
    assert!(harness.job_queue().settle(taken.attempt(), &again, given.shop.now()).await.unwrap());
    let job = harness.jobs().get(running).await.unwrap().unwrap();
    assert_eq!((job.state, job.finished_at), (JobState::Cancelled, Some(given.shop.now())));
    assert_eq!(harness.events_of(running.0).await.unwrap().len(), 1, "asked twice, told once");

    let done = enqueue(harness, &given, kind.request()).await.unwrap();
    let taken = job_queue::take_one(harness, &given, kind).await;
    harness.job_queue().settle(taken.attempt(), &Settled::Done, given.shop.now()).await.unwrap();
    let refused = cancel_job(&given.shop, given.authorized(&admin), done).await.unwrap_err();
    assert_eq!(refused.to_string(), "Only a waiting or running job can be cancelled; this one is done");
    // A cancelled one may be retried, and is not asked to stop any more.
    let again = retry_job(&given.shop, given.authorized(&admin), running).await.unwrap();
    assert_eq!((again.state, again.stop_asked), (JobState::Waiting, false));
}

async fn jobs_are_listed_and_counted(harness: &impl Harness) {
    let given = fixtures(harness);
    let kind = Kind::new("listed");
    let mut ids = Vec::new();
    for n in 0..5 {
        given.clock.advance(Duration::from_secs(1));
        let request = if n == 4 { kind.request().after(Duration::from_mins(1)) } else { kind.request() };
        ids.push(enqueue(harness, &given, request).await.unwrap());
    }
    ids.reverse();
    let taken = job_queue::take(harness, &given, kind, 2).await;
    let dead = Settled::Dead { errors: vec![] };
    harness.job_queue().settle(taken[0].attempt(), &dead, given.shop.now()).await.unwrap();
    let of = |state| JobFilter { state, kind: Some(kind.name().to_owned()) };
    let all = harness.jobs().list(&of(None), page(1, 3)).await.unwrap();
    assert_eq!((all.total, all.pages), (5, 2));
    assert_eq!(all.items.iter().map(|job| job.id).collect::<Vec<_>>(), ids[..3]);
    let rest = harness.jobs().list(&of(None), page(2, 3)).await.unwrap();
    assert_eq!(rest.items.iter().map(|job| job.id).collect::<Vec<_>>(), ids[3..]);
    let behind = harness.jobs().list(&of(None), page(3, 3)).await.unwrap();
    assert_eq!((behind.total, behind.items.len()), (5, 0));
    for (state, many) in [(JobState::Waiting, 3), (JobState::Running, 1), (JobState::Dead, 1), (JobState::Done, 0)] {
        let found = harness.jobs().list(&of(Some(state)), page(1, 10)).await.unwrap();
        assert_eq!(found.total, many, "{state:?}");
        assert!(found.items.iter().all(|job| job.state == state));
    }
    let mut depths = harness.jobs().depths(given.shop.now()).await.unwrap();
    depths.retain(|depth| depth.kind == kind.name());
    depths.sort_by_key(|depth| depth.state);
    let depth = |state, jobs, due_since| Depth { kind: kind.name().to_owned(), state, jobs, due_since };
    let waits_since = harness.jobs().get(ids[2]).await.unwrap().unwrap().run_at;
    assert_eq!(depths[0], depth(JobState::Waiting, 3, Some(waits_since)));
    assert_eq!((depths[1].jobs, depths[2].jobs, depths.len()), (1, 1, 3));
}
