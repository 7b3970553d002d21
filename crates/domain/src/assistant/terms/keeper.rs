//! The terms that hold on this node: what the settings say, and what stands in the database beside them.

use std::sync::{
    Arc, PoisonError, RwLock,
    atomic::{AtomicU64, Ordering},
};

use super::{
    StoredTerms,
    ports::{ProviderKeys, TermsQueries},
    seal_context,
};
use crate::{
    assistant::{Budget, Price, PriceList},
    error::{Error, Result},
    secrets::Sealer,
};

/// What models cost, and how much may be spent on them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Terms {
    /// Prices.
    pub prices: PriceList,
    /// Budgets.
    pub budgets: Vec<Budget>,
}

/// The terms of this moment. They change as a whole.
#[derive(Debug, Default)]
pub struct Standing(RwLock<(u64, Arc<Terms>)>);

impl Standing {
    /// These terms.
    pub fn new(terms: Terms) -> Self {
        Self(RwLock::new((0, Arc::new(terms))))
    }

    /// The terms of this moment.
    pub fn now(&self) -> Arc<Terms> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner).1)
    }

    /// Puts other terms in their place, unless what was read later stands there by now; then `also` is not done either.
    fn put(&self, turn: u64, terms: Terms, also: impl FnOnce()) -> bool {
        let mut held = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if turn < held.0 {
            return false;
        }
        let is_news = *held.1 != terms;
        *held = (turn, Arc::new(terms));
        also();
        is_news
    }
}

/// A provider, as the settings name it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Provider {
    /// Its name.
    pub name: String,
    /// Which protocol it speaks, such as `anthropic`.
    pub protocol: &'static str,
    /// Where it is.
    pub url: String,
    /// Whether the settings have a key for it.
    pub has_key: bool,
}

/// What the settings say.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Settings {
    /// Prices.
    pub prices: Vec<Price>,
    /// Budgets.
    pub budgets: Vec<Budget>,
    /// Providers.
    pub providers: Vec<Provider>,
}

/// Keeps the terms of this node. Cheap to clone.
#[derive(Clone)]
pub struct TermsKeeper {
    /// Reads what stands in the database.
    pub queries: Arc<dyn TermsQueries>,
    /// The terms of this moment.
    pub standing: Arc<Standing>,
    /// What the settings say.
    pub settings: Arc<Settings>,
    /// By which keys this node is known to providers.
    pub keys: Arc<dyn ProviderKeys>,
    /// Opens keys of providers.
    pub sealer: Arc<dyn Sealer>,
    /// Whether calls are written down before they are made, without which no budget can be kept.
    pub keeps_budgets: bool,
    /// Counts the readings, so that of two the later one stays.
    pub turns: Arc<AtomicU64>,
}

impl std::fmt::Debug for TermsKeeper {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TermsKeeper").field("settings", &self.settings).finish_non_exhaustive()
    }
}

impl TermsKeeper {
    /// Reads everything anew and lets it hold from now on; says whether prices or budgets are others.
    ///
    /// # Errors
    /// Those of the database; then all stays as it was.
    pub async fn reload(&self) -> Result<bool> {
        let turn = self.turns.fetch_add(1, Ordering::SeqCst) + 1;
        let stored = self.queries.terms().await?;
        let terms = self.with(&stored);
        let opened = self.opened(&stored);
        Ok(self.standing.put(turn, terms, || {
            for (provider, key) in &opened {
                self.keys.put(provider, key.as_deref());
            }
        }))
    }

    /// A provider that the settings name.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub fn provider(&self, name: &str) -> Result<&Provider> {
        self.settings.providers.iter().find(|one| one.name == name).ok_or(Error::NotFound("Provider"))
    }

    /// Of two prices that begin at one moment the stored one holds.
    fn with(&self, stored: &StoredTerms) -> Terms {
        let prices = self.settings.prices.iter().chain(stored.prices.iter().map(|one| &one.price));
        // Without rows written before a call no budget is kept, and none may seem to be.
        let budgets = stored.budgets.iter().map(|one| &one.budget).filter(|_| self.keeps_budgets);
        Terms {
            prices: PriceList::new(prices.cloned().collect()),
            budgets: self.settings.budgets.iter().chain(budgets).cloned().collect(),
        }
    }

    fn opened(&self, stored: &StoredTerms) -> Vec<(String, Option<String>)> {
        let key = |name: &str| {
            let key = stored.keys.iter().find(|key| key.provider == name)?;
            let opened = self.sealer.open(&seal_context(name), &key.sealed);
            let opened = opened.map(|bytes| String::from_utf8(bytes).ok());
            opened.unwrap_or_else(|error| {
                tracing::error!(provider = name, %error, "the key of a provider does not open; the settings' is used");
                None
            })
        };
        self.settings.providers.iter().map(|one| (one.name.clone(), key(&one.name))).collect()
    }
}
