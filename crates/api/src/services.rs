//! What the HTTP door stands on, put together by the binary or by a test.

use std::sync::Arc;

use domain::{
    Actor, Principal, Shop,
    access::{
        Keys,
        ports::{ApiKeyQueries, PeopleQueries, RoleQueries},
    },
    assets::{Storeroom, files::Library, image::Gallery, lfs::ports::LibraryQueries, uploads::Finisher},
    assistant::{
        Assistant,
        batches::{BatchRules, ports::BatchQueries},
        prompts::Prompts,
        spending::ports::SpendingQueries,
        terms::TermsKeeper,
        tools::Toolbox,
    },
    audit::AuditQueries,
    bus::Bus,
    cache::Cache,
    catalog::{
        ports::{CategoryQueries, ProductQueries, ReviewQueries, ViewLog},
        queries::ProductView,
        similar::Finder,
    },
    clock::Timestamp,
    health::Probe,
    id::{ApiKeyId, FileId, ProductId, UserId},
    identity::{
        Factors, Gate, Known, Mailroom, Passkeys, Sessions,
        exports::Archives,
        factors::ports::FactorQueries,
        outside::{
            self, Vouched,
            ports::{ForeignIdQueries, Issuers},
        },
        passkeys::ports::PasskeyQueries,
        ports::{PasswordHasher, Places, SessionQueries, UserQueries},
    },
    job::ports::JobQueries,
    limit::RateLimiter,
    money::Currency,
    organisation::ports::OrganisationQueries,
    realtime::{EventFeed, TicketBox},
    room::{Presence, ports::RoomQueries},
    schedule::{Entry, ScheduleQueries},
    secrets::Mac,
};

use crate::{
    chat::Chat, draining::Draining, inbound::Hooks, models3d::Models3d, settings::HttpSettings, socket::Floor,
    stream::Hub, webhooks::Webhooks,
};

/// Takes note of product views off the request path.
pub trait ViewSink: Send + Sync {
    /// Notes a view. MUST NOT wait; when it cannot keep up it may drop views, which are telemetry.
    fn seen(&self, view: ProductView);
}

/// What live streams stand on.
#[derive(Clone)]
pub struct Streams {
    /// Who listens on this node.
    pub hub: Arc<Hub>,
    /// The numbered log.
    pub feed: Arc<dyn EventFeed>,
    /// Tickets of browsers.
    pub tickets: Arc<dyn TicketBox>,
}

impl std::fmt::Debug for Streams {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Streams").field("hub", &self.hub).finish_non_exhaustive()
    }
}

/// What rooms stand on.
#[derive(Clone)]
pub struct Rooms {
    /// Who is in which room on this node.
    pub floor: Arc<Floor>,
    /// Reads rooms.
    pub queries: Arc<dyn RoomQueries>,
    /// Who is in which room over all nodes.
    pub presence: Arc<dyn Presence>,
}

impl std::fmt::Debug for Rooms {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Rooms").field("floor", &self.floor).finish_non_exhaustive()
    }
}

/// Takes note of uses of API keys off the request path.
pub trait KeyUseSink: Send + Sync {
    /// Notes a use. MUST NOT wait; what it cannot keep it may drop, for uses are telemetry.
    fn used(&self, key: ApiKeyId, at: Timestamp);
}

/// What access stands on.
#[derive(Clone)]
pub struct Access {
    /// Reads roles.
    pub roles: Arc<dyn RoleQueries>,
    /// Finds people for whoever runs the installation.
    pub people: Arc<dyn PeopleQueries>,
    /// Reads API keys.
    pub keys: Arc<dyn ApiKeyQueries>,
    /// Takes note of their uses.
    pub key_uses: Arc<dyn KeyUseSink>,
    /// Reads who the members of seller accounts are.
    pub organisations: Arc<dyn OrganisationQueries>,
}

impl std::fmt::Debug for Access {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Access").finish_non_exhaustive()
    }
}

