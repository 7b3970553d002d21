//! Events that were set aside, for an operator.

use async_trait::async_trait;

use crate::{error::Result, id::EventId};

/// An event that the relay could not number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failed {
    /// Its id.
    pub id: EventId,
    /// Its kind, as far as it can be read.
    pub kind: String,
    /// Why it was set aside.
    pub reason: String,
}

/// The events that were set aside.
#[async_trait]
pub trait SetAside: Send + Sync {
    /// The oldest of them, at most `limit`.
    async fn failed(&self, limit: u32) -> Result<Vec<Failed>>;

    /// Lets the relay try this one again, or all of them; gives how many. It numbers them after everything it has
    /// numbered by then.
    async fn retry(&self, id: Option<EventId>) -> Result<u64>;
}
