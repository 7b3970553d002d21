//! The queue of jobs in memory, as workers and operators see it.

use std::{collections::BTreeMap, sync::Arc};

use async_trait::async_trait;

use super::{MemoryStore, page_of, state::State};
use crate::{
    clock::Timestamp,
    error::Result,
    id::JobId,
    job::{
        JobState, Settled, StoredJob,
        ports::{Ask, Attempt, Depth, JobFilter, JobQueries, JobQueue},
    },
    page::{Page, PageRequest},
};

impl MemoryStore {
    /// Changes the committed state at once.
    pub(super) fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        change(Arc::make_mut(&mut self.shared().state))
    }
}

/// The job of an attempt that is still the latest and running.
fn held(state: &mut State, attempt: Attempt) -> Option<&mut StoredJob> {
    let job = state.jobs.get_mut(&attempt.job)?;
    (job.state == JobState::Running && job.fence == attempt.fence).then_some(job)
}

fn leave(job: &mut StoredJob, state: JobState, finished_at: Option<Timestamp>) {
    job.state = state;
    job.worker = None;
    job.lease_until = None;
    job.finished_at = finished_at;
}

#[async_trait]
impl JobQueue for MemoryStore {
    async fn take(&self, ask: &Ask) -> Result<Vec<StoredJob>> {
        Ok(self.change(|state| {
            let mut free: BTreeMap<&str, u32> = ask.free.iter().copied().collect();
            let due = |job: &&mut StoredJob| job.state == JobState::Waiting && job.run_at <= ask.now;
            let mut waiting: Vec<&mut StoredJob> = state.jobs.values_mut().filter(due).collect();
            waiting.sort_by_key(|job| (std::cmp::Reverse(job.priority), job.run_at, job.id));
            let mut taken = Vec::new();
            for job in waiting {
                let Some(places) = free.get_mut(job.kind.as_str()).filter(|places| **places > 0) else { continue };
                if taken.len() >= usize::try_from(ask.most).unwrap_or(usize::MAX) {
                    break;
                }
                *places -= 1;
                job.state = JobState::Running;
                job.attempts += 1;
                job.fence += 1;
                job.worker = Some(ask.worker.clone());
                job.lease_until = Some(ask.until);
                job.started_at = Some(ask.now);
                taken.push(job.clone());
            }
            taken
        }))
    }

    async fn take_over(&self, worker: &str, now: Timestamp, until: Timestamp, limit: u32) -> Result<Vec<StoredJob>> {
        Ok(self.change(|state| {
            let lost = state.jobs.values_mut().filter(|job| {
                job.state == JobState::Running && job.lease_until.is_some_and(|lease_until| lease_until <= now)
            });
            lost.take(usize::try_from(limit).unwrap_or(usize::MAX))
                .map(|job| {
                    job.fence += 1;
                    job.worker = Some(worker.to_owned());
                    job.lease_until = Some(until);
                    job.clone()
                })
                .collect()
        }))
    }

    async fn extend(&self, attempts: &[Attempt], until: Timestamp) -> Result<Vec<(Attempt, bool)>> {
        Ok(self.change(|state| {
            let mut kept = Vec::new();
            for attempt in attempts {
                if let Some(job) = held(state, *attempt) {
                    job.lease_until = Some(until);
                    kept.push((*attempt, job.stop_asked));
                }
            }
            kept
        }))
    }

    async fn settle(&self, attempt: Attempt, settled: &Settled, now: Timestamp) -> Result<bool> {
        Ok(self.change(|state| {
            let Some(job) = held(state, attempt) else { return false };
            match settled {
                Settled::Done => leave(job, JobState::Done, Some(now)),
                Settled::Cancelled => leave(job, JobState::Cancelled, Some(now)),
                Settled::Dead { errors } => {
                    job.errors.clone_from(errors);
                    leave(job, JobState::Dead, Some(now));
                }
                Settled::Again { errors, .. } if job.stop_asked => {
                    job.errors.clone_from(errors);
                    leave(job, JobState::Cancelled, Some(now));
                }
                Settled::Again { at, errors } => {
                    job.errors.clone_from(errors);
                    job.run_at = *at;
                    leave(job, JobState::Waiting, None);
                }
            }
            true
        }))
    }

    async fn release(&self, attempts: &[Attempt], now: Timestamp) -> Result<u64> {
        Ok(self.change(|state| {
            let mut released = 0;
            for attempt in attempts {
                if let Some(job) = held(state, *attempt) {
                    job.attempts = job.attempts.saturating_sub(1);
                    if job.stop_asked {
                        leave(job, JobState::Cancelled, Some(now));
                    } else {
                        leave(job, JobState::Waiting, None);
                    }
                    released += 1;
                }
            }
            released
        }))
    }

    async fn purge(&self, done: Option<Timestamp>, dead: Option<Timestamp>, limit: u32) -> Result<u64> {
        Ok(self.change(|state| {
            let old = |job: &&StoredJob| {
                let before = match job.state {
                    JobState::Done | JobState::Cancelled => done,
                    JobState::Dead => dead,
                    JobState::Waiting | JobState::Running => None,
                };
                before.zip(job.finished_at).is_some_and(|(before, finished)| finished < before)
            };
            let old = state.jobs.values().filter(old).take(usize::try_from(limit).unwrap_or(usize::MAX));
            let old: Vec<JobId> = old.map(|job| job.id).collect();
            for id in &old {
                state.jobs.remove(id);
                state.inbox.retain(|(_, message), _| *message != id.0);
            }
            u64::try_from(old.len()).unwrap_or(u64::MAX)
        }))
    }
}

#[async_trait]
impl JobQueries for MemoryStore {
    async fn get(&self, id: JobId) -> Result<Option<StoredJob>> {
        Ok(self.state().jobs.get(&id).cloned())
    }

    async fn list(&self, filter: &JobFilter, page: PageRequest) -> Result<Page<StoredJob>> {
        let state = self.state();
        let wanted = state.jobs.values().rev().filter(|job| {
            filter.state.is_none_or(|state| job.state == state)
                && filter.kind.as_ref().is_none_or(|kind| job.kind == *kind)
        });
        Ok(page_of(wanted.cloned(), page))
    }

    async fn depths(&self, now: Timestamp) -> Result<Vec<Depth>> {
        let state = self.state();
        let mut found: BTreeMap<(&str, JobState), Depth> = BTreeMap::new();
        for job in state.jobs.values() {
            if !job.state.is_open() && job.state != JobState::Dead {
                continue;
            }
            let none = Depth { kind: job.kind.clone(), state: job.state, jobs: 0, due_since: None };
            let depth = found.entry((&job.kind, job.state)).or_insert(none);
            depth.jobs += 1;
            if job.run_at <= now {
                depth.due_since = Some(depth.due_since.map_or(job.run_at, |since| since.min(job.run_at)));
            }
        }
        Ok(found.into_values().collect())
    }
}
