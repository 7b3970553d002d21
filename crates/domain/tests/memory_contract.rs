//! The store in memory keeps the contract of every port.

use std::sync::Arc;

use async_trait::async_trait;
use souk_domain::{
    Result, Store,
    access::ports::{ApiKeyQueries, PeopleQueries, RoleQueries},
    assets::{
        files::ports::FileQueries, image::ports::PictureQueries, lfs::ports::LibraryQueries,
        models::ports::ModelQueries, ports::BlobQueries, uploads::ports::UploadQueries,
    },
    assistant::{
        batches::ports::BatchQueries,
        conversation::ports::{ConversationQueries, Memories},
        ports::LedgerStore,
        prompts::ports::{GenerationStore, PromptQueries},
        spending::ports::SpendingQueries,
        terms::ports::TermsQueries,
    },
    audit::AuditQueries,
    catalog::export::ProductExport,
    catalog::ports::{CategoryQueries, ProductQueries, ReviewQueries, ViewLog},
    catalog::similar::ports::VectorStore,
    clock::Clock as _,
    event::Event,
    identity::{
        GuestQueries,
        exports::ports::DataExportQueries,
        factors::ports::FactorQueries,
        outside::ports::ForeignIdQueries,
        passkeys::ports::PasskeyQueries,
        ports::{Places, SessionQueries, UserQueries},
    },
    inbound::ports::HookQueries,
    job::ports::{JobQueries, JobQueue},
    organisation::ports::OrganisationQueries,
    realtime::TicketBox,
    room::ports::{MessagePurge, RoomQueries},
    schedule::ScheduleQueries,
    testing::{
        FakeClock, MemoryBlobs, MemoryEpochs,
        contract::{self, Harness},
        memory::MemoryStore,
    },
    webhooks::ports::{Dispatch, WebhookQueries},
};

#[derive(Default)]
struct Memory {
    store: MemoryStore,
    clock: Arc<FakeClock>,
}

#[async_trait]
impl Harness for Memory {
    fn store(&self) -> Arc<dyn Store> {
        Arc::new(self.store.clone())
    }

    fn guests(&self) -> Arc<dyn GuestQueries> {
        Arc::new(self.store.clone())
    }

    fn users(&self) -> Arc<dyn UserQueries> {
        Arc::new(self.store.clone())
    }

    fn sessions(&self) -> Arc<dyn SessionQueries> {
        Arc::new(self.store.clone())
    }

    fn factors(&self) -> Arc<dyn FactorQueries> {
        Arc::new(self.store.clone())
    }

    fn passkeys(&self) -> Arc<dyn PasskeyQueries> {
        Arc::new(self.store.clone())
    }

    fn exports(&self) -> Arc<dyn DataExportQueries> {
        Arc::new(self.store.clone())
    }

    fn roles(&self) -> Arc<dyn RoleQueries> {
        Arc::new(self.store.clone())
    }

    fn people(&self) -> Arc<dyn PeopleQueries> {
        Arc::new(self.store.clone())
    }

    fn api_keys(&self) -> Arc<dyn ApiKeyQueries> {
        Arc::new(self.store.clone())
    }

    fn organisations(&self) -> Arc<dyn OrganisationQueries> {
        Arc::new(self.store.clone())
    }

    fn foreign_ids(&self) -> Arc<dyn ForeignIdQueries> {
        Arc::new(self.store.clone())
    }

    fn places(&self) -> Arc<dyn Places> {
        Arc::new(self.store.clone())
    }

    fn conversations(&self) -> Arc<dyn ConversationQueries> {
        Arc::new(self.store.clone())
    }

    fn memories(&self) -> Arc<dyn Memories> {
        Arc::new(self.store.clone())
    }

    fn spending(&self) -> Arc<dyn SpendingQueries> {
        Arc::new(self.store.clone())
    }

    fn terms(&self) -> Arc<dyn TermsQueries> {
        Arc::new(self.store.clone())
    }

    fn batches(&self) -> Arc<dyn BatchQueries> {
        Arc::new(self.store.clone())
    }

    fn prompts(&self) -> Arc<dyn PromptQueries> {
        Arc::new(self.store.clone())
    }

    fn generations(&self) -> Arc<dyn GenerationStore> {
        Arc::new(self.store.clone())
    }

