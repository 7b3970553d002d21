//! What every adapter of the store's ports is held to: the same cases for memory, SQLite and PostgreSQL. Each `run`
//! panics at the first breach. The cases share one store and do not mind what else is in it.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    clippy::assigning_clones,
    reason = "a contract case is a test: it ends at the first surprise"
)]

pub mod access;
pub mod action_codes;
pub mod answers;
pub mod assets;
pub mod batches;
pub mod blobs;
pub mod bus;
pub mod cache;
pub mod categories;
pub mod conversations;
pub mod epochs;
pub mod export;
pub mod exports;
pub mod factors;
pub mod files;
pub mod foreign_ids;
pub mod hooks;
pub mod job_queue;
pub mod jobs;
pub mod keys;
pub mod ledger;
pub mod libraries;
pub mod limiter;
pub mod log;
pub mod models;
pub mod organisations;
pub mod passkeys;
pub mod pictures;
pub mod presence;
pub mod product_queries;
pub mod products;
pub mod prompts;
pub mod reference;
pub mod review_verdicts;
pub mod reviews;
pub mod room_verdicts;
pub mod rooms;
pub mod schedules;
pub mod sellers;
pub mod sessions;
pub mod signing_keys;
pub mod spending;
pub mod terms;
pub mod tickets;
pub mod transactions;
pub mod uploads;
pub mod users;
pub mod vectors;
pub mod verdicts;
pub mod views;
pub mod webhooks;

use std::{future::poll_fn, pin::Pin, sync::Arc, task::Poll};

use async_trait::async_trait;

use super::{FakeClock, Fixtures};
use crate::{
    Result, Store, Tx,
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
    event::Event,
    identity::{
        GuestQueries, Known,
        exports::ports::DataExportQueries,
        factors::ports::FactorQueries,
        known::KnownRules,
        outside::ports::ForeignIdQueries,
        passkeys::ports::PasskeyQueries,
        ports::{Places, SessionQueries, UserQueries},
    },
    inbound::ports::HookQueries,
    job::ports::{JobQueries, JobQueue},
    organisation::ports::OrganisationQueries,
    page::{Limit, PageRequest},
    realtime::TicketBox,
    room::ports::{MessagePurge, RoomQueries},
    schedule::ScheduleQueries,
    webhooks::ports::{Dispatch, WebhookQueries},
};

/// An adapter under test.
#[async_trait]
pub trait Harness: Send + Sync {
    /// The write side.
    fn store(&self) -> Arc<dyn Store>;
    /// The read side of people.
    fn users(&self) -> Arc<dyn UserQueries>;
    /// The read side of guests.
    fn guests(&self) -> Arc<dyn GuestQueries>;
    /// The read side of sessions.
    fn sessions(&self) -> Arc<dyn SessionQueries>;
    /// The read side of second factors.
    fn factors(&self) -> Arc<dyn FactorQueries>;
    /// The read side of passkeys.
    fn passkeys(&self) -> Arc<dyn PasskeyQueries>;
    /// The read side of archives of what is kept of people.
    fn exports(&self) -> Arc<dyn DataExportQueries>;
    /// The read side of roles.
    fn roles(&self) -> Arc<dyn RoleQueries>;
    /// People for whoever runs the installation.
    fn people(&self) -> Arc<dyn PeopleQueries>;
    /// The read side of API keys.
    fn api_keys(&self) -> Arc<dyn ApiKeyQueries>;
    /// The read side of who the members of seller accounts are.
    fn organisations(&self) -> Arc<dyn OrganisationQueries>;
    /// Who is who elsewhere.
    fn foreign_ids(&self) -> Arc<dyn ForeignIdQueries>;
    /// Where people signed in from.
    fn places(&self) -> Arc<dyn Places>;
    /// The read side of webhooks.
    fn webhooks(&self) -> Arc<dyn WebhookQueries>;
    /// Messages as the dispatcher sees them.
    fn dispatch(&self) -> Arc<dyn Dispatch>;
    /// The rows of the assistant's ledger.
    fn ledger(&self) -> Arc<dyn LedgerStore>;
    /// The read side of conversations.
    fn conversations(&self) -> Arc<dyn ConversationQueries>;
    /// What was said in them.
    fn memories(&self) -> Arc<dyn Memories>;
    /// What was spent, for people.
    fn spending(&self) -> Arc<dyn SpendingQueries>;
    /// What the assistant costs, may spend and is known by.
    fn terms(&self) -> Arc<dyn TermsQueries>;
    /// The read side of batches of questions.
    fn batches(&self) -> Arc<dyn BatchQueries>;
    /// The read side of prompts.
    fn prompts(&self) -> Arc<dyn PromptQueries>;
    /// Answers that were asked for by prompts, as the schedule sees them.
    fn generations(&self) -> Arc<dyn GenerationStore>;
    /// The read side of products.
    fn products(&self) -> Arc<dyn ProductQueries>;
    /// The vectors of products.
    fn vectors(&self) -> Arc<dyn VectorStore>;
    /// The read side of the category tree.
    fn categories(&self) -> Arc<dyn CategoryQueries>;
    /// The read side of reviews.
    fn reviews(&self) -> Arc<dyn ReviewQueries>;
    /// The whole catalogue, in order.
    fn export(&self) -> Arc<dyn ProductExport>;
    /// The read side of who holds bytes.
    fn blobs(&self) -> Arc<dyn BlobQueries>;
    /// The read side of libraries.
    fn libraries(&self) -> Arc<dyn LibraryQueries>;
    /// The read side of files of products.
    fn files(&self) -> Arc<dyn FileQueries>;
    /// The read side of 3D models.
    fn models(&self) -> Arc<dyn ModelQueries>;
    /// The read side of uploads in portions.
    fn uploads(&self) -> Arc<dyn UploadQueries>;
    /// The read side of uploaded pictures.
    fn pictures(&self) -> Arc<dyn PictureQueries>;
    /// The view log.
    fn views(&self) -> Arc<dyn ViewLog>;
    /// The read side of the audit log.
    fn audit(&self) -> Arc<dyn AuditQueries>;
    /// The queue of jobs.
    fn job_queue(&self) -> Arc<dyn JobQueue>;
    /// The read side of jobs.
    fn jobs(&self) -> Arc<dyn JobQueries>;
    /// The read side of webhooks that came in.
    fn hooks(&self) -> Arc<dyn HookQueries>;
    /// The read side of the schedule.
    fn schedules(&self) -> Arc<dyn ScheduleQueries>;
    /// Tickets of streams.
    fn tickets(&self) -> Arc<dyn TicketBox>;
    /// The read side of rooms.
    fn rooms(&self) -> Arc<dyn RoomQueries>;
    /// The end of rooms that is purged.
    fn message_purge(&self) -> Arc<dyn MessagePurge>;
    /// The clock the cases move.
    fn clock(&self) -> Arc<FakeClock>;
    /// The committed events about a thing, in any order.
    async fn events_of(&self, entity: uuid::Uuid) -> Result<Vec<Event>>;
    /// Whether two transactions that write can be open at once; with one writer the second would wait for the first.
    fn has_parallel_writers(&self) -> bool {
        true
    }
}

