//! What a worker has in its hands.

use std::{collections::HashMap, sync::Arc, time::Duration};

use domain::{
    Result,
    clock::Timestamp,
    job::{
        Outcome, Policy, StoredJob,
        ports::{Ask, Attempt},
    },
};
use tokio::{
    sync::oneshot,
    task::{Id, JoinError, JoinSet},
};
use tracing::Instrument as _;
use uuid::Uuid;

use super::{
    Work,
    attempt::{Ended, attempt, conclude, count},
};

/// Jobs of lost workers that are looked after at once.
const LOST: u32 = 1_000;

/// A job that runs.
struct Held {
    attempt: Attempt,
    kind: &'static str,
    /// Until when it is ours.
    until: Timestamp,
    /// Ends the attempt; sent once.
    end: Option<oneshot::Sender<Ended>>,
}

impl Held {
    fn end(&mut self, why: Ended) {
        // One that has just ended by itself does not hear it.
        if let Some(end) = self.end.take() {
            let _ = end.send(why);
        }
    }
}

/// The jobs that run, and the name they are held under.
pub(super) struct Desk {
    work: Work,
    /// A name no other start of the loop ever has: a worker never takes itself for one that died.
    worker: String,
    running: JoinSet<()>,
    held: HashMap<Id, Held>,
    /// When the next sign of life is due.
    beat: Timestamp,
}

impl Desk {
    pub(super) fn new(work: Work) -> Self {
        let (worker, beat) = (work.shop.id::<Uuid>().to_string(), work.shop.now());
        Self { work, worker, running: JoinSet::new(), held: HashMap::new(), beat }
    }

    pub(super) fn has_room(&self) -> bool {
        self.room() > 0
    }

    fn room(&self) -> u32 {
        let running = u32::try_from(self.held.len()).unwrap_or(u32::MAX);
        self.work.at_once.saturating_sub(running)
    }

    /// Waits for jobs to end; for ever when none runs.
    pub(super) async fn ended(&mut self) {
        match self.running.join_next_with_id().await {
            Some(ended) => self.forget(&ended),
            None => std::future::pending().await,
        }
        // Others may have ended at the same time.
        while let Some(ended) = self.running.try_join_next_with_id() {
            self.forget(&ended);
        }
    }

    fn forget(&mut self, ended: &Result<(Id, ()), JoinError>) {
        let id = match ended {
            Ok((id, ())) => *id,
            Err(error) => error.id(),
        };
        self.held.remove(&id);
    }

    /// How long until the next sign of life is due.
    pub(super) fn next_beat(&self) -> Duration {
        (self.beat - self.work.shop.now()).to_std().unwrap_or_default()
    }

    /// Gives a sign of life when it is due, looks after what lost workers held, and takes what there is room for: so many.
    pub(super) async fn look(&mut self) -> Result<usize> {
        if self.work.shop.now() >= self.beat {
            self.keep().await?;
            self.look_after_the_lost().await?;
            self.beat = self.work.shop.now() + self.work.lease / 3;
        }
        if self.has_room() { self.take().await } else { Ok(0) }
    }

    /// Gives a sign of life for everything that runs, and ends what is another's by now or is asked to stop.
    async fn keep(&mut self) -> Result<()> {
        let now = self.work.shop.now();
        let until = now + self.work.lease;
        let held: Vec<Attempt> = self.held.values().map(|held| held.attempt).collect();
        let kept = match self.work.queue.extend(&held, until).await {
            Ok(kept) => kept,
            Err(error) => {
                // Whoever asks the database first has them now.
                self.held.values_mut().filter(|held| held.until <= now).for_each(|held| held.end(Ended::Lost));
                return Err(error);
            }
        };
        let kept: HashMap<Attempt, bool> = kept.into_iter().collect();
        for held in self.held.values_mut().filter(|one| one.until < until) {
            match kept.get(&held.attempt) {
                Some(stop) => {
                    held.until = until;
                    if *stop {
                        held.end(Ended::Stopped);
                    }
                }
                None => held.end(Ended::Lost),
            }
        }
        Ok(())
    }

    /// An attempt whose worker was not heard of counts as failed.
    async fn look_after_the_lost(&mut self) -> Result<()> {
        let now = self.work.shop.now();
        let lost = self.work.queue.take_over(&self.worker, now, now + self.work.lease, LOST).await?;
        for job in lost {
            // A kind of another version of the program is tried again as most are.
            let mut policy = Policy::default();
            if let Some((kind, known)) = self.work.handlers.get(&job.kind) {
                policy = known.policy;
                count(kind, &Outcome::Lost);
            }
            let settled = conclude(&self.work, &policy, &job, &Outcome::Lost);
            self.work.queue.settle(job.attempt(), &settled, now).await?;
        }
        Ok(())
    }

    async fn take(&mut self) -> Result<usize> {
        let now = self.work.shop.now();
        let until = now + self.work.lease;
        let free = self.work.handlers.kinds().map(|(kind, most)| {
            let running = self.held.values().filter(|held| held.kind == kind).count();
            (kind, most.saturating_sub(u32::try_from(running).unwrap_or(u32::MAX)))
        });
        let (worker, free) = (self.worker.clone(), free.collect());
        let ask = Ask { worker, free, most: self.room(), now, until };
        let jobs = self.work.queue.take(&ask).await?;
        let taken = jobs.len();
        for job in jobs {
            self.start(job, until);
        }
        Ok(taken)
    }

    fn start(&mut self, job: StoredJob, until: Timestamp) {
        // Only known kinds are asked for.
        let Some((kind, known)) = self.work.handlers.get(&job.kind) else { return };
        let (end, ended) = oneshot::channel();
        let held = Held { attempt: job.attempt(), kind, until, end: Some(end) };
        let span = tracing::info_span!("job", kind, job = %job.id);
        let task = attempt(self.work.clone(), kind, known.clone(), job, ended).instrument(span);
        self.held.insert(self.running.spawn(task).id(), held);
    }

    /// Lets what runs end, for as long as that may take; then gives the rest back, so that another takes it at once.
    pub(super) async fn drain(mut self) -> Result<()> {
        let clock = Arc::clone(&self.work.shop.clock);
        let beat = self.work.lease / 3;
        let deadline = self.work.shop.now() + self.work.drain;
        if !self.held.is_empty() {
            tracing::info!(running = self.held.len(), "no new jobs; those that run are finished");
        }
        while !self.held.is_empty() && self.work.shop.now() < deadline {
            let left = (deadline - self.work.shop.now()).to_std().unwrap_or_default();
            tokio::select! {
                () = self.ended() => {}
                () = clock.sleep(left.min(beat)) => if let Err(error) = self.keep().await {
                    tracing::warn!(error = crate::chain(&error), "running jobs gave no sign of life");
                }
            }
        }
        let left: Vec<Attempt> = self.held.values().map(|held| held.attempt).collect();
        self.held.values_mut().for_each(|held| held.end(Ended::Released));
        while !self.held.is_empty() {
            self.ended().await;
        }
        if !left.is_empty() {
            // What was settled at the last moment is not given back: its attempt is over.
            let released = self.work.queue.release(&left, self.work.shop.now()).await?;
            tracing::info!(released, "jobs that did not end in time are given back");
        }
        Ok(())
    }
}
