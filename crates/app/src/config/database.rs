//! `[database]`: where rows are kept and how many connections there are (DB-01, DB-07).

use super::{Reader, Setting};

pub(crate) const SETTINGS: &[Setting] = &[
    Setting::new(
        "database.url",
        "",
        "sqlite:<path> or postgres://..; without it database.host decides, then SQLite under ./data.",
    )
    .alias("DATABASE_URL"),
    Setting::new("database.host", "", "The host of a PostgreSQL server, instead of a URL.").alias("DB_HOST"),
    Setting::new("database.port", "5432", "Its port.").alias("DB_PORT"),
    Setting::new("database.name", "souk", "Its database.").alias("DB_NAME"),
    Setting::new("database.user", "souk", "Who signs in to it.").alias("DB_USER"),
    Setting::new("database.password", "", "And with what.").alias("DB_PASSWORD").secret(),
    Setting::new("database.max_connections", "20", "Most connections at once."),
    Setting::new("database.connect_timeout_seconds", "10", "How long a new connection may take."),
    Setting::new(
        "database.acquire_timeout_ms",
        "1500",
        "How long a request waits for a connection before it is told 503.",
    ),
    Setting::new(
        "database.answer_timeout_ms",
        "1000",
        "PostgreSQL: how long it may take to answer when it is asked nothing; after that nobody waits for it.",
    ),
    Setting::new(
        "database.statement_timeout_seconds",
        "30",
        "PostgreSQL: how long a statement may take before it is told 503; 0 for as long as it likes.",
    ),
    Setting::new("database.idle_timeout_seconds", "30", "How long an idle connection is kept."),
    Setting::new(
        "database.synchronous",
        "normal",
        "SQLite: full survives a power cut, normal only the end of the process.",
    )
    .production("full"),
    Setting::new(
        "database.listen_url",
        "",
        "PostgreSQL: where notices are heard when database.url leads to a pooler of transactions.",
    ),
    Setting::new("database.migrate", "true", "Whether migrations run at start.").production("false"),
];

/// Where SQLite keeps its file when nothing else is said.
const EMBEDDED: &str = "sqlite:data/souk.db";

/// The database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Database {
    pub(crate) settings: persistence::Settings,
    pub(crate) migrate: bool,
    /// Where notices are heard.
    pub(crate) listen_url: String,
}

impl Database {
    pub(crate) fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let url = url(reader);
        let listen_url = listen_url(reader);
        let max_connections = reader.number("database.max_connections", 1..=1000);
        let connect_timeout = reader.seconds("database.connect_timeout_seconds", 1..=120);
        let acquire_timeout = reader.millis("database.acquire_timeout_ms", 1..=60_000);
        let answer_timeout = reader.millis("database.answer_timeout_ms", 100..=60_000);
        let statement_timeout = reader.seconds("database.statement_timeout_seconds", 0..=3600);
        let idle_timeout = reader.seconds("database.idle_timeout_seconds", 1..=3600);
        let synchronous = reader.one_of(
            "database.synchronous",
            &[("normal", persistence::Synchronous::Normal), ("full", persistence::Synchronous::Full)],
        );
        let migrate = reader.flag("database.migrate");
        let settings = persistence::Settings {
            url: url?,
            max_connections: max_connections?,
            connect_timeout: connect_timeout?,
            acquire_timeout: acquire_timeout?,
            answer_timeout: answer_timeout?,
            statement_timeout: statement_timeout?,
            idle_timeout: idle_timeout?,
            synchronous: synchronous?,
        };
        if reader.strict()
            && settings.url.starts_with("sqlite:")
            && settings.synchronous != persistence::Synchronous::Full
        {
            reader.fault("database.synchronous", "must be full in production: normal loses commits in a power cut");
            return None;
        }
        let listen_url = listen_url?.unwrap_or_else(|| settings.url.clone());
        Some(Self { settings, migrate: migrate?, listen_url })
    }

    /// The folder of the SQLite file, when there is one.
    pub(crate) fn folder(&self) -> Option<&std::path::Path> {
        let path = self.settings.url.strip_prefix("sqlite:")?.trim_start_matches("//");
        std::path::Path::new(path.split('?').next().unwrap_or(path)).parent()
    }
}

