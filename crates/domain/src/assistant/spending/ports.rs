//! What telling of spending needs from outside.

use async_trait::async_trait;

use super::{GroupKey, Spending, SpendingBy, SpendingFilter, SpentCall, SpentWindow};
use crate::{clock::Timestamp, error::Result, id::AssistantCallId};

/// Reads the ledger for people.
#[async_trait]
pub trait SpendingQueries: Send + Sync {
    /// What calls used together, by groups in the order of their keys; those after `after`, at most `limit`. Without anything to tell
    /// them apart by there is one group at most.
    async fn spending(
        &self,
        filter: &SpendingFilter,
        by: &[SpendingBy],
        after: Option<&GroupKey>,
        limit: u32,
    ) -> Result<Vec<Spending>>;

    /// Calls, the newest first; those after this place, at most `limit`.
    async fn calls(
        &self,
        filter: &SpendingFilter,
        after: Option<(Timestamp, AssistantCallId)>,
        limit: u32,
    ) -> Result<Vec<SpentCall>>;

    /// What was spent in the windows of a budget that began at this moment; the largest cost first, then by subject, at most `limit`.
    async fn windows(&self, budget: &str, starts_at: Timestamp, limit: u32) -> Result<Vec<SpentWindow>>;
}
