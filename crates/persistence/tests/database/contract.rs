//! The adapters keep the contract of every port: the same cases as the store in memory.

use std::sync::Arc;

use async_trait::async_trait;
use domain::{
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
    event::{Entity, Event},
    id::{EventId, UserId},
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
        FakeClock,
        contract::{self, Harness},
    },
    webhooks::ports::{Dispatch, WebhookQueries},
};
use sea_orm_migration::sea_orm::{ConnectionTrait, Statement};
use souk_persistence::Engine;
use uuid::Uuid;

use crate::harness::{Fresh, migrated};

struct Real {
    fresh: Fresh,
    clock: Arc<FakeClock>,
}

async fn real(engine: Engine) -> Real {
    Real { fresh: migrated(engine).await, clock: Arc::default() }
}

#[async_trait]
impl Harness for Real {
    fn store(&self) -> Arc<dyn Store> {
        self.fresh.database.store()
    }

    fn guests(&self) -> Arc<dyn GuestQueries> {
        self.fresh.database.guests()
    }

    fn users(&self) -> Arc<dyn UserQueries> {
        self.fresh.database.users()
    }

    fn sessions(&self) -> Arc<dyn SessionQueries> {
        self.fresh.database.sessions()
    }

    fn factors(&self) -> Arc<dyn FactorQueries> {
        self.fresh.database.factors()
    }

    fn passkeys(&self) -> Arc<dyn PasskeyQueries> {
        self.fresh.database.passkeys()
    }

    fn exports(&self) -> Arc<dyn DataExportQueries> {
        self.fresh.database.exports()
    }

    fn roles(&self) -> Arc<dyn RoleQueries> {
        self.fresh.database.roles()
    }

    fn people(&self) -> Arc<dyn PeopleQueries> {
        self.fresh.database.people()
    }

    fn api_keys(&self) -> Arc<dyn ApiKeyQueries> {
        self.fresh.database.api_keys()
    }

    fn organisations(&self) -> Arc<dyn OrganisationQueries> {
        self.fresh.database.organisations()
    }

    fn foreign_ids(&self) -> Arc<dyn ForeignIdQueries> {
        self.fresh.database.foreign_ids()
    }

    fn places(&self) -> Arc<dyn Places> {
        self.fresh.database.places()
    }

    fn webhooks(&self) -> Arc<dyn WebhookQueries> {
        self.fresh.database.webhooks()
    }

    fn dispatch(&self) -> Arc<dyn Dispatch> {
        self.fresh.database.webhook_dispatch()
    }

    fn conversations(&self) -> Arc<dyn ConversationQueries> {
        self.fresh.database.conversations()
    }

    fn memories(&self) -> Arc<dyn Memories> {
        self.fresh.database.memories()
    }

    fn spending(&self) -> Arc<dyn SpendingQueries> {
        self.fresh.database.spending()
    }

    fn terms(&self) -> Arc<dyn TermsQueries> {
        self.fresh.database.terms()
    }

    fn batches(&self) -> Arc<dyn BatchQueries> {
        self.fresh.database.batches()
    }

    fn prompts(&self) -> Arc<dyn PromptQueries> {
        self.fresh.database.prompts()
    }

    fn generations(&self) -> Arc<dyn GenerationStore> {
        self.fresh.database.generations()
    }

    fn ledger(&self) -> Arc<dyn LedgerStore> {
        self.fresh.database.ledger()
    }

    fn products(&self) -> Arc<dyn ProductQueries> {
        self.fresh.database.products()
    }

    fn categories(&self) -> Arc<dyn CategoryQueries> {
        self.fresh.database.categories()
    }

    fn reviews(&self) -> Arc<dyn ReviewQueries> {
        self.fresh.database.reviews()
    }

    fn vectors(&self) -> Arc<dyn VectorStore> {
        self.fresh.database.vectors()
    }

    fn export(&self) -> Arc<dyn ProductExport> {
        self.fresh.database.export()
    }

    fn pictures(&self) -> Arc<dyn PictureQueries> {
        self.fresh.database.pictures()
    }

    fn uploads(&self) -> Arc<dyn UploadQueries> {
        self.fresh.database.uploads()
    }

    fn libraries(&self) -> Arc<dyn LibraryQueries> {
        self.fresh.database.libraries()
    }

    fn blobs(&self) -> Arc<dyn BlobQueries> {
        self.fresh.database.blobs()
    }

    fn models(&self) -> Arc<dyn ModelQueries> {
        self.fresh.database.models()
    }

    fn files(&self) -> Arc<dyn FileQueries> {
        self.fresh.database.files()
    }

    fn views(&self) -> Arc<dyn ViewLog> {
        self.fresh.database.views()
    }

    fn audit(&self) -> Arc<dyn AuditQueries> {
        self.fresh.database.audit()
    }

    fn job_queue(&self) -> Arc<dyn JobQueue> {
        self.fresh.database.job_queue()
    }

    fn jobs(&self) -> Arc<dyn JobQueries> {
        self.fresh.database.jobs()
    }

    fn hooks(&self) -> Arc<dyn HookQueries> {
        self.fresh.database.hooks()
    }

    fn schedules(&self) -> Arc<dyn ScheduleQueries> {
        self.fresh.database.schedules()
    }

    fn tickets(&self) -> Arc<dyn TicketBox> {
        self.fresh.database.tickets()
    }

    fn rooms(&self) -> Arc<dyn RoomQueries> {
        self.fresh.database.rooms()
    }

    fn message_purge(&self) -> Arc<dyn MessagePurge> {
        self.fresh.database.message_purge()
    }

    fn clock(&self) -> Arc<FakeClock> {
        Arc::clone(&self.clock)
    }

    async fn events_of(&self, entity: Uuid) -> Result<Vec<Event>> {
        let on = self.fresh.database.migration_connection();
        let sql =
            "SELECT id, kind, entity_type, actor_id, payload, occurred_at FROM events WHERE entity_id = $1 ORDER BY id";
        let rows = on
            .query_all_raw(Statement::from_sql_and_values(on.get_database_backend(), sql, [entity.into()]))
            .await
            .unwrap();
        Ok(rows
            .iter()
            .map(|row| Event {
                id: EventId(row.try_get_by_index(0).unwrap()),
                kind: row.try_get_by_index(1).unwrap(),
                entity: Entity { kind: row.try_get_by_index(2).unwrap(), id: entity },
                actor: row.try_get_by_index::<Option<Uuid>>(3).unwrap().map(UserId),
                payload: row.try_get_by_index(4).unwrap(),
                at: row.try_get_by_index(5).unwrap(),
            })
            .collect())
    }

    fn has_parallel_writers(&self) -> bool {
        self.fresh.database.engine() == Engine::Postgres
    }
}

/// Declares each suite as a case of its own, so that a breach names its port.
macro_rules! suites {
    ($($suite:ident),+ $(,)?) => {
        $(async fn $suite(engine: Engine) {
            contract::$suite::run(&real(engine).await).await;
        })+
        crate::on_both!($($suite),+);
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
    vectors,
    reference,
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
    conversations,
    spending,
    terms,
    prompts,
    batches,
    models,
    pictures,
    webhooks
);
