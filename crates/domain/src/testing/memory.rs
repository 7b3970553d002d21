//! The store in memory: the meaning of every port in its plainest form, for tests and examples.

mod access;
mod action_codes;
mod assets;
mod batches;
mod categories;
mod conversations;
mod erase;
mod exports;
mod factors;
mod files;
mod foreign_ids;
mod generations;
mod hooks;
mod identity;
mod job_queue;
mod jobs;
mod keys;
mod ledger;
mod libraries;
mod log;
mod models;
mod organisations;
mod pictures;
mod product_queries;
mod products;
mod prompts;
mod realtime;
mod reviews;
mod rooms;
mod schedules;
mod sessions;
mod spending;
mod state;
mod terms;
mod uploads;
mod vectors;
mod views;
mod webhooks;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
pub use ledger::{Books, StoredCall};
use state::{KeyScope, State};

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
    audit::{AuditEntry, AuditLog},
    catalog::{
        Product,
        ports::{CategoryRepo, ProductRepo, ReviewRepo},
    },
    clock::Timestamp,
    error::{Error, Result},
    event::{Event, Outbox},
    id::{ProductId, UserId},
    idempotency::IdempotencyKeys,
    identity::{
        exports::ports::DataExportRepo,
        factors::ports::{ChallengeRepo, FactorRepo},
        outside::ports::{ForeignIdRepo, SignInStepRepo, StandingRepo},
        passkeys::ports::PasskeyRepo,
        ports::{ActionCodeRepo, SellerRepo, SessionRepo, SigningKeyRepo, UserRepo},
    },
    inbound::ports::HookRepo,
    job::ports::{Inbox, JobRepo},
    organisation::ports::OrganisationRepo,
    page::{Page, PageRequest},
    realtime::Ticket,
    room::ports::RoomRepo,
    schedule::ScheduleRepo,
    store::{Store, Tx},
    webhooks::ports::WebhookRepo,
};

/// A store in memory. It implements the write side and every read-side port over the same state. Clones share it.
///
/// A transaction works on a copy. Of two that overlap and both write, the second to commit gets
/// [`Error::Transient`]; nothing waits, so nothing can deadlock.
#[derive(Debug, Clone, Default)]
pub struct MemoryStore(Arc<Mutex<Shared>>);

#[derive(Debug, Default)]
struct Shared {
    /// What is committed. A transaction that commits puts another `Arc` here, which is how the others notice.
    state: Arc<State>,
    /// Idempotency keys held by open transactions, with the number of the holder.
    held: BTreeMap<KeyScope, u64>,
    begun: u64,
    /// Tickets of streams, by digest.
    tickets: BTreeMap<[u8; 32], Ticket>,
    /// Where people were seen.
    places: BTreeMap<(UserId, [u8; 32]), Timestamp>,
}

impl MemoryStore {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }

    /// Every event committed, in the order of commits.
    pub fn events(&self) -> Vec<Event> {
        self.state().events.clone()
    }

    /// Every audit entry committed, in the order of commits.
    pub fn audit_entries(&self) -> Vec<AuditEntry> {
        self.state().audit.clone()
    }

    /// The audited action and the event kind of every committed change. Panics when one stands without the other.
    #[expect(clippy::missing_panics_doc, reason = "said above")]
    pub fn traces(&self) -> Vec<(String, String)> {
        let state = self.state();
        assert_eq!(state.audit.len(), state.events.len(), "every change leaves an audit entry and an event");
        let pairs = state.audit.iter().zip(&state.events);
        pairs
            .map(|(entry, event)| {
                assert_eq!((entry.id.0, &entry.entity, entry.actor), (event.id.0, &event.entity, event.actor));
                (entry.action.clone(), event.kind.clone())
            })
            .collect()
    }

    /// The product of that id as it is committed, deleted or not.
    pub fn product(&self, id: ProductId) -> Option<Product> {
        self.state().products.get(&id).cloned()
    }

    fn shared(&self) -> MutexGuard<'_, Shared> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn state(&self) -> Arc<State> {
        Arc::clone(&self.shared().state)
    }
}

#[async_trait]
impl Store for MemoryStore {
    async fn begin(&self) -> Result<Box<dyn Tx>> {
        let mut shared = self.shared();
        shared.begun += 1;
        let state = Arc::clone(&shared.state);
        Ok(Box::new(MemoryTx { store: self.clone(), number: shared.begun, base: Arc::clone(&state), state }))
    }
}

/// An open transaction.
struct MemoryTx {
    store: MemoryStore,
    number: u64,
    /// What was committed at the begin.
    base: Arc<State>,
    /// What this transaction sees; the same as `base` until the first write.
    state: Arc<State>,
}

