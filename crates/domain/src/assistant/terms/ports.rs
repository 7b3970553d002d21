//! What the terms of the assistant need from outside.

use async_trait::async_trait;

use super::{ProviderKey, StoredBudget, StoredPrice, StoredTerms};
use crate::{
    error::Result,
    id::{AssistantBudgetId, AssistantPriceId},
};

/// The write side.
#[async_trait]
pub trait TermsRepo: Send {
    /// Stores a price; `false` when there is one of this deployment from the same moment on.
    async fn insert_price(&mut self, price: &StoredPrice) -> Result<bool>;

    /// A price, held until the transaction ends.
    async fn price(&mut self, id: AssistantPriceId) -> Result<Option<StoredPrice>>;

    /// Removes a price.
    async fn delete_price(&mut self, id: AssistantPriceId) -> Result<()>;

    /// How many prices there are.
    async fn count_prices(&mut self) -> Result<u64>;

    /// Stores a budget; `false` when the name is taken.
    async fn insert_budget(&mut self, budget: &StoredBudget) -> Result<bool>;

    /// A budget, held until the transaction ends.
    async fn budget(&mut self, id: AssistantBudgetId) -> Result<Option<StoredBudget>>;

    /// Replaces how much may be spent.
    async fn update_budget(&mut self, budget: &StoredBudget) -> Result<()>;

    /// Removes a budget. What was spent by its name stays as long as the ledger keeps it.
    async fn delete_budget(&mut self, id: AssistantBudgetId) -> Result<()>;

    /// How many budgets there are.
    async fn count_budgets(&mut self) -> Result<u64>;

    /// The key of a provider, held until the transaction ends.
    async fn provider_key(&mut self, provider: &str) -> Result<Option<ProviderKey>>;

    /// Stores the key of a provider, in place of the one before.
    async fn put_provider_key(&mut self, key: &ProviderKey) -> Result<()>;

    /// Removes the key of a provider.
    async fn delete_provider_key(&mut self, provider: &str) -> Result<()>;
}

/// The read side.
#[async_trait]
pub trait TermsQueries: Send + Sync {
    /// All of it, nothing of it older than when it was asked for.
    async fn terms(&self) -> Result<StoredTerms>;
}

/// By which keys this process is known to providers.
pub trait ProviderKeys: Send + Sync {
    /// Calls of this provider bear this key from now on; `None` is the one that the settings name.
    fn put(&self, provider: &str, key: Option<&str>);
}
