//! The schedule in memory.

use std::collections::BTreeMap;

use async_trait::async_trait;

use super::{MemoryStore, MemoryTx};
use crate::{
    clock::Timestamp,
    error::Result,
    schedule::{Run, ScheduleQueries, ScheduleRepo},
};

#[async_trait]
impl ScheduleRepo for MemoryTx {
    async fn advance(&mut self, name: &str, from: Option<Timestamp>, to: Option<Timestamp>) -> Result<bool> {
        if self.state.looked_at.get(name).copied() != from {
            return Ok(false);
        }
        match to {
            Some(to) => self.write().looked_at.insert(name.to_owned(), to),
            None => self.write().looked_at.remove(name),
        };
        Ok(true)
    }

    async fn record(&mut self, run: &Run) -> Result<bool> {
        let key = (run.name.clone(), run.tick);
        if self.state.runs.contains_key(&key) {
            return Ok(false);
        }
        self.write().runs.insert(key, run.clone());
        Ok(true)
    }
}

#[async_trait]
impl ScheduleQueries for MemoryStore {
    async fn looked_at(&self) -> Result<BTreeMap<String, Timestamp>> {
        Ok(self.state().looked_at.clone())
    }

    async fn runs(&self, name: &str, limit: u32) -> Result<Vec<Run>> {
        let state = self.state();
        let runs = state.runs.values().rev().filter(|run| run.name == name);
        let runs = runs.take(usize::try_from(limit).unwrap_or(usize::MAX)).map(|run| {
            let job = state.jobs.get(&run.job);
            let (at, finished_at) = (job.map(|job| job.state), job.and_then(|job| job.finished_at));
            Run { state: at, finished_at, ..run.clone() }
        });
        Ok(runs.collect())
    }
}
