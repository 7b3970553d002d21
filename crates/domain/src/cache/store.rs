//! A store whose commits make old what they changed, before they are answered.

use std::sync::Arc;

use async_trait::async_trait;

use super::{Cache, Tag, tags};
use crate::{
    access::ports::{ApiKeyRepo, BanRepo, RoleRepo},
    assets::{
        files::ports::{FileRepo, GrantRepo},
        lfs::ports::LibraryRepo,
        models::ports::ModelRepo,
        ports::{BlobRepo, UsageRepo},
        uploads::ports::UploadRepo,
    },
    assistant::{
        batches::ports::BatchRepo, conversation::ports::ConversationRepo, prompts::ports::PromptRepo,
        terms::ports::TermsRepo,
    },
    audit::AuditLog,
    catalog::ports::{CategoryRepo, ProductRepo, ReviewRepo},
    error::Result,
    event::{Event, Outbox},
    id::EventId,
    idempotency::IdempotencyKeys,
    identity::{
        exports::ports::DataExportRepo,
        factors::ports::{ChallengeRepo, FactorRepo},
        known::{HEEDED, Witness},
        outside::ports::{ForeignIdRepo, SignInStepRepo, StandingRepo},
        passkeys::ports::PasskeyRepo,
        ports::{ActionCodeRepo, SellerRepo, SessionRepo, SigningKeyRepo, UserRepo},
    },
    inbound::ports::HookRepo,
    job::ports::{Inbox, JobRepo},
    organisation::ports::OrganisationRepo,
    room::ports::RoomRepo,
    schedule::ScheduleRepo,
    store::{Store, Tx},
    webhooks::ports::WebhookRepo,
};

/// A store that tells the cache of every change, by the events its transactions leave.
pub struct InvalidatingStore {
    inner: Arc<dyn Store>,
    cache: Arc<dyn Cache>,
    witness: Option<Arc<dyn Witness>>,
}

impl std::fmt::Debug for InvalidatingStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("InvalidatingStore")
    }
}

impl InvalidatingStore {
    /// The same store, and the cache that is to hear of its commits.
    pub fn new(inner: Arc<dyn Store>, cache: Arc<dyn Cache>) -> Self {
        Self { inner, cache, witness: None }
    }

    /// The same store, and who is to hear of what changed of people and sessions.
    #[must_use]
    pub fn before(self, witness: Arc<dyn Witness>) -> Self {
        Self { witness: Some(witness), ..self }
    }
}

#[async_trait]
impl Store for InvalidatingStore {
    async fn begin(&self) -> Result<Box<dyn Tx>> {
        let inner = self.inner.begin().await?;
        Ok(Box::new(InvalidatingTx {
            inner,
            cache: Arc::clone(&self.cache),
            witness: self.witness.clone(),
            tags: Vec::new(),
            events: Vec::new(),
            people: Vec::new(),
        }))
    }
}

struct InvalidatingTx {
    inner: Box<dyn Tx>,
    cache: Arc<dyn Cache>,
    witness: Option<Arc<dyn Witness>>,
    tags: Vec<Tag>,
    events: Vec<EventId>,
    /// Events of people and sessions.
    people: Vec<Event>,
}

#[async_trait]
impl Outbox for InvalidatingTx {
    async fn append(&mut self, event: Event) -> Result<()> {
        for tag in tags(&event) {
            if !self.tags.contains(&tag) {
                self.tags.push(tag);
            }
        }
        self.events.push(event.id);
        if self.witness.is_some() && HEEDED.contains(&event.entity.kind.as_str()) {
            self.people.push(event.clone());
        }
        self.inner.outbox().append(event).await
    }
}

#[async_trait]
impl Tx for InvalidatingTx {
    fn roles(&mut self) -> &mut dyn RoleRepo {
        self.inner.roles()
    }

    fn bans(&mut self) -> &mut dyn BanRepo {
        self.inner.bans()
    }

    fn api_keys(&mut self) -> &mut dyn ApiKeyRepo {
        self.inner.api_keys()
    }

    fn organisations(&mut self) -> &mut dyn OrganisationRepo {
        self.inner.organisations()
    }

    fn users(&mut self) -> &mut dyn UserRepo {
        self.inner.users()
    }

    fn codes(&mut self) -> &mut dyn ActionCodeRepo {
        self.inner.codes()
    }

    fn foreign_ids(&mut self) -> &mut dyn ForeignIdRepo {
        self.inner.foreign_ids()
    }

    fn standings(&mut self) -> &mut dyn StandingRepo {
        self.inner.standings()
    }

    fn hooks(&mut self) -> &mut dyn HookRepo {
        self.inner.hooks()
    }

    fn sign_in_steps(&mut self) -> &mut dyn SignInStepRepo {
        self.inner.sign_in_steps()
    }

    fn sellers(&mut self) -> &mut dyn SellerRepo {
        self.inner.sellers()
    }

    fn sessions(&mut self) -> &mut dyn SessionRepo {
        self.inner.sessions()
    }

    fn signing_keys(&mut self) -> &mut dyn SigningKeyRepo {
        self.inner.signing_keys()
    }

    fn factors(&mut self) -> &mut dyn FactorRepo {
        self.inner.factors()
    }

    fn challenges(&mut self) -> &mut dyn ChallengeRepo {
        self.inner.challenges()
    }

    fn exports(&mut self) -> &mut dyn DataExportRepo {
        self.inner.exports()
    }

