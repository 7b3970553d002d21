//! What the assistant costs, may spend and is known by, in memory.

use std::collections::BTreeMap;

use async_trait::async_trait;

use super::{MemoryStore, MemoryTx};
use crate::{
    assistant::terms::{
        ProviderKey, StoredBudget, StoredPrice, StoredTerms,
        ports::{TermsQueries, TermsRepo},
    },
    error::Result,
    id::{AssistantBudgetId, AssistantPriceId},
};

/// Prices, budgets and keys.
#[derive(Debug, Clone, Default)]
pub(super) struct Tariffs {
    prices: BTreeMap<AssistantPriceId, StoredPrice>,
    budgets: BTreeMap<AssistantBudgetId, StoredBudget>,
    keys: BTreeMap<String, ProviderKey>,
}

fn count(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}

#[async_trait]
impl TermsRepo for MemoryTx {
    async fn insert_price(&mut self, price: &StoredPrice) -> Result<bool> {
        let same = |other: &StoredPrice| {
            (&other.price.deployment, other.price.from) == (&price.price.deployment, price.price.from)
        };
        if self.state.tariffs.prices.values().any(same) {
            return Ok(false);
        }
        self.write().tariffs.prices.insert(price.id, price.clone());
        Ok(true)
    }

    async fn price(&mut self, id: AssistantPriceId) -> Result<Option<StoredPrice>> {
        Ok(self.state.tariffs.prices.get(&id).cloned())
    }

    async fn delete_price(&mut self, id: AssistantPriceId) -> Result<()> {
        self.write().tariffs.prices.remove(&id);
        Ok(())
    }

    async fn count_prices(&mut self) -> Result<u64> {
        Ok(count(self.state.tariffs.prices.len()))
    }

    async fn insert_budget(&mut self, budget: &StoredBudget) -> Result<bool> {
        if self.state.tariffs.budgets.values().any(|other| other.budget.name == budget.budget.name) {
            return Ok(false);
        }
        self.write().tariffs.budgets.insert(budget.id, budget.clone());
        Ok(true)
    }

    async fn budget(&mut self, id: AssistantBudgetId) -> Result<Option<StoredBudget>> {
        Ok(self.state.tariffs.budgets.get(&id).cloned())
    }

    async fn update_budget(&mut self, budget: &StoredBudget) -> Result<()> {
        if let Some(stored) = self.write().tariffs.budgets.get_mut(&budget.id) {
            *stored = budget.clone();
        }
        Ok(())
    }

    async fn delete_budget(&mut self, id: AssistantBudgetId) -> Result<()> {
        self.write().tariffs.budgets.remove(&id);
        Ok(())
    }

    async fn count_budgets(&mut self) -> Result<u64> {
        Ok(count(self.state.tariffs.budgets.len()))
    }

    async fn provider_key(&mut self, provider: &str) -> Result<Option<ProviderKey>> {
        Ok(self.state.tariffs.keys.get(provider).cloned())
    }

    async fn put_provider_key(&mut self, key: &ProviderKey) -> Result<()> {
        self.write().tariffs.keys.insert(key.provider.clone(), key.clone());
        Ok(())
    }

    async fn delete_provider_key(&mut self, provider: &str) -> Result<()> {
        self.write().tariffs.keys.remove(provider);
        Ok(())
    }
}

#[async_trait]
impl TermsQueries for MemoryStore {
    async fn terms(&self) -> Result<StoredTerms> {
        let tariffs = self.state().tariffs.clone();
        let mut prices: Vec<_> = tariffs.prices.into_values().collect();
        prices.sort_by(|a, b| (&a.price.deployment, a.price.from).cmp(&(&b.price.deployment, b.price.from)));
        let mut budgets: Vec<_> = tariffs.budgets.into_values().collect();
        budgets.sort_by(|a, b| a.budget.name.cmp(&b.budget.name));
        Ok(StoredTerms { prices, budgets, keys: tariffs.keys.into_values().collect() })
    }
}