/// Takes note of downloads off the request path.
pub trait DownloadSink: Send + Sync {
    /// Notes that a file is taken away. MUST NOT wait; what it cannot keep it may drop, for downloads are telemetry.
    fn taken(&self, file: FileId);
}

/// What files stand on.
#[derive(Clone)]
pub struct Assets {
    /// Where bytes lie, and who holds them.
    pub room: Storeroom,
    /// Reads files of products.
    pub library: Library,
    /// Reads libraries of large files.
    pub libraries: Arc<dyn LibraryQueries>,
    /// Takes note of downloads.
    pub downloads: Arc<dyn DownloadSink>,
}

impl std::fmt::Debug for Assets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Assets").finish_non_exhaustive()
    }
}

/// What the assistant stands on.
#[derive(Clone)]
pub struct Assistance {
    /// Calls models.
    pub assistant: Assistant,
    /// Most bytes of a question.
    pub body_limit: usize,
    /// What models cost, how much may be spent, and by which keys providers know us.
    pub terms: TermsKeeper,
    /// What the shop asks of models.
    pub prompts: Prompts,
    /// Reads what was spent.
    pub spending: Arc<dyn SpendingQueries>,
    /// The currency of prices and budgets.
    pub currency: Currency,
    /// Reads batches of questions.
    pub batches: Arc<dyn BatchQueries>,
    /// Their bounds.
    pub batch_rules: BatchRules,
}

impl std::fmt::Debug for Assistance {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Assistance")
            .field("assistant", &self.assistant)
            .field("terms", &self.terms)
            .finish_non_exhaustive()
    }
}

/// What people who prove elsewhere who they are stand on.
#[derive(Clone)]
pub struct Outside {
    /// The providers they sign in with.
    pub gate: Gate,
    /// The issuers whose tokens are believed.
    pub issuers: Arc<dyn Issuers>,
    /// Reads who is who elsewhere.
    pub ids: Arc<dyn ForeignIdQueries>,
}

impl std::fmt::Debug for Outside {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Outside").field("gate", &self.gate).finish_non_exhaustive()
    }
}

/// The token of an issuer that a request came with: there is no session of ours.
#[derive(Debug, Clone)]
pub struct Visit {
    /// What it says.
    pub vouched: Arc<Vouched>,
    /// Who that is here.
    pub user: UserId,
}

/// What second factors and passkeys stand on.
#[derive(Clone)]
pub struct Proofs {
    /// Knows the codes of apps, and recovery codes.
    pub factors: Factors,
    /// Reads by what somebody can prove who they are.
    pub ways: Arc<dyn FactorQueries>,
    /// Knows passkeys.
    pub passkeys: Passkeys,
    /// Reads them.
    pub passkey_list: Arc<dyn PasskeyQueries>,
}

impl std::fmt::Debug for Proofs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Proofs").field("factors", &self.factors).finish_non_exhaustive()
    }
}