    fn passkeys(&mut self) -> &mut dyn PasskeyRepo {
        self.inner.passkeys()
    }

    fn products(&mut self) -> &mut dyn ProductRepo {
        self.inner.products()
    }

    fn categories(&mut self) -> &mut dyn CategoryRepo {
        self.inner.categories()
    }

    fn reviews(&mut self) -> &mut dyn ReviewRepo {
        self.inner.reviews()
    }

    fn libraries(&mut self) -> &mut dyn LibraryRepo {
        self.inner.libraries()
    }

    fn blobs(&mut self) -> &mut dyn BlobRepo {
        self.inner.blobs()
    }

    fn uploads(&mut self) -> &mut dyn UploadRepo {
        self.inner.uploads()
    }

    fn usage(&mut self) -> &mut dyn UsageRepo {
        self.inner.usage()
    }

    fn models(&mut self) -> &mut dyn ModelRepo {
        self.inner.models()
    }

    fn files(&mut self) -> &mut dyn FileRepo {
        self.inner.files()
    }

    fn grants(&mut self) -> &mut dyn GrantRepo {
        self.inner.grants()
    }

    fn keys(&mut self) -> &mut dyn IdempotencyKeys {
        self.inner.keys()
    }

    fn outbox(&mut self) -> &mut dyn Outbox {
        self
    }

    fn audit(&mut self) -> &mut dyn AuditLog {
        self.inner.audit()
    }

    fn jobs(&mut self) -> &mut dyn JobRepo {
        self.inner.jobs()
    }

    fn inbox(&mut self) -> &mut dyn Inbox {
        self.inner.inbox()
    }

    fn rooms(&mut self) -> &mut dyn RoomRepo {
        self.inner.rooms()
    }

    fn schedules(&mut self) -> &mut dyn ScheduleRepo {
        self.inner.schedules()
    }

    fn terms(&mut self) -> &mut dyn TermsRepo {
        self.inner.terms()
    }

    fn batches(&mut self) -> &mut dyn BatchRepo {
        self.inner.batches()
    }

    fn prompts(&mut self) -> &mut dyn PromptRepo {
        self.inner.prompts()
    }

    fn webhooks(&mut self) -> &mut dyn WebhookRepo {
        self.inner.webhooks()
    }

    fn conversations(&mut self) -> &mut dyn ConversationRepo {
        self.inner.conversations()
    }

    async fn commit(self: Box<Self>) -> Result<()> {
        let Self { inner, cache, witness, tags, events, people } = *self;
        let committed = inner.commit().await;
        if let Some(witness) = witness.filter(|_| !people.is_empty()) {
            witness.committed(&people);
        }
        // Also after an error: a connection lost in the middle of a commit does not tell whether it counts.
        let old = if tags.is_empty() { Ok(()) } else { cache.invalidate(&tags, &events).await };
        committed.and(old)
    }

    async fn rollback(self: Box<Self>) -> Result<()> {
        self.inner.rollback().await
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{
        Mutex,
        atomic::{AtomicBool, Ordering},
    };

    use super::*;
    use crate::{
        Shop,
        cache::{Key, Looked, Policy},
        catalog::{StockChange, adjust_stock},
        error::Error,
        idempotency::Once,
        relay::Numbered,
        testing::Fixtures,
    };

    /// Remembers what it was told.
    #[derive(Default)]
    struct Told(Mutex<Vec<(Vec<Tag>, usize)>>, AtomicBool);

    #[async_trait]
    impl Cache for Told {
        async fn look(&self, _: &Key, _: Policy) -> Looked {
            Looked::Bypass
        }

        async fn invalidate(&self, tags: &[Tag], events: &[EventId]) -> Result<()> {
            self.0.lock().unwrap().push((tags.to_vec(), events.len()));
            let fails = self.1.load(Ordering::Relaxed);
            if fails { Err(Error::Unavailable { what: "Cache", source: "away".into() }) } else { Ok(()) }
        }

        async fn resume(&self, last: u64) -> u64 {
            last
        }

        async fn resumed(&self) {}

        async fn follow(&self, _: &[Numbered]) {}
    }

    #[tokio::test]
    async fn a_commit_tells_the_cache_what_it_made_old_and_a_refusal_tells_nothing() {
        let (given, store) = Fixtures::in_memory();
        let told = Arc::new(Told::default());
        let cache = Arc::<Told>::clone(&told);
        let shop = Shop { store: Arc::new(InvalidatingStore::new(Arc::new(store), cache)), ..given.shop.clone() };
        let seller = given.seller().await;
        let product = given.stored_product(seller.seller.unwrap(), |product| product.stock = 3).await;
        let change = |delta| StockChange { delta, expected: None, reason: None };
        let adjust = async |delta| {
            adjust_stock(&shop, given.authorized(&seller), product.id, change(delta), &Once::always()).await
        };
        assert!(matches!(adjust(-4).await, Err(Error::Conflict(_))));
        assert!(told.0.lock().unwrap().is_empty());
        adjust(-3).await.unwrap();
        assert_eq!(*told.0.lock().unwrap(), [(vec![Tag::Products, Tag::Product(product.id)], 1)]);
        // What others may still read as it was is not acknowledged.
        told.1.store(true, Ordering::Relaxed);
        assert!(matches!(adjust(1).await, Err(Error::Unavailable { .. })));
    }
}
