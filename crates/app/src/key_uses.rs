//! When API keys were last used, written off the request path: the latest use of each key waits, and one loop stores them all
//! now and then.
//!
//! Uses are telemetry (ruling R22): what the database cannot take is dropped and counted.

use std::{sync::Arc, time::Duration};

use domain::{Result, access::ports::ApiKeyQueries, clock::Timestamp, id::ApiKeyId};
use tokio_util::sync::CancellationToken;

use crate::notes::Notes;

/// How long a use waits for others.
const PAUSE: Duration = Duration::from_secs(5);

/// What waits: the latest use of each key.
#[derive(Clone)]
pub(crate) struct KeyUses {
    waiting: Notes<ApiKeyId, Timestamp>,
    keys: Arc<dyn ApiKeyQueries>,
}

impl api::KeyUseSink for KeyUses {
    fn used(&self, key: ApiKeyId, at: Timestamp) {
        if !self.waiting.take(key, at, |_, later| later) {
            dropped(1);
        }
    }
}

impl KeyUses {
    /// Nothing waits yet.
    pub(crate) fn new(keys: Arc<dyn ApiKeyQueries>) -> Self {
        Self { waiting: Notes::default(), keys }
    }

    /// Stores what comes until told to stop, then what is left.
    pub(crate) async fn run(self, stop: CancellationToken) -> Result<()> {
        while let Some(uses) = self.waiting.next(PAUSE, &stop).await {
            if let Err(error) = self.keys.used(&uses).await {
                tracing::warn!(keys = uses.len(), error = crate::chain(&error), "uses of API keys were dropped");
                dropped(uses.len());
            }
        }
        Ok(())
    }
}

fn dropped(uses: usize) {
    metrics::counter!("api_key_uses_dropped_total").increment(u64::try_from(uses).unwrap_or(u64::MAX));
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use api::KeyUseSink;
    use async_trait::async_trait;
    use domain::{
        access::{
            ApiKey,
            ports::{HeldKey, KeysOf},
        },
        page::{Page, PageRequest},
    };

    use super::*;
    use crate::notes::MOST;

    #[derive(Default)]
    struct Stored(Mutex<Vec<Vec<(ApiKeyId, Timestamp)>>>);

    #[async_trait]
    impl ApiKeyQueries for Stored {
        async fn held(&self, _: ApiKeyId) -> Result<Option<HeldKey>> {
            Ok(None)
        }

        async fn get(&self, _: ApiKeyId) -> Result<Option<ApiKey>> {
            Ok(None)
        }

        async fn list(&self, _: KeysOf, page: PageRequest) -> Result<Page<ApiKey>> {
            Ok(Page::new(Vec::new(), 0, page))
        }

        async fn used(&self, uses: &[(ApiKeyId, Timestamp)]) -> Result<()> {
            self.0.lock().unwrap().push(uses.to_vec());
            Ok(())
        }
    }

    #[tokio::test]
    async fn the_latest_use_of_each_key_is_stored_at_the_end_too() {
        let stored = Arc::new(Stored::default());
        let uses = KeyUses::new(stored.clone());
        let key = |n| ApiKeyId(uuid::Uuid::from_u128(n));
        let at = |second| Timestamp::from_timestamp(second, 0).unwrap();
        for second in 0..1000 {
            uses.used(key(1), at(second));
        }
        for n in 0..20_000 {
            uses.used(key(n), at(7));
        }
        uses.used(key(1), at(9));
        let stop = CancellationToken::new();
        stop.cancel();
        uses.run(stop).await.unwrap();
        let stored = stored.0.lock().unwrap();
        assert_eq!((stored.len(), stored[0].len()), (1, MOST));
        assert_eq!(stored[0].iter().find(|(id, _)| *id == key(1)).unwrap().1, at(9));
    }
}
