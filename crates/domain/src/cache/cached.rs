//! Queries whose answers are kept: a typed wrapper around a port (CA-07).

use std::sync::Arc;

use async_trait::async_trait;
use serde::{Serialize, de::DeserializeOwned};

use super::{Cache, Entry, Key, Looked, Policy, Tag};
use crate::{
    actor::Principal,
    error::{Error, Result},
    id::UserId,
    identity::{
        Email, Profile,
        ports::{Account, UserQueries},
    },
};

/// A port of queries, some of whose answers are kept for as long as nothing of them changes.
pub struct Cached<Q: ?Sized> {
    inner: Arc<Q>,
    cache: Arc<dyn Cache>,
    policy: Policy,
}

impl<Q: ?Sized> std::fmt::Debug for Cached<Q> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Cached").field("policy", &self.policy).finish_non_exhaustive()
    }
}

impl<Q: ?Sized> Cached<Q> {
    /// The same queries, with a cache in front.
    pub fn new(inner: Arc<Q>, cache: Arc<dyn Cache>, policy: Policy) -> Self {
        Self { inner, cache, policy }
    }

    /// What is kept under this key, or what `read` gives. What another version of Souk kept in another form is read anew.
    async fn read<T>(&self, key: Key, read: impl Future<Output = Result<Option<T>>> + Send) -> Result<Option<T>>
    where
        T: Serialize + DeserializeOwned + Send + Sync,
    {
        match self.cache.look(&key, self.policy).await {
            Looked::Hit(entry) => match &*entry {
                Entry::Absent => Ok(None),
                Entry::Present { body, .. } => match serde_json::from_slice(body) {
                    Ok(kept) => Ok(Some(kept)),
                    Err(_) => read.await,
                },
            },
            Looked::Bypass => read.await,
            Looked::Miss(lead) | Looked::Stale(_, lead) => {
                let found = read.await?;
                let entry = match &found {
                    None => Entry::Absent,
                    Some(found) => {
                        let body = serde_json::to_vec(found).map_err(Error::internal)?.into();
                        Entry::Present { tag: String::new(), coding: None, body }
                    }
                };
                lead.fill(Arc::new(entry));
                Ok(found)
            }
        }
    }
}

/// Who somebody is, is asked with every signed request; the rest is asked seldom.
#[async_trait]
impl UserQueries for Cached<dyn UserQueries> {
    async fn principal(&self, id: UserId) -> Result<Option<Principal>> {
        let key = Key::new(format!("principal|{id}"), [Tag::Person(id)]).private();
        self.read(key, self.inner.principal(id)).await
    }

    async fn account(&self, email: &Email) -> Result<Option<Account>> {
        self.inner.account(email).await
    }

    async fn own_account(&self, id: UserId) -> Result<Option<Account>> {
        self.inner.own_account(id).await
    }

    async fn profile(&self, id: UserId) -> Result<Option<Profile>> {
        self.inner.profile(id).await
    }
}

#[cfg(test)]
mod tests {
    use std::{
        sync::{
            Mutex,
            atomic::{AtomicU32, Ordering},
        },
        time::Duration,
    };

    use super::*;
    use crate::{
        Shop,
        cache::{InvalidatingStore, Lead},
        id::EventId,
        idempotency::Once,
        identity::open_seller,
        permission::Role,
        relay::Numbered,
        testing::{Fixtures, memory::MemoryStore},
    };

    /// Keeps one entry until anything changes.
    #[derive(Default)]
    struct One(Arc<Mutex<Option<Kept>>>);

    type Kept = (Arc<str>, Arc<Entry>);

    #[async_trait]
    impl Cache for One {
        async fn look(&self, key: &Key, _: Policy) -> Looked {
            assert!(key.private, "who somebody is stays in the process");
            if let Some((text, entry)) = &*self.0.lock().unwrap()
                && *text == key.text
            {
                return Looked::Hit(Arc::clone(entry));
            }
            let (kept, text) = (Arc::clone(&self.0), Arc::clone(&key.text));
            Looked::Miss(Lead::new(move |entry| *kept.lock().unwrap() = Some((text, entry))))
        }

        async fn invalidate(&self, _: &[Tag], _: &[EventId]) -> Result<()> {
            *self.0.lock().unwrap() = None;
            Ok(())
        }

        async fn resume(&self, last: u64) -> u64 {
            last
        }

        async fn resumed(&self) {}

        async fn follow(&self, _: &[Numbered]) {}
    }

    /// Counts what is asked of it.
    struct Counted(MemoryStore, AtomicU32);

    #[async_trait]
    impl UserQueries for Counted {
        async fn principal(&self, id: UserId) -> Result<Option<Principal>> {
            self.1.fetch_add(1, Ordering::SeqCst);
            self.0.principal(id).await
        }

        async fn account(&self, email: &Email) -> Result<Option<Account>> {
            self.0.account(email).await
        }

        async fn own_account(&self, id: UserId) -> Result<Option<Account>> {
            self.0.own_account(id).await
        }

        async fn profile(&self, id: UserId) -> Result<Option<Profile>> {
            self.0.profile(id).await
        }
    }

    #[tokio::test]
    async fn who_somebody_is_is_read_once_until_it_changes() {
        let (given, store) = Fixtures::in_memory();
        let (cache, counted) = (Arc::new(One::default()), Arc::new(Counted(store.clone(), AtomicU32::new(0))));
        let kept = Arc::clone(&cache);
        let changing = InvalidatingStore::new(Arc::new(store), Arc::<One>::clone(&cache));
        let shop = Shop { store: Arc::new(changing), ..given.shop.clone() };
        let inner: Arc<dyn UserQueries> = Arc::<Counted>::clone(&counted);
        let time = Duration::from_secs(1);
        let people = Cached::new(inner, cache, Policy { fresh: time, stale: time, absent: time });
        let asked = || counted.1.swap(0, Ordering::SeqCst);

        let ada = given.person(Role::User).await;
        for _ in 0..3 {
            assert_eq!(people.principal(ada.user).await.unwrap().as_ref(), Some(&ada));
        }
        assert_eq!(asked(), 1);
        let seller = open_seller(&shop, given.authorized(&ada), "Lamps", &Once::always()).await.unwrap();
        for _ in 0..3 {
            let now = people.principal(ada.user).await.unwrap().unwrap();
            assert!(now.roles.has(Role::Seller) && now.seller.is_some(), "{now:?}");
        }
        assert_eq!(asked(), 1);
        drop(seller);
        let nobody = UserId(uuid::Uuid::from_u128(404));
        for _ in 0..3 {
            assert_eq!(people.principal(nobody).await.unwrap(), None);
        }
        assert_eq!(asked(), 1);
        // Of another form: as good as nothing.
        let other = Entry::Present { tag: String::new(), coding: None, body: Arc::from(&b"{}"[..]) };
        *kept.0.lock().unwrap() = Some((format!("principal|{}", ada.user).into(), Arc::new(other)));
        assert_eq!(people.principal(ada.user).await.unwrap().unwrap().user, ada.user);
        assert_eq!(asked(), 1);
    }
}
