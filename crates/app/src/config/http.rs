//! `[http]`: where we listen and who may ask from a browser.

use std::{net::IpAddr, time::Duration};

use api::{GateSettings, address::Network};

use super::{Reader, Setting};

pub(crate) const SETTINGS: &[Setting] = &[
    Setting::new("http.host", "127.0.0.1", "The address to listen on.").production("0.0.0.0").alias("HOST"),
    Setting::new("http.port", "3000", "The port to listen on; 0 takes a free one.").alias("PORT"),
    Setting::new("http.workers", "0", "Threads that serve; 0 is one for each core."),
    Setting::new(
        "http.allowed_origins",
        "http://localhost:5173",
        "Origins whose pages may call with credentials, separated by commas.",
    )
    .production("")
    .alias("ALLOWED_ORIGINS"),
    Setting::new(
        "http.trusted_proxies",
        "",
        "Addresses or networks of proxies whose X-Forwarded-For counts, separated by commas.",
    ),
    Setting::new("http.body_limit_bytes", "1048576", "The largest JSON body."),
    Setting::new("http.request_timeout_seconds", "30", "How long an answer may take to begin."),
    Setting::new("http.requests_at_once", "512", "Most requests that are worked on at once."),
    Setting::new("http.requests_waiting", "1024", "Most that wait for their turn; whoever comes then is told 503."),
    Setting::new("http.requests_wait_ms", "500", "How long one waits for its turn before it is told 503."),
    Setting::new(
        "http.keep_alive_seconds",
        "75",
        "How long a connection may be idle; longer than any proxy in front keeps one, or it sends into a closed one.",
    ),
    Setting::new(
        "http.drain_seconds",
        "0",
        "How long a node that is told to end still takes requests while /ready says 503, so that balancers notice.",
    )
    .production("5"),
    Setting::new("http.shutdown_seconds", "30", "How long requests in flight may take to end at shutdown."),
    Setting::new(
        "http.stall_seconds",
        "30",
        "After how long a connection is cut that takes nothing of what it is sent.",
    ),
    Setting::new("http.https", "false", "Whether the public address is https: answers say so (HSTS).")
        .production("true"),
    Setting::new("http.require_if_match", "false", "Whether changes without If-Match are refused (428)."),
    Setting::new("http.swagger_ui", "true", "Whether /swagger-ui/, /docs/realtime and the documents are open.")
        .production("false"),
    Setting::new("http.metrics", "true", "Whether /metrics is open.").production("false"),
];

/// The HTTP server.
#[expect(clippy::struct_excessive_bools, reason = "each is a setting of its own")]
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Http {
    pub(crate) host: IpAddr,
    pub(crate) port: u16,
    pub(crate) workers: usize,
    pub(crate) allowed_origins: Vec<String>,
    pub(crate) trusted_proxies: Vec<Network>,
    pub(crate) body_limit: usize,
    pub(crate) request_timeout: Duration,
    pub(crate) gate: GateSettings,
    pub(crate) keep_alive: Duration,
    pub(crate) drain: Duration,
    pub(crate) shutdown: Duration,
    pub(crate) stall: Duration,
    pub(crate) https: bool,
    pub(crate) require_if_match: bool,
    pub(crate) swagger_ui: bool,
    pub(crate) metrics: bool,
}

impl Http {
    pub(crate) fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let host = reader.value("http.host");
        let port = reader.number("http.port", 0..=u16::MAX);
        let workers = reader.number("http.workers", 0..=512);
        let allowed_origins = origins(reader);
        let trusted_proxies = proxies(reader);
        let body_limit = reader.number("http.body_limit_bytes", 1024..=64 * 1024 * 1024);
        let request_timeout = reader.seconds("http.request_timeout_seconds", 1..=300);
        let at_once = reader.number("http.requests_at_once", 1..=1_000_000);
        let waiting = reader.number("http.requests_waiting", 0..=1_000_000);
        let wait = reader.millis("http.requests_wait_ms", 0..=30_000);
        let keep_alive = reader.seconds("http.keep_alive_seconds", 1..=3600);
        let drain = reader.seconds("http.drain_seconds", 0..=300);
        let shutdown = reader.seconds("http.shutdown_seconds", 1..=600);
        let stall = reader.seconds("http.stall_seconds", 1..=3600);
        let https = reader.flag("http.https");
        let require_if_match = reader.flag("http.require_if_match");
        let swagger_ui = reader.flag("http.swagger_ui");
        let metrics = reader.flag("http.metrics");
        Some(Self {
            host: host?,
            port: port?,
            workers: workers?,
            allowed_origins: allowed_origins?,
            trusted_proxies: trusted_proxies?,
            body_limit: body_limit?,
            request_timeout: request_timeout?,
            gate: GateSettings { at_once: at_once?, waiting: waiting?, wait: wait? },
            keep_alive: keep_alive?,
            drain: drain?,
            shutdown: shutdown?,
            stall: stall?,
            https: https?,
            require_if_match: require_if_match?,
            swagger_ui: swagger_ui?,
            metrics: metrics?,
        })
    }
}

/// Origins that are answered with credentials, so none may be a wildcard, in any profile: a browser would refuse it,
/// and an echo of every origin would open the shop to every page.
fn origins(reader: &mut Reader<'_>) -> Option<Vec<String>> {
    const KEY: &str = "http.allowed_origins";
    let origins = reader.list(KEY);
    let mut fit = true;
    for origin in &origins {
        let fault = if origin.contains('*') {
            Some("a wildcard cannot be combined with credentials; name every origin".to_owned())
        } else if is_origin(origin) {
            None
        } else {
            Some(format!("{origin:?} must be a scheme, a host and a port only, such as https://shop.example"))
        };
        if let Some(message) = fault {
            fit = false;
            reader.fault(KEY, message);
        }
    }
    fit.then_some(origins)
}

fn is_origin(origin: &str) -> bool {
    let host = origin.strip_prefix("https://").or_else(|| origin.strip_prefix("http://"));
    host.is_some_and(|host| !host.is_empty() && !host.contains(|c: char| c.is_whitespace() || "/?#@\\".contains(c)))
}

fn proxies(reader: &mut Reader<'_>) -> Option<Vec<Network>> {
    const KEY: &str = "http.trusted_proxies";
    let mut proxies = Vec::new();
    let mut fit = true;
    for text in reader.list(KEY) {
        match text.parse::<Network>() {
            Ok(network) => proxies.push(network),
            Err(fault) => {
                fit = false;
                reader.fault(KEY, fault);
            }
        }
    }
    fit.then_some(proxies)
}
