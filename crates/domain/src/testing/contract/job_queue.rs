//! The queue of jobs as workers see it.

use std::time::Duration;

use serde_json::json;

use super::{Harness, begin, fixtures};
use crate::{
    id::JobId,
    job::{
        JobState, Policy, Priority, Request, Settled, StoredJob,
        ports::{Ask, Attempt},
    },
    testing::Fixtures,
};

/// For how long the cases take jobs.
const LEASE: Duration = Duration::from_secs(30);

/// Runs the cases.
pub async fn run(harness: &impl Harness) {
    due_jobs_go_by_priority_then_by_time(harness).await;
    only_kinds_with_free_places_are_taken(harness).await;
    what_failed_waits_for_its_time(harness).await;
    a_worker_that_slept_says_nothing_any_more(harness).await;
    a_sign_of_life_keeps_a_job(harness).await;
    what_is_given_back_is_taken_at_once_and_not_counted(harness).await;
    old_jobs_go_with_what_the_inbox_knew_of_them(harness).await;
}

/// A kind of a case of its own, since the cases share a store.
#[derive(Debug, Clone, Copy)]
pub(super) struct Kind(&'static str);

impl Kind {
    pub(super) fn new(name: &'static str) -> Self {
        Self(name)
    }

    pub(super) fn name(self) -> &'static str {
        self.0
    }

    pub(super) fn request(self) -> Request {
        let policy = Policy::default();
        Request { kind: self.0, payload: json!({}), policy, key: None, delay: Duration::ZERO }
    }
}

/// Takes up to `most` jobs of a kind that are due.
pub(super) async fn take(harness: &impl Harness, given: &Fixtures, kind: Kind, most: u32) -> Vec<StoredJob> {
    harness.job_queue().take(&ask("one", given, &[(kind, most)], most)).await.unwrap()
}

/// The one job of that kind that is due. A transaction that was refused may roll back a little after its end, and workers
/// pass by what it holds until then.
pub(super) async fn take_one(harness: &impl Harness, given: &Fixtures, kind: Kind) -> StoredJob {
    for _ in 0..1_000 {
        let mut taken = take(harness, given, kind, 9).await;
        if let Some(job) = taken.pop() {
            assert!(taken.is_empty(), "more than one is due: {taken:?}");
            return job;
        }
    }
    panic!("no job of this kind is due");
}

fn ask(worker: &str, given: &Fixtures, free: &[(Kind, u32)], most: u32) -> Ask {
    let free = free.iter().map(|(kind, free)| (kind.0, *free)).collect();
    let now = given.shop.now();
    Ask { worker: worker.to_owned(), free, most, now, until: now + LEASE }
}

async fn store(harness: &impl Harness, given: &Fixtures, request: Request) -> JobId {
    let mut tx = begin(harness).await;
    let id = given.shop.enqueue(&mut *tx, request).await.unwrap().unwrap();
    tx.commit().await.unwrap();
    id
}

fn ids(jobs: &[StoredJob]) -> Vec<JobId> {
    jobs.iter().map(|job| job.id).collect()
}

async fn due_jobs_go_by_priority_then_by_time(harness: &impl Harness) {
    let given = fixtures(harness);
    let kind = Kind::new("ordered");
    let with = |priority| Request { policy: Policy { priority, ..Policy::default() }, ..kind.request() };
    let late = store(harness, &given, with(Priority::High).after(Duration::from_mins(1))).await;
    let low = store(harness, &given, with(Priority::Low)).await;
    given.clock.advance(Duration::from_millis(1));
    let second = store(harness, &given, with(Priority::Normal)).await;
    let first = store(harness, &given, Request { delay: Duration::ZERO, ..with(Priority::Normal) }).await;
    given.clock.advance(Duration::from_millis(1));
    let high = store(harness, &given, with(Priority::High)).await;
    let (first, second) = (first.min(second), first.max(second));

    let taken = take(harness, &given, kind, 3).await;
    assert_eq!(ids(&taken), [high, first, second]);
    let job = &taken[0];
    assert_eq!((job.state, job.attempts, job.fence), (JobState::Running, 1, 1));
    assert_eq!(job.worker.as_deref(), Some("one"));
    assert_eq!((job.lease_until, job.started_at), (Some(given.shop.now() + LEASE), Some(given.shop.now())));
    assert_eq!(harness.jobs().get(high).await.unwrap().as_ref(), Some(job));
    // What is taken is nobody else's.
    assert_eq!(ids(&take(harness, &given, kind, 9).await), [low]);
    assert!(take(harness, &given, kind, 9).await.is_empty());
    given.clock.advance(Duration::from_mins(1));
    assert_eq!(ids(&take(harness, &given, kind, 9).await), [late]);
}

