//! The ledger of the assistant, in memory.

use std::collections::BTreeMap;

use async_trait::async_trait;

use super::MemoryStore;
use crate::{
    assistant::{Batch, CallState, NewCall, Settlement, Spent, Verdict, WindowKey, decide, ports::LedgerStore},
    clock::Timestamp,
    error::Result,
    id::AssistantCallId,
};

/// A row of the ledger.
#[derive(Debug, Clone)]
pub struct StoredCall {
    /// As it began.
    pub call: NewCall,
    /// What became of it.
    pub state: CallState,
    /// How it ended, once it has; not when it was swept.
    pub settled: Option<Settlement>,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
}

/// Calls and windows.
#[derive(Debug, Clone, Default)]
pub struct Books {
    /// The calls.
    pub calls: BTreeMap<AssistantCallId, StoredCall>,
    /// What was spent.
    pub windows: BTreeMap<WindowKey, Spent>,
}

impl MemoryStore {
    /// What stands in the ledger.
    pub fn books(&self) -> Books {
        self.state().books.clone()
    }
}

#[async_trait]
impl LedgerStore for MemoryStore {
    async fn write(&self, batch: &Batch) -> Result<Vec<Verdict>> {
        Ok(self.change(|state| {
            let books = &mut state.books;
            let verdicts = decide(&mut books.windows, &batch.calls);
            for (call, verdict) in batch.calls.iter().zip(&verdicts) {
                if verdict.is_ok() {
                    let (call, state) = (call.clone(), CallState::Reserved);
                    books.calls.insert(call.id, StoredCall { call, state, settled: None, ended_at: None });
                }
            }
            for settled in &batch.settled {
                let open = books.calls.get_mut(&settled.id).filter(|row| row.state == CallState::Reserved);
                let Some(row) = open else { continue };
                (row.state, row.ended_at) = (settled.state, Some(settled.ended_at));
                row.settled = Some(settled.clone());
                for window in &settled.windows {
                    if let Some(spent) = books.windows.get_mut(window) {
                        *spent = spent.plus(settled.spent()).minus(settled.held);
                    }
                }
            }
            verdicts
        }))
    }

    async fn sweep(&self, before: Timestamp, now: Timestamp) -> Result<u64> {
        Ok(self.change(|state| {
            let mut swept = 0;
            for row in state.books.calls.values_mut() {
                if row.state == CallState::Reserved && row.call.started_at < before {
                    (row.state, row.ended_at) = (CallState::Estimated, Some(now));
                    swept += 1;
                }
            }
            swept
        }))
    }

    async fn spent(&self, budget: &str, since: Timestamp) -> Result<Vec<(WindowKey, Spent)>> {
        let books = self.state().books.clone();
        let mut found: Vec<_> =
            books.windows.into_iter().filter(|(key, _)| key.budget == budget && key.starts_at >= since).collect();
        found.sort_by(|(a, one), (b, other)| other.cost.cmp(&one.cost).then_with(|| a.cmp(b)));
        Ok(found)
    }

    async fn purge(&self, before: Timestamp, limit: u32) -> Result<u64> {
        Ok(self.change(|state| {
            let ended = state.books.calls.values().filter(|row| row.ended_at.is_some_and(|at| at < before));
            let limit = usize::try_from(limit).unwrap_or(usize::MAX);
            let gone: Vec<_> = ended.map(|row| row.call.id).take(limit).collect();
            for id in &gone {
                state.books.calls.remove(id);
            }
            state.books.windows.retain(|window, _| window.starts_at >= before);
            u64::try_from(gone.len()).unwrap_or(u64::MAX)
        }))
    }
}
