//! What models cost, how much may be spent on them, and by which keys providers know us: the settings say it, and rows beside them that
//! count at once on every node.

mod budget_input;
mod change_budgets;
mod change_keys;
mod change_prices;
mod events;
mod keeper;
pub mod ports;
mod price_input;

pub use budget_input::{BudgetInput, BudgetPatch, NewBudget};
pub use change_budgets::{create_budget, delete_budget, update_budget};
pub use change_keys::{ProviderKeyText, remove_provider_key, set_provider_key};
pub use change_prices::{create_price, withdraw_price};
pub use keeper::{Provider, Settings, Standing, Terms, TermsKeeper};
pub use price_input::{NewPrice, PriceInput};

use super::{Budget, Price};
use crate::{
    clock::Timestamp,
    id::{AssistantBudgetId, AssistantPriceId, ProviderKeyId},
};

/// A price that stands in the database. It is never changed: another one supersedes it from a later moment on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredPrice {
    /// Its id.
    pub id: AssistantPriceId,
    /// What it says.
    pub price: Price,
    /// When it was made.
    pub created_at: Timestamp,
}

/// A budget that stands in the database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredBudget {
    /// Its id.
    pub id: AssistantBudgetId,
    /// What it says.
    pub budget: Budget,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// The key by which a provider knows us, sealed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProviderKey {
    /// Its id.
    pub id: ProviderKeyId,
    /// The name of the provider.
    pub provider: String,
    /// The key, sealed for this provider.
    pub sealed: Vec<u8>,
    /// Its last four characters; nothing of a short one.
    pub hint: String,
    /// When it was set.
    pub set_at: Timestamp,
}

/// All that stands in the database.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StoredTerms {
    /// Prices, by deployment and moment.
    pub prices: Vec<StoredPrice>,
    /// Budgets, by name.
    pub budgets: Vec<StoredBudget>,
    /// Keys of providers, by name.
    pub keys: Vec<ProviderKey>,
}

/// Where the key of a provider is sealed: it opens for no other.
fn seal_context(provider: &str) -> String {
    format!("provider_key/{provider}")
}
