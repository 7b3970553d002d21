//! What jobs need of the database.

use async_trait::async_trait;
use uuid::Uuid;

use super::{JobState, NewJob, Priority, Settled, StoredJob};
use crate::{
    clock::Timestamp,
    error::Result,
    id::JobId,
    page::{Page, PageRequest},
};

/// The write side of jobs, in the transaction of whatever wants them done.
#[async_trait]
pub trait JobRepo: Send {
    /// Stores a job; `false` when an unfinished one of its kind has the same key.
    async fn enqueue(&mut self, job: &NewJob) -> Result<bool>;

    /// Whether an unfinished job of that kind has this key.
    async fn is_open(&mut self, kind: &str, key: &str) -> Result<bool>;

    /// The job of that id. Until the transaction ends nobody else changes it.
    async fn find(&mut self, id: JobId) -> Result<Option<StoredJob>>;

    /// Makes a finished job wait again, due at `now`, with no attempt counted and its errors kept; `false` when an
    /// unfinished one of its kind has the same key.
    async fn revive(&mut self, id: JobId, now: Timestamp) -> Result<bool>;

    /// Cancels a waiting job; a running one is asked to stop.
    async fn cancel(&mut self, id: JobId, now: Timestamp) -> Result<()>;
}

/// What consumers have dealt with, in the transaction of the effect: so an effect happens once, however often it is told.
#[async_trait]
pub trait Inbox: Send {
    /// Notes that `consumer` deals with this event or job; `false` when it did so before, and nothing is to be done.
    /// While another transaction that noted the same is open, this one waits for its end.
    async fn claim(&mut self, consumer: &str, message: Uuid, now: Timestamp) -> Result<bool>;
}

/// An attempt: the right of one worker to say what becomes of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Attempt {
    /// The job.
    pub job: JobId,
    /// Its number among all attempts of the job. Whoever has an older one says nothing any more.
    pub fence: u64,
}

impl StoredJob {
    /// The latest attempt.
    pub fn attempt(&self) -> Attempt {
        Attempt { job: self.id, fence: self.fence }
    }
}

/// What a worker asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ask {
    /// Its name, which no other start of the program ever has.
    pub worker: String,
    /// The kinds it knows, each with how many more jobs of it the worker can take.
    pub free: Vec<(&'static str, u32)>,
    /// Most jobs in all.
    pub most: u32,
    /// The present moment: later jobs are not due.
    pub now: Timestamp,
    /// Until when it has what it takes.
    pub until: Timestamp,
}

/// The queue as workers see it. No job is in the hands of two workers whose leases have not ended.
#[async_trait]
pub trait JobQueue: Send + Sync {
    /// Takes due jobs, of higher priority first, then those due for longest. When nothing is due this SHOULD cost one read.
    async fn take(&self, ask: &Ask) -> Result<Vec<StoredJob>>;

    /// Takes running jobs whose lease ended, of any kind, at most `limit`: their workers are fenced off. The attempt
    /// that was lost is the one they count.
    async fn take_over(&self, worker: &str, now: Timestamp, until: Timestamp, limit: u32) -> Result<Vec<StoredJob>>;

    /// Keeps attempts for longer. Gives those that are still the worker's, and whether each is asked to stop.
    async fn extend(&self, held: &[Attempt], until: Timestamp) -> Result<Vec<(Attempt, bool)>>;

    /// Says what becomes of a job; `false`, and nothing is changed, when the attempt is not the latest any more.
    async fn settle(&self, attempt: Attempt, settled: &Settled, now: Timestamp) -> Result<bool>;

    /// Gives jobs back unfinished, so that another worker takes them at once; the attempts do not count. One that is asked
    /// to stop is cancelled. Gives how many.
    async fn release(&self, held: &[Attempt], now: Timestamp) -> Result<u64>;

    /// Removes jobs that ended before `done` (done or cancelled) or before `dead`, at most `limit`, and what the inbox
    /// knows of jobs that are gone. Gives how many jobs.
    async fn purge(&self, done: Option<Timestamp>, dead: Option<Timestamp>, limit: u32) -> Result<u64>;
}

/// Which jobs to list; every part given must match.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct JobFilter {
    /// In this state.
    pub state: Option<JobState>,
    /// Of this kind.
    pub kind: Option<String>,
}

/// How many unfinished or dead jobs there are of a kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Depth {
    /// The kind.
    pub kind: String,
    /// Waiting, running or dead.
    pub state: JobState,
    /// How many.
    pub jobs: u64,
    /// Since when the first of them is due; of those that wait only what is due by now counts.
    pub due_since: Option<Timestamp>,
}

/// Jobs as operators see them.
#[async_trait]
pub trait JobQueries: Send + Sync {
    /// The job of that id.
    async fn get(&self, id: JobId) -> Result<Option<StoredJob>>;

    /// A page of them, the newest first.
    async fn list(&self, filter: &JobFilter, page: PageRequest) -> Result<Page<StoredJob>>;

    /// How many there are of each kind that wait, run or are dead.
    async fn depths(&self, now: Timestamp) -> Result<Vec<Depth>>;
}

/// A place where due jobs of one kind and priority may wait, for adapters that look at each.
pub fn levels(ask: &Ask) -> impl Iterator<Item = (&'static str, Priority)> {
    let kinds = ask.free.iter().filter(|(_, free)| *free > 0);
    kinds.flat_map(|(kind, _)| Priority::ALL.into_iter().map(|priority| (*kind, priority)))
}
