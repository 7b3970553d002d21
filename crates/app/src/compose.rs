//! The wiring: every port gets its adapter here, and nowhere else.

use std::sync::Arc;

use api::{HttpSettings, Services};
use credentials::EdDsaTokens;
use domain::health::Probe;
use metrics_exporter_prometheus::PrometheusHandle;
use platform::{InProcess, LocalRateLimiter};

use crate::{config::Config, foundation::Foundation, migrate::SchemaProbe, schedule, views::Seen};

/// Everything the HTTP door stands on.
pub(crate) async fn services(
    config: &Config,
    foundation: &Foundation,
    seen: Seen,
    metrics: PrometheusHandle,
) -> domain::Result<Services> {
    let Foundation { database, shop, seal, passwords, .. } = foundation;
    let keys = database.signing_keys();
    let started = shop.now();
    let tokens = EdDsaTokens::load(&*keys, seal, &*shop.entropy, started, config.identity.tokens.clone()).await?;
    let jwks = tokens.jwks();
    let schema: Arc<dyn Probe> = Arc::new(SchemaProbe::new(database.clone()));
    // The counters that Redis would share between nodes are kept in this process.
    let shared: Arc<dyn Probe> = Arc::new(InProcess::new("redis"));
    Ok(Services {
        shop: shop.clone(),
        users: database.users(),
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
        limiter: Arc::new(LocalRateLimiter::default()),
        mac: Arc::new(foundation.mac("cursor")?),
        probes: vec![database.probe(), schema, shared],
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
        require_if_match: http.require_if_match,
        open_metrics: http.metrics,
        open_docs: http.swagger_ui,
    }
}