async fn only_kinds_with_free_places_are_taken(harness: &impl Harness) {
    let given = fixtures(harness);
    let (one, two, three) = (Kind::new("places_one"), Kind::new("places_two"), Kind::new("places_three"));
    for kind in [one, two, three] {
        for _ in 0..3 {
            store(harness, &given, kind.request()).await;
        }
    }
    let kinds =
        |jobs: &[StoredJob]| [one, two, three].map(|kind| jobs.iter().filter(|job| job.kind == kind.name()).count());
    let queue = harness.job_queue();
    let taken = queue.take(&ask("one", &given, &[(one, 2), (two, 0), (three, 9)], 100)).await.unwrap();
    assert_eq!(kinds(&taken), [2, 0, 3]);
    assert!(queue.take(&ask("one", &given, &[(one, 9), (two, 9)], 0)).await.unwrap().is_empty());
    assert!(queue.take(&ask("one", &given, &[], 9)).await.unwrap().is_empty());
    let taken = queue.take(&ask("one", &given, &[(one, 9), (two, 9)], 2)).await.unwrap();
    assert_eq!(taken.len(), 2, "no more than it can do in all");
}

async fn what_failed_waits_for_its_time(harness: &impl Harness) {
    let given = fixtures(harness);
    let kind = Kind::new("failing");
    let id = store(harness, &given, kind.request()).await;
    let queue = harness.job_queue();
    let [job] = take(harness, &given, kind, 9).await.try_into().unwrap();
    let errors = job.errors_with("the lamp is out", given.shop.now());
    let at = given.shop.now() + Duration::from_secs(10);
    let again = Settled::Again { at, errors: errors.clone() };
    assert!(queue.settle(job.attempt(), &again, given.shop.now()).await.unwrap());
    assert!(!queue.settle(job.attempt(), &Settled::Done, given.shop.now()).await.unwrap(), "it was settled");
    let stored = harness.jobs().get(id).await.unwrap().unwrap();
    assert_eq!((stored.state, stored.run_at, stored.worker, stored.lease_until), (JobState::Waiting, at, None, None));
    assert_eq!((&stored.errors, stored.finished_at), (&errors, None));
    given.clock.advance(Duration::from_secs(9));
    assert!(take(harness, &given, kind, 9).await.is_empty());
    given.clock.advance(Duration::from_secs(1));
    let [job] = take(harness, &given, kind, 9).await.try_into().unwrap();
    assert_eq!((job.id, job.attempts, job.fence, &job.errors), (id, 2, 2, &errors));
    assert!(queue.settle(job.attempt(), &Settled::Done, given.shop.now()).await.unwrap());
    let stored = harness.jobs().get(id).await.unwrap().unwrap();
    assert_eq!((stored.state, stored.finished_at), (JobState::Done, Some(given.shop.now())));
    assert_eq!(stored.errors, errors, "what went wrong on the way is kept");
}

async fn a_worker_that_slept_says_nothing_any_more(harness: &impl Harness) {
    let given = fixtures(harness);
    let kind = Kind::new("slept");
    let id = store(harness, &given, kind.request()).await;
    let queue = harness.job_queue();
    let [job] = take(harness, &given, kind, 9).await.try_into().unwrap();
    let asleep = job.attempt();
    let until = |given: &Fixtures| given.shop.now() + LEASE;
    let lost = async |given: &Fixtures| {
        let lost = queue.take_over("two", given.shop.now(), until(given), 100).await.unwrap();
        lost.into_iter().filter(|job| job.kind == kind.name()).collect::<Vec<_>>()
    };
    let end = given.shop.now() + LEASE;
    given.clock.set(end - Duration::from_micros(1));
    assert!(lost(&given).await.is_empty(), "a lease is good to its end");
    given.clock.advance(Duration::from_micros(1));
    let [taken] = lost(&given).await.try_into().unwrap();
    assert_eq!((taken.id, taken.attempts, taken.worker.as_deref()), (id, 1, Some("two")));
    assert!(taken.fence > asleep.fence);
    assert!(lost(&given).await.is_empty(), "only one takes it over");
    for settled in [Settled::Done, Settled::Cancelled, Settled::Dead { errors: vec![] }] {
        assert!(!queue.settle(asleep, &settled, given.shop.now()).await.unwrap());
    }
    assert!(queue.extend(&[asleep], until(&given)).await.unwrap().is_empty());
    assert_eq!(queue.release(&[asleep], given.shop.now()).await.unwrap(), 0);
    assert_eq!(harness.jobs().get(id).await.unwrap().unwrap(), taken);
    let again = Settled::Again { at: given.shop.now(), errors: vec![] };
    assert!(queue.settle(taken.attempt(), &again, given.shop.now()).await.unwrap());
    let [job] = take(harness, &given, kind, 9).await.try_into().unwrap();
    assert_eq!(job.attempts, 2);
}

