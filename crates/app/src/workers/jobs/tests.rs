//! The loop over the store in memory, with a real clock: what it does of each outcome, and how it begins and ends.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use async_trait::async_trait;
use domain::{
    Error, Rules,
    clock::Timestamp,
    id::JobId,
    job::{
        Backoff, Failure, Job, JobState, Policy, Request, Settled, StoredJob,
        ports::{Ask, Attempt, JobQueries},
    },
    testing::memory::MemoryStore,
};
use platform::{LocalBus, SystemClock, SystemEntropy};
use serde::{Deserialize, Serialize};
use tokio::task::JoinSet;

use super::*;

/// How long anything may take that is waited for.
const PATIENCE: Duration = Duration::from_secs(20);

/// What a job of the tests does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum Lamp {
    Shine,
    Flicker,
    Break,
    Explode,
    Glow,
}

impl Job for Lamp {
    const NAME: &'static str = "lamp";

    fn policy() -> Policy {
        let backoff = Backoff { first: Duration::from_millis(5), longest: Duration::from_millis(10) };
        Policy { attempts: 3, timeout: Duration::from_millis(300), backoff, at_once: 2, ..Policy::default() }
    }
}

/// Shines until told to stop.
#[derive(Serialize, Deserialize)]
struct Lighthouse {}

impl Job for Lighthouse {
    const NAME: &'static str = "lighthouse";
}

/// What the handlers saw.
#[derive(Default)]
struct Seen {
    begun: AtomicU32,
    now: AtomicU32,
    most: AtomicU32,
}

struct House {
    store: MemoryStore,
    queue: Arc<dyn JobQueue>,
    shop: Shop,
    seen: Arc<Seen>,
    bus: Arc<LocalBus>,
    workers: JoinSet<Result<()>>,
    stop: CancellationToken,
}

impl House {
    fn new() -> Self {
        Self::over(|store| Arc::new(store))
    }

    fn over(queue: impl FnOnce(MemoryStore) -> Arc<dyn JobQueue>) -> Self {
        let store = MemoryStore::new();
        let shop = Shop {
            store: Arc::new(store.clone()),
            clock: Arc::new(SystemClock),
            entropy: Arc::new(SystemEntropy),
            meter: Arc::new(()),
            rules: Rules::default(),
        };
        Self {
            queue: queue(store.clone()),
            store,
            shop,
            seen: Arc::default(),
            bus: Arc::default(),
            workers: JoinSet::new(),
            stop: CancellationToken::new(),
        }
    }

    fn work(&self) -> Work {
        let (lamps, houses) = (Arc::clone(&self.seen), Arc::clone(&self.seen));
        let handlers = Handlers::default()
            .on(move |lamp: Lamp, _| {
                let seen = Arc::clone(&lamps);
                async move {
                    seen.begun.fetch_add(1, Ordering::SeqCst);
                    let now = seen.now.fetch_add(1, Ordering::SeqCst) + 1;
                    seen.most.fetch_max(now, Ordering::SeqCst);
                    tokio::task::yield_now().await;
                    seen.now.fetch_sub(1, Ordering::SeqCst);
                    match lamp {
                        Lamp::Shine => Ok(()),
                        Lamp::Flicker => Err(Failure::Retry("it flickers".to_owned())),
                        Lamp::Break => Err(Error::NotFound("Bulb").into()),
                        Lamp::Explode => panic!("it explodes"),
                        Lamp::Glow => std::future::pending().await,
                    }
                }
            })
            .on(move |_: Lighthouse, _| {
                houses.begun.fetch_add(1, Ordering::SeqCst);
                std::future::pending()
            });
        Work {
            queue: Arc::clone(&self.queue),
            handlers: Arc::new(handlers),
            shop: self.shop.clone(),
            bus: self.bus.clone(),
            at_once: 10,
            lease: Duration::from_millis(900),
            drain: Duration::from_millis(100),
        }
    }

    fn start(&mut self) {
        let (work, stop) = (self.work(), self.stop.clone());
        self.workers.spawn(job_worker(work, stop));
    }

    async fn stop(&mut self) {
        self.stop.cancel();
        while let Some(ended) = self.workers.join_next().await {
            ended.unwrap().unwrap();
        }
        self.stop = CancellationToken::new();
    }