    fn ledger(&self) -> Arc<dyn LedgerStore> {
        Arc::new(self.store.clone())
    }

    fn products(&self) -> Arc<dyn ProductQueries> {
        Arc::new(self.store.clone())
    }

    fn categories(&self) -> Arc<dyn CategoryQueries> {
        Arc::new(self.store.clone())
    }

    fn reviews(&self) -> Arc<dyn ReviewQueries> {
        Arc::new(self.store.clone())
    }

    fn vectors(&self) -> Arc<dyn VectorStore> {
        Arc::new(self.store.clone())
    }

    fn export(&self) -> Arc<dyn ProductExport> {
        Arc::new(self.store.clone())
    }

    fn pictures(&self) -> Arc<dyn PictureQueries> {
        Arc::new(self.store.clone())
    }

    fn uploads(&self) -> Arc<dyn UploadQueries> {
        Arc::new(self.store.clone())
    }

    fn libraries(&self) -> Arc<dyn LibraryQueries> {
        Arc::new(self.store.clone())
    }

    fn blobs(&self) -> Arc<dyn BlobQueries> {
        Arc::new(self.store.clone())
    }

    fn models(&self) -> Arc<dyn ModelQueries> {
        Arc::new(self.store.clone())
    }

    fn files(&self) -> Arc<dyn FileQueries> {
        Arc::new(self.store.clone())
    }

    fn webhooks(&self) -> Arc<dyn WebhookQueries> {
        Arc::new(self.store.clone())
    }

    fn dispatch(&self) -> Arc<dyn Dispatch> {
        Arc::new(self.store.clone())
    }

    fn views(&self) -> Arc<dyn ViewLog> {
        Arc::new(self.store.clone())
    }

    fn audit(&self) -> Arc<dyn AuditQueries> {
        Arc::new(self.store.clone())
    }

    fn job_queue(&self) -> Arc<dyn JobQueue> {
        Arc::new(self.store.clone())
    }

    fn jobs(&self) -> Arc<dyn JobQueries> {
        Arc::new(self.store.clone())
    }

    fn hooks(&self) -> Arc<dyn HookQueries> {
        Arc::new(self.store.clone())
    }

    fn schedules(&self) -> Arc<dyn ScheduleQueries> {
        Arc::new(self.store.clone())
    }

    fn tickets(&self) -> Arc<dyn TicketBox> {
        Arc::new(self.store.clone())
    }

    fn rooms(&self) -> Arc<dyn RoomQueries> {
        Arc::new(self.store.clone())
    }

    fn message_purge(&self) -> Arc<dyn MessagePurge> {
        Arc::new(self.store.clone())
    }

    fn clock(&self) -> Arc<FakeClock> {
        Arc::clone(&self.clock)
    }

    async fn events_of(&self, entity: uuid::Uuid) -> Result<Vec<Event>> {
        Ok(self.store.events().into_iter().filter(|event| event.entity.id == entity).collect())
    }
}

/// One test per suite, so that a breach names its port. Not `reference`: it compares with this very store.
macro_rules! suites {
    ($($suite:ident),+) => {
        $(#[tokio::test]
        async fn $suite() {
            contract::$suite::run(&Memory::default()).await;
        })+

        #[tokio::test]
        async fn all_suites_share_one_store() {
            let memory = Memory::default();
            $(contract::$suite::run(&memory).await;)+
        }
    };
}

suites!(
    transactions,
    users,
    action_codes,
    foreign_ids,
    sellers,
    sessions,
    factors,
    passkeys,
    exports,
    signing_keys,
    access,
    organisations,
    verdicts,
    review_verdicts,
    room_verdicts,
    categories,
    products,
    reviews,
    keys,
    log,
    product_queries,
    export,
    views,
    jobs,
    job_queue,
    schedules,
    tickets,
    rooms,
    assets,
    files,
    libraries,
    uploads,
    hooks,
    ledger,
    spending,
    terms,
    prompts,
    batches,
    models,
    pictures,
    webhooks,
    vectors
);

#[tokio::test]
async fn bytes_in_memory_keep_theirs() {
    let blobs = MemoryBlobs::default();
    contract::blobs::run(&blobs, blobs.clock.now()).await;
}

#[tokio::test]
async fn epochs_in_memory_keep_theirs() {
    let epochs = MemoryEpochs::default();
    contract::epochs::run(&epochs, &epochs).await;
}
