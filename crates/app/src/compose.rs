//! The wiring: every port gets its adapter here, and nowhere else.

use std::sync::Arc;

use api::{
    Access, Assets, Assistance, Chat, Draining, Floor, Hooks, HttpSettings, Hub, Models3d, Rooms, Running, Services,
    Streams,
};
use credentials::{EdDsaTokens, Seal};
use domain::{
    Shop,
    assets::{image::Gallery, uploads::Finisher},
    assistant::{conversation::Talks, tools::Toolbox},
    cache::{Cache, InvalidatingStore, NoCache},
    catalog::similar::{Finder, TextVectors},
    health::Probe,
    identity::{Known, Sessions, exports::Archives, known::Herald},
};
use integrations::{resilience::Kind, webhooks::WebhookCourier};
use metrics_exporter_prometheus::PrometheusHandle;
use persistence::Engine;
use platform::LocalCache;

use crate::{
    config::{CacheMode, Config, Transport},
    downloads::Downloads,
    files::{self, ScannerProbe, StoreProbe},
    foundation::Foundation,
    key_uses::KeyUses,
    migrate::SchemaProbe,
    models,
    nodes::Nodes,
    outside, post,
    proofs::proofs,
    schedule,
    views::Seen,
    webhooks,
};

/// Where answers are kept. Every node must see every change before its answer: through Redis where there are several, and what
/// one process keeps in memory does where that process is the only one who writes.
pub(crate) fn cache(config: &Config, foundation: &Foundation, nodes: &Nodes) -> Arc<dyn Cache> {
    if let Some(shared) = &nodes.cache {
        return Arc::clone(shared);
    }
    let alone = foundation.database.engine() == Engine::Sqlite;
    let caching = &config.cache;
    if caching.mode == CacheMode::On || (caching.mode == CacheMode::Auto && alone) {
        Arc::new(LocalCache::new(caching.entries, caching.longest, Arc::clone(&foundation.shop.entropy)))
    } else {
        Arc::new(NoCache)
    }
}

/// By what callers are known.
#[derive(Clone)]
pub(crate) struct Callers {
    /// Who they are, as this node knows. It knows nobody yet.
    pub(crate) known: Arc<Known>,
    /// Makes and reads their tokens.
    pub(crate) tokens: Arc<EdDsaTokens>,
}

pub(crate) async fn callers(config: &Config, foundation: &Foundation) -> domain::Result<Callers> {
    let Foundation { database, seal, shop, .. } = foundation;
    let clock = Arc::clone(&shop.clock);
    let known =
        Arc::new(Known::new(database.users(), database.sessions(), database.api_keys(), clock, config.identity.known));
    let (sealer, entropy) = (Arc::<Seal>::clone(seal), Arc::clone(&shop.entropy));
    let rules = config.identity.tokens.clone();
    let tokens = EdDsaTokens::load(database.signing_keys(), sealer, entropy, shop.now(), rules).await?;
    Ok(Callers { known, tokens: Arc::new(tokens) })
}

/// What is noted of requests off their path, and what they share with jobs.
pub(crate) struct Noted {
    pub(crate) seen: Seen,
    pub(crate) key_uses: KeyUses,
    pub(crate) downloads: Downloads,
    /// Shared with the jobs.
    pub(crate) gallery: Gallery,
    /// Shared with those who send webhooks.
    pub(crate) courier: Arc<WebhookCourier>,
    pub(crate) assistance: Assistance,
    /// Shared with what keeps its index.
    pub(crate) finder: Finder,
}

/// The shop whose commits make old what the cache keeps of what they changed, and are heeded by who knows callers.
pub(crate) fn shop(foundation: &Foundation, cache: &Arc<dyn Cache>, known: &Arc<Known>, nodes: &Nodes) -> Shop {
    let herald = Herald { known: Arc::clone(known), bus: Arc::clone(&nodes.bus) };
    let store = InvalidatingStore::new(Arc::clone(&foundation.shop.store), Arc::clone(cache)).before(Arc::new(herald));
    Shop { store: Arc::new(store), ..foundation.shop.clone() }
}

