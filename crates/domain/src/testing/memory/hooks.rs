//! Webhooks that came in, in memory.

use async_trait::async_trait;

use super::{MemoryStore, MemoryTx, page_of, state::State};
use crate::{
    clock::Timestamp,
    error::Result,
    id::HookEventId,
    inbound::{
        HookEvent, HookReport, HookState,
        ports::{HookFilter, HookQueries, HookRepo},
    },
    page::{Page, PageRequest},
};

impl State {
    /// Where an event stands: what waits for a job that is none any more has failed.
    fn hook(&self, event: &HookEvent) -> HookEvent {
        let open = self.jobs.get(&event.job).is_some_and(|job| job.state.is_open());
        let lost = event.state == HookState::Waiting && !open;
        HookEvent { state: if lost { HookState::Failed } else { event.state }, ..event.clone() }
    }

    fn report(&self, event: &HookEvent) -> HookReport {
        let job = self.jobs.get(&event.job);
        HookReport {
            event: self.hook(event),
            attempts: job.map_or(0, |job| job.attempts),
            errors: job.map(|job| job.errors.clone()).unwrap_or_default(),
        }
    }
}

#[async_trait]
impl HookRepo for MemoryTx {
    async fn insert(&mut self, event: &HookEvent) -> Result<bool> {
        if self.known(&event.source, &event.key).await?.is_some() {
            return Ok(false);
        }
        self.write().hooks.insert(event.id, event.clone());
        Ok(true)
    }

    async fn known(&mut self, source: &str, key: &str) -> Result<Option<HookEventId>> {
        let found = self.state.hooks.values().find(|event| event.source == source && event.key == key);
        Ok(found.map(|event| event.id))
    }

    async fn find(&mut self, id: HookEventId) -> Result<Option<HookEvent>> {
        Ok(self.state.hooks.get(&id).map(|event| self.state.hook(event)))
    }

    async fn update(&mut self, event: &HookEvent) -> Result<()> {
        if let Some(stored) = self.write().hooks.get_mut(&event.id) {
            let body = stored.body.take().filter(|_| event.body.is_some());
            *stored = HookEvent { body, ..event.clone() };
        }
        Ok(())
    }
}

#[async_trait]
impl HookQueries for MemoryStore {
    async fn get(&self, id: HookEventId) -> Result<Option<HookReport>> {
        let state = self.state();
        Ok(state.hooks.get(&id).map(|event| state.report(event)))
    }

    async fn list(&self, filter: &HookFilter, page: PageRequest) -> Result<Page<HookReport>> {
        let state = self.state();
        let mut found: Vec<HookReport> = state.hooks.values().map(|event| state.report(event)).collect();
        found.retain(|HookReport { event, .. }| {
            filter.source.as_ref().is_none_or(|source| *source == event.source)
                && filter.kind.as_ref().is_none_or(|kind| Some(kind) == event.kind.as_ref())
                && filter.state.is_none_or(|state| state == event.state)
        });
        found.sort_by_key(|report| std::cmp::Reverse(report.event.id));
        for report in &mut found {
            report.event.body = None;
        }
        Ok(page_of(found, page))
    }

    async fn purge(&self, before: Timestamp, limit: u32) -> Result<u64> {
        Ok(self.change(|state| {
            let over = |event: &HookEvent| event.received_at < before && state.hook(event).state != HookState::Waiting;
            let gone: Vec<_> = state.hooks.values().filter(|event| over(event)).map(|event| event.id).collect();
            let gone = gone.into_iter().take(usize::try_from(limit).unwrap_or(usize::MAX));
            let mut count = 0;
            for id in gone {
                state.hooks.remove(&id);
                count += 1;
            }
            count
        }))
    }
}