async fn a_sign_of_life_keeps_a_job(harness: &impl Harness) {
    let given = fixtures(harness);
    let kind = Kind::new("alive");
    for _ in 0..2 {
        store(harness, &given, kind.request()).await;
    }
    let queue = harness.job_queue();
    let held: Vec<Attempt> = take(harness, &given, kind, 9).await.iter().map(StoredJob::attempt).collect();
    for _ in 0..3 {
        given.clock.advance(LEASE / 2);
        let mut kept = queue.extend(&held, given.shop.now() + LEASE).await.unwrap();
        kept.sort_unstable();
        let mut expected = held.clone();
        expected.sort_unstable();
        assert_eq!(kept, expected.iter().map(|attempt| (*attempt, false)).collect::<Vec<_>>());
        let lost = queue.take_over("two", given.shop.now(), given.shop.now() + LEASE, 100).await.unwrap();
        assert!(!lost.iter().any(|job| job.kind == kind.name()));
    }
    assert!(queue.extend(&[], given.shop.now()).await.unwrap().is_empty());
}

async fn what_is_given_back_is_taken_at_once_and_not_counted(harness: &impl Harness) {
    let given = fixtures(harness);
    let kind = Kind::new("given_back");
    let id = store(harness, &given, kind.request()).await;
    let queue = harness.job_queue();
    for round in 1..=3 {
        let [job] = take(harness, &given, kind, 9).await.try_into().unwrap();
        assert_eq!((job.id, job.attempts, job.fence), (id, 1, round));
        assert_eq!(queue.release(&[job.attempt()], given.shop.now()).await.unwrap(), 1);
        let stored = harness.jobs().get(id).await.unwrap().unwrap();
        assert_eq!((stored.state, stored.attempts, stored.worker), (JobState::Waiting, 0, None));
    }
}

async fn old_jobs_go_with_what_the_inbox_knew_of_them(harness: &impl Harness) {
    let given = fixtures(harness);
    let kind = Kind::new("purged");
    let queue = harness.job_queue();
    let mut stored = Vec::new();
    for settled in [Some(Settled::Done), Some(Settled::Cancelled), Some(Settled::Dead { errors: vec![] }), None] {
        let id = store(harness, &given, kind.request()).await;
        let [job] = take(harness, &given, kind, 9).await.try_into().unwrap();
        let mut tx = begin(harness).await;
        assert!(tx.inbox().claim("purged", id.0, given.shop.now()).await.unwrap());
        tx.commit().await.unwrap();
        if let Some(settled) = settled {
            assert!(queue.settle(job.attempt(), &settled, given.shop.now()).await.unwrap());
        }
        stored.push(id);
    }
    let there = async || {
        let mut there = Vec::new();
        for id in &stored {
            there.push(harness.jobs().get(*id).await.unwrap().is_some());
        }
        there
    };
    let purge = async |done, dead| {
        while queue.purge(done, dead, 1).await.unwrap() > 0 {}
        there().await
    };
    let now = given.shop.now();
    assert_eq!(purge(Some(now), Some(now)).await, [true; 4], "nothing is older than itself");
    given.clock.advance(Duration::from_micros(1));
    let now = given.shop.now();
    assert_eq!(purge(None, None).await, [true; 4]);
    assert_eq!(purge(Some(now), None).await, [false, false, true, true]);
    assert_eq!(purge(Some(now), Some(now)).await, [false, false, false, true]);
    let mut tx = begin(harness).await;
    assert!(tx.inbox().claim("purged", stored[0].0, now).await.unwrap(), "nobody asks for a job that is gone");
    assert!(!tx.inbox().claim("purged", stored[3].0, now).await.unwrap());
    tx.rollback().await.unwrap();
}
