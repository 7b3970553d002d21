//! What inbound webhooks need from outside.

use async_trait::async_trait;

use super::{Disbelief, Handled, HookEvent, HookReport, HookState, Vouched};
use crate::{
    clock::Timestamp,
    error::Result,
    id::HookEventId,
    page::{Page, PageRequest},
    shop::Shop,
    store::Tx,
};

/// Knows the signatures of one source.
pub trait HookVerifier: Send + Sync {
    /// Whether its sender signed these very bytes, not too long before `now` and not after it; names of headers are in small letters.
    /// MUST compare in constant time, and try every secret.
    ///
    /// # Errors
    /// Why not.
    fn verify(&self, headers: &[(&str, &str)], body: &[u8], now: Timestamp) -> Result<Vouched, Disbelief>;
}

/// What the events of a source do.
#[async_trait]
pub trait HookHandler: Send + Sync {
    /// Does what an event does, in the transaction that says so. Events come in any order and may be handed over again long after others:
    /// an older one MUST NOT undo what a newer one did. Nothing slow belongs here; what is, becomes a job.
    ///
    /// # Errors
    /// [`crate::Error::Unprocessable`] and the like when no attempt will ever succeed; any other is tried again. They MUST say nothing
    /// of anybody.
    async fn handle(
        &self,
        shop: &Shop,
        tx: &mut dyn Tx,
        event: &HookEvent,
        body: &[u8],
        now: Timestamp,
    ) -> Result<Handled>;
}

/// The write side of events.
#[async_trait]
pub trait HookRepo: Send {
    /// Stores an event; `false` when one of its source has its key. While another transaction that stores the same is open, this one
    /// waits for its end.
    async fn insert(&mut self, event: &HookEvent) -> Result<bool>;

    /// The event of that key.
    async fn known(&mut self, source: &str, key: &str) -> Result<Option<HookEventId>>;

    /// The event of that id. Nobody else changes it until the transaction ends.
    async fn find(&mut self, id: HookEventId) -> Result<Option<HookEvent>>;

    /// Stores what may change of an event: state, outcome, person, job, when it was handled, replays, and that its body went.
    async fn update(&mut self, event: &HookEvent) -> Result<()>;
}

/// Which events to list; every part given must match.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HookFilter {
    /// Of this source.
    pub source: Option<String>,
    /// Of this kind.
    pub kind: Option<String>,
    /// In this state.
    pub state: Option<HookState>,
}

/// Events as operators see them.
#[async_trait]
pub trait HookQueries: Send + Sync {
    /// The event of that id, with its body.
    async fn get(&self, id: HookEventId) -> Result<Option<HookReport>>;

    /// A page of them without their bodies, the newest first.
    async fn list(&self, filter: &HookFilter, page: PageRequest) -> Result<Page<HookReport>>;

    /// Removes events that came before and wait for nothing, at most `limit`, and gives how many.
    async fn purge(&self, before: Timestamp, limit: u32) -> Result<u64>;
}