/// Everything the HTTP door stands on.
pub(crate) async fn services(
    config: &Config,
    foundation: &Foundation,
    nodes: &Nodes,
    cache: Arc<dyn Cache>,
    callers: &Callers,
    noted: Noted,
    metrics: PrometheusHandle,
) -> domain::Result<Services> {
    let Foundation { database, passwords, .. } = foundation;
    let Callers { known, tokens } = callers.clone();
    let shop = shop(foundation, &cache, &known, nodes);
    let started = shop.now();
    let (signs, mac) = (Arc::<EdDsaTokens>::clone(&tokens), Arc::new(foundation.mac("session")?));
    let sessions = Sessions { tokens: signs, mac, rules: config.identity.sessions };
    let schema: Arc<dyn Probe> = Arc::new(SchemaProbe::new(database.clone()));
    let feed = database.feed();
    let streams = Streams { hub: Hub::new(feed.reach().await?.last), feed, tickets: database.tickets() };
    // After the place in the log was taken: what comes after it is heeded.
    known.reload().await?;
    let (queries, presence) = (database.rooms(), Arc::clone(&nodes.presence));
    let rooms = Rooms { floor: Floor::new(shop.id()), queries, presence };
    let access = Access {
        roles: database.roles(),
        people: database.people(),
        keys: database.api_keys(),
        key_uses: Arc::new(noted.key_uses),
        organisations: database.organisations(),
    };
    let room = files::storeroom(config, foundation)?;
    let stored = Arc::new(StoreProbe::new(config, &room));
    let libraries = foundation.database.libraries();
    let tools = toolbox(foundation, &shop, &noted.finder)?;
    let chat = chat(config, foundation, &noted.assistance, Arc::clone(&noted.finder.embedder), tools.clone());
    let assets = Assets { room, library: files::library(foundation)?, libraries, downloads: Arc::new(noted.downloads) };
    Ok(Services {
        shop,
        users: database.users(),
        access,
        outside: outside::outside(config, foundation)?,
        places: database.places(),
        mailroom: post::mailroom(config, foundation)?,
        hasher: passwords.clone(),
        proofs: proofs(config, foundation)?,
        exports: Archives { queries: database.exports(), sealer: Arc::<Seal>::clone(&foundation.seal) },
        uploads: Finisher {
            workshop: models::workshop(config, &assets.room),
            uploads: database.uploads(),
            users: database.users(),
        },
        models: Models3d {
            queries: database.models(),
            workshop: models::workshop(config, &assets.room),
            tariff: config.models.tariff.clone(),
            mark_copies: config.models.mark_copies,
        },
        webhooks: webhooks::webhooks(config, foundation, noted.courier),
        chat,
        assistant: noted.assistance,
        sessions,
        session_list: database.sessions(),
        known,
        jwks: Arc::new(move || tokens.jwks()),
        products: database.products(),
        finder: noted.finder,
        gallery: noted.gallery,
        categories: database.categories(),
        reviews: database.reviews(),
        assets,
        views: Arc::new(noted.seen),
        view_log: database.views(),
        audit: database.audit(),
        jobs: database.jobs(),
        hooks: Hooks { sources: config.hooks.clone(), queries: database.hooks() },
        entries: schedule::entries(config),
        schedules: database.schedules(),
        cache,
        streams,
        rooms,
        limiter: Arc::clone(&nodes.limiter),
        bus: Arc::clone(&nodes.bus),
        mac: Arc::new(foundation.mac("cursor")?),
        tools,
        draining: Draining::default(),
        probes: probes(config, foundation, [database.probe(), schema, Arc::clone(&nodes.probe), stored]),
        metrics: Arc::new(move || metrics.render()),
        started,
        settings: settings(config),
    })
}

/// What models may have done in conversations.
fn toolbox(foundation: &Foundation, shop: &Shop, finder: &Finder) -> domain::Result<Toolbox> {
    Ok(Toolbox {
        shop: shop.clone(),
        finder: finder.clone(),
        categories: foundation.database.categories(),
        mac: Arc::new(foundation.mac("tool")?),
    })
}

/// What conversations stand on.
fn chat(
    config: &Config,
    foundation: &Foundation,
    assistance: &Assistance,
    embedder: Arc<dyn TextVectors>,
    tools: Toolbox,
) -> Chat {
    let talks = Talks {
        assistant: assistance.assistant.clone(),
        queries: foundation.database.conversations(),
        memories: foundation.database.memories(),
        embedder,
        tools: Some(tools),
        rules: Arc::new(config.chat.rules.clone()),
    };
    Chat { talks, running: Arc::<Running>::default() }
}

/// What is asked for `/ready`: the things we stand on, and of those whom we call, whether they are called as usual.
fn probes(config: &Config, foundation: &Foundation, things: [Arc<dyn Probe>; 4]) -> Vec<Arc<dyn Probe>> {
    let called = [
        (Kind::Mail, matches!(config.mail.transport, Transport::Smtp(..))),
        (Kind::Providers, !config.outside.providers.is_empty()),
        (Kind::Issuers, !config.outside.issuers.is_empty()),
        (Kind::Assistant, !config.assistant.models.is_empty()),
    ];
    let called = called.into_iter().filter(|(_, is)| *is).map(|(kind, _)| foundation.dependencies.probe(kind));
    let scanner =
        files::scanner(config, foundation).map(|scanner| -> Arc<dyn Probe> { Arc::new(ScannerProbe(scanner)) });
    things.into_iter().chain(called).chain(scanner).collect()
}

fn settings(config: &Config) -> HttpSettings {
    let http = &config.http;
    HttpSettings {
        allowed_origins: http.allowed_origins.clone(),
        https: http.https,
        body_limit: http.body_limit,
        timeout: http.request_timeout,
        transfer_idle: config.blobs.idle,
        gate: http.gate,
        trusted_proxies: http.trusted_proxies.clone(),
        limits: config.limits.rules.clone(),
        account_limits: config.limits.accounts.clone(),
        deletion_grace: config.identity.deletion_grace,
        cache: config.cache.answers,
        streams: config.streams,
        sockets: config.sockets.door,
        require_if_match: http.require_if_match,
        open_metrics: http.metrics,
        open_docs: http.swagger_ui,
    }
}