impl MemoryTx {
    /// The state, to be written to. The first write makes the copy.
    fn write(&mut self) -> &mut State {
        Arc::make_mut(&mut self.state)
    }
}

impl Drop for MemoryTx {
    fn drop(&mut self) {
        let number = self.number;
        self.store.shared().held.retain(|_, holder| *holder != number);
    }
}

#[async_trait]
impl Tx for MemoryTx {
    fn roles(&mut self) -> &mut dyn RoleRepo {
        self
    }

    fn bans(&mut self) -> &mut dyn BanRepo {
        self
    }

    fn api_keys(&mut self) -> &mut dyn ApiKeyRepo {
        self
    }

    fn organisations(&mut self) -> &mut dyn OrganisationRepo {
        self
    }

    fn users(&mut self) -> &mut dyn UserRepo {
        self
    }

    fn codes(&mut self) -> &mut dyn ActionCodeRepo {
        self
    }

    fn foreign_ids(&mut self) -> &mut dyn ForeignIdRepo {
        self
    }

    fn standings(&mut self) -> &mut dyn StandingRepo {
        self
    }

    fn hooks(&mut self) -> &mut dyn HookRepo {
        self
    }

    fn sign_in_steps(&mut self) -> &mut dyn SignInStepRepo {
        self
    }

    fn sellers(&mut self) -> &mut dyn SellerRepo {
        self
    }

    fn sessions(&mut self) -> &mut dyn SessionRepo {
        self
    }

    fn signing_keys(&mut self) -> &mut dyn SigningKeyRepo {
        self
    }

    fn factors(&mut self) -> &mut dyn FactorRepo {
        self
    }

    fn challenges(&mut self) -> &mut dyn ChallengeRepo {
        self
    }

    fn exports(&mut self) -> &mut dyn DataExportRepo {
        self
    }

    fn passkeys(&mut self) -> &mut dyn PasskeyRepo {
        self
    }

    fn products(&mut self) -> &mut dyn ProductRepo {
        self
    }

    fn categories(&mut self) -> &mut dyn CategoryRepo {
        self
    }

    fn reviews(&mut self) -> &mut dyn ReviewRepo {
        self
    }

    fn libraries(&mut self) -> &mut dyn LibraryRepo {
        self
    }

    fn blobs(&mut self) -> &mut dyn BlobRepo {
        self
    }

    fn uploads(&mut self) -> &mut dyn UploadRepo {
        self
    }

    fn usage(&mut self) -> &mut dyn UsageRepo {
        self
    }

    fn models(&mut self) -> &mut dyn ModelRepo {
        self
    }

    fn files(&mut self) -> &mut dyn FileRepo {
        self
    }

    fn grants(&mut self) -> &mut dyn GrantRepo {
        self
    }

    fn keys(&mut self) -> &mut dyn IdempotencyKeys {
        self
    }

    fn outbox(&mut self) -> &mut dyn Outbox {
        self
    }

    fn audit(&mut self) -> &mut dyn AuditLog {
        self
    }

    fn jobs(&mut self) -> &mut dyn JobRepo {
        self
    }

    fn inbox(&mut self) -> &mut dyn Inbox {
        self
    }

    fn rooms(&mut self) -> &mut dyn RoomRepo {
        self
    }

    fn schedules(&mut self) -> &mut dyn ScheduleRepo {
        self
    }

    fn terms(&mut self) -> &mut dyn TermsRepo {
        self
    }

    fn batches(&mut self) -> &mut dyn BatchRepo {
        self
    }

    fn prompts(&mut self) -> &mut dyn PromptRepo {
        self
    }

    fn webhooks(&mut self) -> &mut dyn WebhookRepo {
        self
    }

    fn conversations(&mut self) -> &mut dyn ConversationRepo {
        self
    }

    async fn commit(self: Box<Self>) -> Result<()> {
        if Arc::ptr_eq(&self.state, &self.base) {
            return Ok(());
        }
        let mut shared = self.store.shared();
        if !Arc::ptr_eq(&shared.state, &self.base) {
            return Err(Error::Transient("another transaction committed first".into()));
        }
        shared.state = Arc::clone(&self.state);
        Ok(())
    }

    async fn rollback(self: Box<Self>) -> Result<()> {
        Ok(())
    }
}

/// The page asked for of a list that is whole.
fn page_of<T>(all: impl IntoIterator<Item = T>, request: PageRequest) -> Page<T> {
    let all: Vec<T> = all.into_iter().collect();
    let total = u64::try_from(all.len()).unwrap_or(u64::MAX);
    let skip = usize::try_from(request.offset()).unwrap_or(usize::MAX);
    let take = usize::try_from(request.limit.get()).unwrap_or(usize::MAX);
    Page::new(all.into_iter().skip(skip).take(take).collect(), total, request)
}
