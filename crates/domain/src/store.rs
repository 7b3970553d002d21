//! The store: where transactions begin.

use async_trait::async_trait;

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

/// Begins transactions.
#[async_trait]
pub trait Store: Send + Sync {
    /// Begins a transaction. What it reads is consistent at least with everything committed before.
    async fn begin(&self) -> Result<Box<dyn Tx>>;
}

/// One transaction: every write of a use case, or none. Dropping it rolls back.
///
/// A repository MUST NOT poison the transaction when a conflict it names happens: the caller may go on.
#[async_trait]
pub trait Tx: Send {
    /// Roles.
    fn roles(&mut self) -> &mut dyn RoleRepo;
    /// Bans.
    fn bans(&mut self) -> &mut dyn BanRepo;
    /// API keys.
    fn api_keys(&mut self) -> &mut dyn ApiKeyRepo;
    /// The members of seller accounts, and invitations to them.
    fn organisations(&mut self) -> &mut dyn OrganisationRepo;
    /// People.
    fn users(&mut self) -> &mut dyn UserRepo;
    /// Codes that are good once.
    fn codes(&mut self) -> &mut dyn ActionCodeRepo;
    /// Who is who elsewhere.
    fn foreign_ids(&mut self) -> &mut dyn ForeignIdRepo;
    /// What was told of people elsewhere.
    fn standings(&mut self) -> &mut dyn StandingRepo;
    /// Webhooks that came in.
    fn hooks(&mut self) -> &mut dyn HookRepo;
    /// Sign-ins that are under way elsewhere.
    fn sign_in_steps(&mut self) -> &mut dyn SignInStepRepo;
    /// Seller accounts.
    fn sellers(&mut self) -> &mut dyn SellerRepo;
    /// Sessions.
    fn sessions(&mut self) -> &mut dyn SessionRepo;
    /// The keys that sign tokens.
    fn signing_keys(&mut self) -> &mut dyn SigningKeyRepo;
    /// Second factors.
    fn factors(&mut self) -> &mut dyn FactorRepo;
    /// Sign-ins that wait for their second factor, and ceremonies that were used.
    fn challenges(&mut self) -> &mut dyn ChallengeRepo;
    /// Archives of what is kept of people.
    fn exports(&mut self) -> &mut dyn DataExportRepo;
    /// Passkeys.
    fn passkeys(&mut self) -> &mut dyn PasskeyRepo;
    /// Products with their pictures.
    fn products(&mut self) -> &mut dyn ProductRepo;
    /// The category tree.
    fn categories(&mut self) -> &mut dyn CategoryRepo;
    /// Reviews.
    fn reviews(&mut self) -> &mut dyn ReviewRepo;
    /// Who holds bytes.
    fn blobs(&mut self) -> &mut dyn BlobRepo;
    /// Libraries of large files.
    fn libraries(&mut self) -> &mut dyn LibraryRepo;
    /// Uploads in portions.
    fn uploads(&mut self) -> &mut dyn UploadRepo;
    /// How much is kept for whom.
    fn usage(&mut self) -> &mut dyn UsageRepo;
    /// 3D models.
    fn models(&mut self) -> &mut dyn ModelRepo;
    /// Files of products.
    fn files(&mut self) -> &mut dyn FileRepo;
    /// Who may take files away.
    fn grants(&mut self) -> &mut dyn GrantRepo;
    /// Idempotency keys.
    fn keys(&mut self) -> &mut dyn IdempotencyKeys;
    /// Events.
    fn outbox(&mut self) -> &mut dyn Outbox;
    /// The audit log.
    fn audit(&mut self) -> &mut dyn AuditLog;
    /// Background jobs.
    fn jobs(&mut self) -> &mut dyn JobRepo;
    /// What consumers of events and jobs have dealt with.
    fn inbox(&mut self) -> &mut dyn Inbox;
    /// Rooms, who is in them, and what was said.
    fn rooms(&mut self) -> &mut dyn RoomRepo;
    /// What models cost, how much may be spent on them, and by which keys providers know us.
    fn terms(&mut self) -> &mut dyn TermsRepo;
    /// Questions that are asked in the background.
    fn batches(&mut self) -> &mut dyn BatchRepo;
    /// What the shop asks of models.
    fn prompts(&mut self) -> &mut dyn PromptRepo;
    /// Endpoints of webhooks, and their messages.
    fn webhooks(&mut self) -> &mut dyn WebhookRepo;
    /// Conversations with the assistant.
    fn conversations(&mut self) -> &mut dyn ConversationRepo;
    /// How far the schedule was looked at.
    fn schedules(&mut self) -> &mut dyn ScheduleRepo;
    /// Makes everything durable and visible.
    async fn commit(self: Box<Self>) -> Result<()>;
    /// Undoes everything and lets go of what is held, before it returns; a mere drop may do so a little later.
    async fn rollback(self: Box<Self>) -> Result<()>;
}
