//! Terms of the assistant over a store, with keys that are easy to look at.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use super::PlainSealer;
use crate::assistant::terms::{
    Settings, Standing, TermsKeeper,
    ports::{ProviderKeys, TermsQueries},
};

/// Remembers by which keys providers know us.
#[derive(Debug, Default)]
pub struct PlainKeys(Mutex<BTreeMap<String, Option<String>>>);

impl PlainKeys {
    /// The key that was put last for a provider; `None` when the settings' counts.
    pub fn of(&self, provider: &str) -> Option<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(provider).cloned().flatten()
    }
}

impl ProviderKeys for PlainKeys {
    fn put(&self, provider: &str, key: Option<&str>) {
        let mut keys = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        keys.insert(provider.to_owned(), key.map(str::to_owned));
    }
}

/// The terms of these settings over what this store holds, which was not read yet.
pub fn plain_terms(queries: Arc<dyn TermsQueries>, settings: Settings, keys: Arc<PlainKeys>) -> TermsKeeper {
    TermsKeeper {
        queries,
        standing: Arc::new(Standing::default()),
        settings: Arc::new(settings),
        keys,
        sealer: Arc::new(PlainSealer),
        keeps_budgets: true,
        turns: Arc::default(),
    }
}
