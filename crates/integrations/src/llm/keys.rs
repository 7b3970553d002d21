//! By which keys providers know us. They may change while calls are made: each call bears the one of its moment.

use std::{
    collections::BTreeMap,
    sync::{Arc, PoisonError, RwLock},
};

use domain::assistant::terms::ports::ProviderKeys;

/// The key of one provider. Clones share it; `Debug` does not show it.
#[derive(Clone, Default)]
pub(super) struct LiveKey(Arc<RwLock<Arc<str>>>);

impl std::fmt::Debug for LiveKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("LiveKey(..)")
    }
}

impl LiveKey {
    fn put(&self, key: &str) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::from(key);
    }

    /// The key of this moment; empty for a server that wants none.
    pub(super) fn now(&self) -> Arc<str> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }
}

/// The keys of all providers: what was put last, and what the settings say where nothing was.
#[derive(Default)]
pub struct LiveKeys(BTreeMap<String, (LiveKey, String)>);

impl std::fmt::Debug for LiveKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

impl LiveKeys {
    /// The keys that the settings say, by provider.
    pub fn new(settings: impl IntoIterator<Item = (String, String)>) -> Self {
        let live = |(name, key): (String, String)| {
            let live = LiveKey::default();
            live.put(&key);
            (name, (live, key))
        };
        Self(settings.into_iter().map(live).collect())
    }

    pub(super) fn of(&self, provider: &str) -> LiveKey {
        self.0.get(provider).map(|(live, _)| live.clone()).unwrap_or_default()
    }
}

impl ProviderKeys for LiveKeys {
    fn put(&self, provider: &str, key: Option<&str>) {
        if let Some((live, usual)) = self.0.get(provider) {
            live.put(key.unwrap_or(usual));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_that_was_put_counts_until_it_is_taken_back_and_is_not_shown() {
        let keys = LiveKeys::new([("near".to_owned(), "sk-usual".to_owned())]);
        let live = keys.of("near");
        assert_eq!(&*live.now(), "sk-usual");
        keys.put("near", Some("sk-other"));
        keys.put("unheard-of", Some("sk-none"));
        assert_eq!((&*live.now(), &*keys.of("unheard-of").now()), ("sk-other", ""));
        assert!(!format!("{keys:?} {live:?}").contains("sk-"));
        keys.put("near", None);
        assert_eq!(&*live.now(), "sk-usual");
    }
}
