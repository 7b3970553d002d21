//! Jobs and the inbox in memory, write side.

use async_trait::async_trait;
use uuid::Uuid;

use super::{MemoryTx, state::State};
use crate::{
    clock::Timestamp,
    error::Result,
    id::JobId,
    job::{
        JobState, NewJob, StoredJob,
        ports::{Inbox, JobRepo},
    },
};

impl State {
    /// Whether an unfinished job, other than `id`, has this key.
    fn has_key(&self, id: JobId, kind: &str, key: Option<&str>) -> bool {
        let mut open = self.jobs.values().filter(|job| job.state.is_open() && job.id != id);
        key.is_some() && open.any(|job| job.kind == kind && job.key.as_deref() == key)
    }
}

#[async_trait]
impl JobRepo for MemoryTx {
    async fn enqueue(&mut self, new: &NewJob) -> Result<bool> {
        if self.state.has_key(new.id, &new.kind, new.key.as_deref()) {
            return Ok(false);
        }
        let job = StoredJob {
            id: new.id,
            kind: new.kind.clone(),
            payload: new.payload.clone(),
            priority: new.priority,
            state: JobState::Waiting,
            run_at: new.run_at,
            attempts: 0,
            max_attempts: new.max_attempts,
            timeout: new.timeout,
            key: new.key.clone(),
            event: new.event,
            worker: None,
            lease_until: None,
            fence: 0,
            stop_asked: false,
            errors: Vec::new(),
            created_at: new.created_at,
            started_at: None,
            finished_at: None,
        };
        self.write().jobs.insert(new.id, job);
        Ok(true)
    }

    async fn is_open(&mut self, kind: &str, key: &str) -> Result<bool> {
        Ok(self.state.has_key(JobId(Uuid::nil()), kind, Some(key)))
    }

    async fn find(&mut self, id: JobId) -> Result<Option<StoredJob>> {
        Ok(self.state.jobs.get(&id).cloned())
    }

    async fn revive(&mut self, id: JobId, now: Timestamp) -> Result<bool> {
        let Some(job) = self.state.jobs.get(&id) else { return Ok(false) };
        if job.state.is_open() || self.state.has_key(id, &job.kind, job.key.as_deref()) {
            return Ok(false);
        }
        if let Some(job) = self.write().jobs.get_mut(&id) {
            job.state = JobState::Waiting;
            job.run_at = now;
            job.attempts = 0;
            job.stop_asked = false;
            job.finished_at = None;
        }
        Ok(true)
    }

    async fn cancel(&mut self, id: JobId, now: Timestamp) -> Result<()> {
        if let Some(job) = self.write().jobs.get_mut(&id) {
            match job.state {
                JobState::Waiting => {
                    job.state = JobState::Cancelled;
                    job.finished_at = Some(now);
                }
                JobState::Running => job.stop_asked = true,
                _ => {}
            }
        }
        Ok(())
    }
}

#[async_trait]
impl Inbox for MemoryTx {
    async fn claim(&mut self, consumer: &str, message: Uuid, now: Timestamp) -> Result<bool> {
        Ok(self.write().inbox.insert((consumer.to_owned(), message), now).is_none())
    }
}