/// Every suite, one after the other.
pub async fn run_all(harness: &impl Harness) {
    transactions::run(harness).await;
    users::run(harness).await;
    action_codes::run(harness).await;
    foreign_ids::run(harness).await;
    sellers::run(harness).await;
    sessions::run(harness).await;
    factors::run(harness).await;
    passkeys::run(harness).await;
    exports::run(harness).await;
    signing_keys::run(harness).await;
    access::run(harness).await;
    organisations::run(harness).await;
    categories::run(harness).await;
    products::run(harness).await;
    reviews::run(harness).await;
    keys::run(harness).await;
    log::run(harness).await;
    product_queries::run(harness).await;
    export::run(harness).await;
    vectors::run(harness).await;
    reference::run(harness).await;
    verdicts::run(harness).await;
    review_verdicts::run(harness).await;
    room_verdicts::run(harness).await;
    views::run(harness).await;
    jobs::run(harness).await;
    job_queue::run(harness).await;
    schedules::run(harness).await;
    hooks::run(harness).await;
    conversations::run(harness).await;
    ledger::run(harness).await;
    spending::run(harness).await;
    terms::run(harness).await;
    prompts::run(harness).await;
    batches::run(harness).await;
    rooms::run(harness).await;
    assets::run(harness).await;
    libraries::run(harness).await;
    uploads::run(harness).await;
    files::run(harness).await;
    models::run(harness).await;
    pictures::run(harness).await;
}

fn fixtures(harness: &impl Harness) -> Fixtures {
    Fixtures::new(harness.store(), harness.clock())
}

/// Callers as a node knows them that has just read them anew.
async fn known(harness: &impl Harness) -> Known {
    let (users, sessions, api_keys) = (harness.users(), harness.sessions(), harness.api_keys());
    let known = Known::new(users, sessions, api_keys, harness.clock(), KnownRules::default());
    known.reload().await.unwrap();
    known
}

async fn begin(harness: &impl Harness) -> Box<dyn Tx> {
    harness.store().begin().await.unwrap()
}

fn page(page: u32, limit: u32) -> PageRequest {
    PageRequest { page, limit: Limit::new(limit).unwrap() }
}

/// Runs futures side by side to their ends; the domain has no runtime that would.
async fn at_once<T>(mut futures: Vec<Pin<Box<dyn Future<Output = T> + Send + '_>>>) -> Vec<T> {
    let mut ended = Vec::new();
    poll_fn(|context| {
        futures.retain_mut(|future| match future.as_mut().poll(context) {
            Poll::Ready(value) => {
                ended.push(value);
                false
            }
            Poll::Pending => true,
        });
        if futures.is_empty() { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
    ended
}
