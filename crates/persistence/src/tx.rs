//! One transaction that is every repository.

use std::sync::Arc;

use async_trait::async_trait;
use domain::{
    Result, Store, Tx,
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
    event::Outbox,
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
    room::ports::RoomRepo,
    schedule::ScheduleRepo,
    webhooks::ports::WebhookRepo,
};

use crate::{
    database::Database,
    engine::Engine,
    error,
    spine::Told,
    transaction::{Purpose, Transaction},
};

/// A transaction that writes.
pub(crate) struct SeaTx {
    pub(crate) engine: Engine,
    pub(crate) tx: Transaction,
    committed: Arc<tokio::sync::Notify>,
    enqueued: Arc<tokio::sync::Notify>,
    /// Whether it stored jobs, so that workers are woken.
    pub(crate) has_jobs: bool,
    /// What the logs will hold of the transaction; written at its end.
    pub(crate) told: Told,
}

impl Database {
    /// The write side.
    pub fn store(&self) -> Arc<dyn Store> {
        Arc::new(self.clone())
    }

    pub(crate) async fn open(&self) -> Result<SeaTx> {
        let tx = self.writer.begin(Purpose::Write).await.map_err(error::of)?;
        let (committed, enqueued) = (Arc::clone(&self.committed), Arc::clone(&self.enqueued));
        let told = Told::default();
        Ok(SeaTx { engine: self.engine, tx, committed, enqueued, has_jobs: false, told })
    }
}

impl SeaTx {
    /// Wakes the workers of this process.
    pub(crate) fn enqueued(&self) -> Arc<tokio::sync::Notify> {
        Arc::clone(&self.enqueued)
    }
}

#[async_trait]
impl Store for Database {
    async fn begin(&self) -> Result<Box<dyn Tx>> {
        Ok(Box::new(self.open().await?))
    }
}

#[async_trait]
impl Tx for SeaTx {
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

    async fn commit(mut self: Box<Self>) -> Result<()> {
        let last = self.write_told().await?;
        self.tx.commit_after(last).await.map_err(error::of)?;
        self.committed.notify_one();
        if self.has_jobs {
            self.enqueued.notify_one();
        }
        Ok(())
    }

    async fn rollback(self: Box<Self>) -> Result<()> {
        self.tx.rollback().await.map_err(error::of)
    }
}