    async fn store<J: Job>(&self, job: &J) -> JobId {
        let mut tx = self.shop.store.begin().await.unwrap();
        let id = self.shop.enqueue(&mut *tx, Request::of(job)).await.unwrap().unwrap();
        tx.commit().await.unwrap();
        self.bus.publish(ENQUEUED, b"");
        id
    }

    async fn job(&self, id: JobId) -> StoredJob {
        JobQueries::get(&self.store, id).await.unwrap().unwrap()
    }

    /// Waits until a job is as it should be.
    async fn until(&self, id: JobId, so: impl Fn(&StoredJob) -> bool) -> StoredJob {
        let end = tokio::time::Instant::now() + PATIENCE;
        loop {
            let job = self.job(id).await;
            if so(&job) {
                return job;
            }
            assert!(tokio::time::Instant::now() < end, "it never was: {job:?}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    fn begun(&self) -> u32 {
        self.seen.begun.load(Ordering::SeqCst)
    }
}

fn reasons(job: &StoredJob) -> Vec<&str> {
    job.errors.iter().map(|error| error.reason.as_str()).collect()
}

#[tokio::test]
async fn every_outcome_becomes_what_it_should() {
    let mut house = House::new();
    let mut stored = Vec::new();
    for lamp in [Lamp::Shine, Lamp::Flicker, Lamp::Break, Lamp::Explode, Lamp::Glow] {
        stored.push(house.store(&lamp).await);
    }
    house.start();
    let mut ended = Vec::new();
    for id in stored {
        ended.push(house.until(id, |job| job.finished_at.is_some()).await);
    }
    let states: Vec<_> = ended.iter().map(|job| (job.state, job.attempts)).collect();
    let dead = JobState::Dead;
    assert_eq!(states, [(JobState::Done, 1), (dead, 3), (dead, 1), (dead, 3), (dead, 3)]);
    assert_eq!(reasons(&ended[1]), ["it flickers"; 3]);
    assert_eq!(reasons(&ended[2]), ["Bulb not found"]);
    assert_eq!(reasons(&ended[3]), ["panicked; the log says where"; 3]);
    assert_eq!(reasons(&ended[4]), ["took longer than 0.3 s"; 3]);
    house.stop().await;
}

#[tokio::test]
async fn no_more_of_a_kind_run_at_once_than_its_policy_says() {
    let mut house = House::new();
    let mut last = None;
    for _ in 0..40 {
        last = Some(house.store(&Lamp::Shine).await);
    }
    house.start();
    house.until(last.unwrap(), |job| job.state == JobState::Done).await;
    house.stop().await;
    assert_eq!((house.begun(), house.seen.most.load(Ordering::SeqCst)), (40, 2));
}

#[tokio::test]
async fn what_is_not_done_in_time_is_given_back_and_taken_at_once() {
    let mut house = House::new();
    let id = house.store(&Lighthouse {}).await;
    for round in 1..=2 {
        house.start();
        let running = house.until(id, |job| job.state == JobState::Running).await;
        assert_eq!((running.attempts, running.fence), (1, round), "an attempt that was cut short does not count");
        house.stop().await;
        let given_back = house.job(id).await;
        assert_eq!((given_back.state, given_back.attempts, given_back.worker), (JobState::Waiting, 0, None));
    }
}

#[tokio::test]
async fn a_job_that_is_asked_to_stop_ends_at_the_next_sign_of_life() {
    let mut house = House::new();
    let id = house.store(&Lighthouse {}).await;
    house.start();
    house.until(id, |job| job.state == JobState::Running).await;
    let mut tx = house.shop.store.begin().await.unwrap();
    tx.jobs().cancel(id, house.shop.now()).await.unwrap();
    tx.commit().await.unwrap();
    let job = house.until(id, |job| job.finished_at.is_some()).await;
    assert_eq!((job.state, job.attempts), (JobState::Cancelled, 1));
    house.stop().await;
}

#[tokio::test]
async fn the_jobs_of_a_worker_that_died_are_another_ones() {
    let mut house = House::new();
    let id = house.store(&Lighthouse {}).await;
    house.start();
    let first = house.until(id, |job| job.state == JobState::Running).await;
    // As by kill -9: nothing is given back.
    house.workers.shutdown().await;
    house.start();
    let second = house.until(id, |job| job.state == JobState::Running && job.attempts == 2).await;
    assert_ne!(first.worker, second.worker);
    assert_eq!(reasons(&second), ["its worker was not heard of any more"]);
    // It lives on for longer than its lease: signs of life keep it.
    tokio::time::sleep(Duration::from_millis(1500)).await;
    assert_eq!(house.job(id).await.fence, second.fence);
    house.stop().await;
}

/// A queue whose database is away now and then.
struct Flaky {
    queue: MemoryStore,
    away: Arc<AtomicBool>,
}

impl Flaky {
    fn here(&self) -> Result<&MemoryStore> {
        let away = || Error::Unavailable { what: "database", source: "it is away".into() };
        if self.away.load(Ordering::SeqCst) { Err(away()) } else { Ok(&self.queue) }
    }
}

#[async_trait]
impl JobQueue for Flaky {
    async fn take(&self, ask: &Ask) -> Result<Vec<StoredJob>> {
        self.here()?.take(ask).await
    }

    async fn take_over(&self, worker: &str, now: Timestamp, until: Timestamp, limit: u32) -> Result<Vec<StoredJob>> {
        self.here()?.take_over(worker, now, until, limit).await
    }

    async fn extend(&self, held: &[Attempt], until: Timestamp) -> Result<Vec<(Attempt, bool)>> {
        self.here()?.extend(held, until).await
    }

    async fn settle(&self, attempt: Attempt, settled: &Settled, now: Timestamp) -> Result<bool> {
        self.here()?.settle(attempt, settled, now).await
    }

    async fn release(&self, held: &[Attempt], now: Timestamp) -> Result<u64> {
        self.here()?.release(held, now).await
    }

    async fn purge(&self, done: Option<Timestamp>, dead: Option<Timestamp>, limit: u32) -> Result<u64> {
        self.here()?.purge(done, dead, limit).await
    }
}

#[tokio::test]
async fn an_outage_of_the_database_ends_nothing() {
    let away = Arc::new(AtomicBool::new(true));
    let flaky = Arc::clone(&away);
    let mut house = House::over(|queue| Arc::new(Flaky { queue, away: flaky }));
    let first = house.store(&Lamp::Shine).await;
    house.start();
    tokio::time::sleep(Duration::from_millis(700)).await;
    assert_eq!((house.job(first).await.state, house.begun()), (JobState::Waiting, 0));
    away.store(false, Ordering::SeqCst);
    house.until(first, |job| job.state == JobState::Done).await;
    // What is done while it is away is told later, and not done again.
    let second = house.store(&Lamp::Shine).await;
    house.until(second, |job| job.state != JobState::Waiting).await;
    away.store(true, Ordering::SeqCst);
    tokio::time::sleep(Duration::from_millis(300)).await;
    away.store(false, Ordering::SeqCst);
    let job = house.until(second, |job| job.state == JobState::Done).await;
    assert_eq!((job.attempts, house.begun()), (1, 2));
    assert_eq!(house.workers.len(), 1, "the loop runs on");
    house.stop().await;
}

/// A newer node stored it, or an older one; this one leaves it alone.
#[tokio::test]
async fn a_kind_that_nobody_knows_waits() {
    let mut house = House::new();
    let request = Request { kind: "unknown", ..Request::of(&Lamp::Shine) };
    let mut tx = house.shop.store.begin().await.unwrap();
    let unknown = house.shop.enqueue(&mut *tx, request).await.unwrap().unwrap();
    let torn = Request { payload: serde_json::json!({ "no": "lamp" }), ..Request::of(&Lamp::Shine) };
    let torn = house.shop.enqueue(&mut *tx, torn).await.unwrap().unwrap();
    tx.commit().await.unwrap();
    house.start();
    let torn = house.until(torn, |job| job.finished_at.is_some()).await;
    assert_eq!((torn.state, torn.attempts), (JobState::Dead, 1));
    assert!(reasons(&torn)[0].starts_with("its payload does not read"), "{torn:?}");
    assert_eq!(house.job(unknown).await.state, JobState::Waiting);
    house.stop().await;
}