/// Everything handlers use. One is shared by all workers.
pub struct Services {
    /// Runs commands.
    pub shop: Shop,
    /// Reads people.
    pub users: Arc<dyn UserQueries>,
    /// Roles, people, API keys and members of seller accounts.
    pub access: Access,
    /// Who people are elsewhere.
    pub outside: Outside,
    /// Where people signed in from.
    pub places: Arc<dyn Places>,
    /// What goes by mail.
    pub mailroom: Mailroom,
    /// Hashes passwords.
    pub hasher: Arc<dyn PasswordHasher>,
    /// Second factors and passkeys.
    pub proofs: Proofs,
    /// Archives of what is kept of people.
    pub exports: Archives,
    /// What uploads in portions are handed over to.
    pub uploads: Finisher,
    /// 3D models.
    pub models: Models3d,
    /// Webhooks that go out.
    pub webhooks: Webhooks,
    /// The assistant.
    pub assistant: Assistance,
    /// Conversations with it.
    pub chat: Chat,
    /// Makes sessions and their tokens, and reads access tokens.
    pub sessions: Sessions,
    /// Reads sessions.
    pub session_list: Arc<dyn SessionQueries>,
    /// Who callers are now.
    pub known: Arc<Known>,
    /// The public keys of the tokens, as a JSON Web Key Set.
    pub jwks: Arc<dyn Fn() -> serde_json::Value + Send + Sync>,
    /// Reads products.
    pub products: Arc<dyn ProductQueries>,
    /// Finds products by what they mean.
    pub finder: Finder,
    /// What uploading pictures stands on.
    pub gallery: Gallery,
    /// Reads categories.
    pub categories: Arc<dyn CategoryQueries>,
    /// Reads reviews.
    pub reviews: Arc<dyn ReviewQueries>,
    /// Files.
    pub assets: Assets,
    /// Takes note of product views.
    pub views: Arc<dyn ViewSink>,
    /// Reads product views.
    pub view_log: Arc<dyn ViewLog>,
    /// Reads the audit log.
    pub audit: Arc<dyn AuditQueries>,
    /// Reads background jobs.
    pub jobs: Arc<dyn JobQueries>,
    /// Webhooks that come in.
    pub hooks: Hooks,
    /// The entries of the schedule.
    pub entries: Arc<[Entry]>,
    /// Reads what was run of them.
    pub schedules: Arc<dyn ScheduleQueries>,
    /// Keeps answers.
    pub cache: Arc<dyn Cache>,
    /// Live streams.
    pub streams: Streams,
    /// Rooms.
    pub rooms: Rooms,
    /// Counts calls.
    pub limiter: Arc<dyn RateLimiter>,
    /// Tells the other nodes, and this one.
    pub bus: Arc<dyn Bus>,
    /// Signs cursors and digests idempotent requests.
    pub mac: Arc<dyn Mac>,
    /// What models and pages may have done, on behalf of who asks.
    pub tools: Toolbox,
    /// Whether this node is about to end.
    pub draining: Draining,
    /// What `/ready` asks.
    pub probes: Vec<Arc<dyn Probe>>,
    /// Writes all metrics in the text format of Prometheus.
    pub metrics: Arc<dyn Fn() -> String + Send + Sync>,
    /// When the process started.
    pub started: Timestamp,
    /// How the door behaves.
    pub settings: HttpSettings,
}

impl std::fmt::Debug for Services {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Services").field("settings", &self.settings).finish_non_exhaustive()
    }
}

impl Services {
    /// Who comes with the token of an issuer we believe; `None` when it does not hold, or they are banned.
    ///
    /// # Errors
    /// Those of the issuers, and of [`outside::visitor`].
    pub async fn visitor(&self, token: &str) -> domain::Result<Option<(Principal, Visit)>> {
        let Some(vouched) = self.outside.issuers.verify(token, self.shop.now()).await? else { return Ok(None) };
        let principal = outside::visitor(&self.shop, &self.known, self.outside.ids.as_ref(), &vouched).await?;
        Ok(principal.map(|principal| {
            let user = principal.user;
            (principal, Visit { vouched, user })
        }))
    }

    /// Who still does, on a connection that stands.
    ///
    /// # Errors
    /// Those of [`outside::still_visitor`].
    pub async fn still_visitor(&self, visit: &Visit) -> domain::Result<Option<Principal>> {
        let found = outside::still_visitor(&self.known, self.outside.ids.as_ref(), &visit.vouched).await?;
        // Somebody else, when they were unlinked and came back.
        Ok(found.filter(|principal| principal.user == visit.user))
    }

    /// Notes that a person who is signed in saw a product (CAT-07).
    pub fn saw(&self, caller: &Actor, product: ProductId) {
        if let Some(principal) = caller.principal() {
            self.views.seen(ProductView { product, user: principal.user, at: self.shop.now() });
        }
    }

    /// What API keys are known by.
    pub fn keys(&self) -> Keys<'_> {
        Keys { known: &self.known, mac: self.mac.as_ref() }
    }
}