fn url(reader: &mut Reader<'_>) -> Option<String> {
    if !reader.is_set("database.url") {
        return Some(if reader.is_set("database.host") { composed(reader)? } else { EMBEDDED.to_owned() });
    }
    let url = reader.text("database.url");
    if url.starts_with("sqlite:") {
        let path = url.trim_start_matches("sqlite:").trim_start_matches("//");
        if path.is_empty() || path.contains(":memory:") {
            reader.fault("database.url", "must name a file, such as sqlite:data/souk.db");
            return None;
        }
        return Some(url);
    }
    if !url.starts_with("postgres://") && !url.starts_with("postgresql://") {
        reader.fault("database.url", "must begin with sqlite: or postgres://");
        return None;
    }
    server(reader, "database.url", "DATABASE_URL", url)
}

/// The URL of a PostgreSQL server, when it may stand there and is safe.
fn server(reader: &mut Reader<'_>, key: &str, variable: &str, url: String) -> Option<String> {
    let rest = url.split_once("://").map(|(_, rest)| rest).unwrap_or_default();
    if reader.is_from_file(key) && has_password(rest) {
        reader.fault(key, format!("holds a password, which must not stand in a file; set {variable} instead"));
        return None;
    }
    if reader.strict() && !is_private(host_of(rest)) && !is_encrypted(&url) {
        reader.fault(key, "must ask for encryption in production: add sslmode=require");
        return None;
    }
    Some(url)
}

#[expect(clippy::option_option, reason = "a fault, none and one are three things")]
fn listen_url(reader: &mut Reader<'_>) -> Option<Option<String>> {
    const KEY: &str = "database.listen_url";
    let url = reader.text(KEY);
    if url.is_empty() {
        return Some(None);
    }
    if !url.starts_with("postgres://") && !url.starts_with("postgresql://") {
        reader.fault(KEY, "must begin with postgres://");
        return None;
    }
    server(reader, KEY, "SOUK__DATABASE__LISTEN_URL", url).map(Some)
}

/// The URL made of host, port, name, user and password; encrypted unless the host is this machine.
fn composed(reader: &mut Reader<'_>) -> Option<String> {
    let port = reader.number("database.port", 1..=u16::MAX)?;
    let [host, name, user, password] =
        ["host", "name", "user", "password"].map(|key| reader.text(&format!("database.{key}")));
    let secret = if password.is_empty() { String::new() } else { format!(":{}", escaped(&password)) };
    let who = format!("{}{secret}", escaped(&user));
    let mode = if is_private(&host) { "prefer" } else { "require" };
    Some(if host.starts_with('/') {
        format!("postgres://{who}@localhost:{port}/{}?host={}", escaped(&name), escaped(&host))
    } else {
        let host = if host.contains(':') { format!("[{host}]") } else { host };
        format!("postgres://{who}@{host}:{port}/{}?sslmode={mode}", escaped(&name))
    })
}

/// The host of `user:password@host:port/name`; empty when the query names a socket's folder.
pub(super) fn host_of(rest: &str) -> &str {
    let authority = rest.split(['/', '?']).next().unwrap_or_default();
    let host = authority.rsplit('@').next().unwrap_or_default();
    match host.strip_prefix('[') {
        Some(v6) => v6.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    }
}

pub(super) fn has_password(rest: &str) -> bool {
    let authority = rest.split(['/', '?']).next().unwrap_or_default();
    authority.rsplit_once('@').is_some_and(|(who, _)| who.contains(':'))
}

/// What is said to this host stays on this machine.
pub(super) fn is_private(host: &str) -> bool {
    let loopback = host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback());
    host.is_empty() || host.starts_with('/') || host == "localhost" || loopback
}

fn is_encrypted(url: &str) -> bool {
    let query = url.split_once('?').map(|(_, query)| query).unwrap_or_default();
    query.split('&').any(|pair| {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        matches!(key, "sslmode" | "ssl-mode") && matches!(value, "require" | "verify-ca" | "verify-full")
    })
}

/// Percent-encoded for a URL's part.
fn escaped(text: &str) -> String {
    use std::fmt::Write;
    let mut url = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            url.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(url, "%{byte:02X}");
        }
    }
    url
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_host_of_a_url_is_found() {
        assert_eq!(host_of("u:p@db.example:5432/souk?x=y"), "db.example");
        assert_eq!(host_of("u:p%40w@[::1]:5432/souk"), "::1");
        assert_eq!(host_of("localhost/souk"), "localhost");
        assert_eq!(host_of("/souk?host=/run/postgresql"), "");
        assert!(is_private("127.0.0.1") && is_private("::1") && is_private("/run/pg") && !is_private("10.0.0.1"));
    }

    #[test]
    fn parts_of_a_url_are_escaped() {
        assert_eq!(escaped("p@ss/wörd"), "p%40ss%2Fw%C3%B6rd");
    }
}
