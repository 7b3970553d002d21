//! The wiring: every port gets its adapter here, and nowhere else.

use std::{sync::Arc, time::Duration};

use api::{Draining, Floor, HttpSettings, Hub, Rooms, Services, Streams};
use credentials::EdDsaTokens;
use domain::{
    Shop,
    cache::{Cache, Cached, InvalidatingStore, NoCache, Policy},
    health::Probe,
};
use metrics_exporter_prometheus::PrometheusHandle;
use persistence::Engine;
use platform::LocalCache;

use crate::{
    config::{CacheMode, Config},
    foundation::Foundation,
    migrate::SchemaProbe,
    nodes::Nodes,
    post, schedule,
    views::Seen,
};

/// How long it is kept who somebody is. What Souk changes ends it at once; what an operator changes past Souk is seen
/// after this.
const PEOPLE: Policy =
    Policy { fresh: Duration::from_secs(30), stale: Duration::ZERO, absent: Duration::from_secs(10) };

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

/// The shop whose commits make old what the cache keeps of what they changed.
pub(crate) fn shop(foundation: &Foundation, cache: &Arc<dyn Cache>) -> Shop {
    let store = InvalidatingStore::new(Arc::clone(&foundation.shop.store), Arc::clone(cache));
    Shop { store: Arc::new(store), ..foundation.shop.clone() }
}

/// Everything the HTTP door stands on.
pub(crate) async fn services(
    config: &Config,
    foundation: &Foundation,
    nodes: &Nodes,
    cache: Arc<dyn Cache>,
    seen: Seen,
    metrics: PrometheusHandle,
) -> domain::Result<Services> {
    let Foundation { database, seal, passwords, .. } = foundation;
    let shop = shop(foundation, &cache);
    let keys = database.signing_keys();
    let started = shop.now();
    let tokens = EdDsaTokens::load(&*keys, seal, &*shop.entropy, started, config.identity.tokens.clone()).await?;
    let jwks = tokens.jwks();
    let schema: Arc<dyn Probe> = Arc::new(SchemaProbe::new(database.clone()));
    let feed = database.feed();
    let streams = Streams { hub: Hub::new(feed.reach().await?.last), feed, tickets: database.tickets() };
    let (queries, presence) = (database.rooms(), Arc::clone(&nodes.presence));
    let rooms = Rooms { floor: Floor::new(shop.id()), queries, presence };
    Ok(Services {
        shop,
        users: Arc::new(Cached::new(database.users(), Arc::clone(&cache), PEOPLE)),
        places: database.places(),
        mailroom: post::mailroom(config, foundation)?,
        hasher: passwords.clone(),
        tokens: Arc::new(tokens),
        jwks: Arc::new(move || jwks.clone()),
        products: database.products(),
        categories: database.categories(),
        reviews: database.reviews(),
        views: Arc::new(seen),
        view_log: database.views(),
        audit: database.audit(),
        jobs: database.jobs(),
        entries: schedule::entries(config),
        schedules: database.schedules(),
        cache,
        streams,
        rooms,
        limiter: Arc::clone(&nodes.limiter),
        bus: Arc::clone(&nodes.bus),
        mac: Arc::new(foundation.mac("cursor")?),
        draining: Draining::default(),
        probes: vec![database.probe(), schema, Arc::clone(&nodes.probe)],
        metrics: Arc::new(move || metrics.render()),
        started,
        settings: settings(config),
    })
}

fn settings(config: &Config) -> HttpSettings {
    let http = &config.http;
    HttpSettings {
        allowed_origins: http.allowed_origins.clone(),
        https: http.https,
        body_limit: http.body_limit,
        timeout: http.request_timeout,
        trusted_proxies: http.trusted_proxies.clone(),
        limits: config.limits.rules.clone(),
        account_limits: config.limits.accounts.clone(),
        cache: config.cache.answers,
        streams: config.streams,
        sockets: config.sockets.door,
        require_if_match: http.require_if_match,
        open_metrics: http.metrics,
        open_docs: http.swagger_ui,
    }
}
