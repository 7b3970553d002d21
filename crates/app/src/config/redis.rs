//! `[redis]`: what several nodes share beside the database.

use platform::RedisSettings;

use super::{
    Reader, Setting,
    database::{has_password, host_of, is_private},
};

pub(crate) const SETTINGS: &[Setting] = &[
    Setting::new(
        "redis.url",
        "",
        "redis://[user:password@]host[:port][/number], or rediss:// with TLS; without it nothing goes through Redis.",
    )
    .alias("REDIS_URL"),
    Setting::new("redis.prefix", "souk:", "What all its keys and channels begin with; one for each shop."),
    Setting::new("redis.connect_timeout_ms", "1000", "How long a new connection may take."),
    Setting::new("redis.response_timeout_ms", "250", "How long an answer may take before Redis counts as away."),
];

/// Redis.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Redis {
    /// None when this shop has none.
    pub(crate) settings: Option<RedisSettings>,
}

impl Redis {
    pub(crate) fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let url = url(reader);
        let prefix = prefix(reader);
        let connect_timeout = reader.millis("redis.connect_timeout_ms", 10..=60_000);
        let response_timeout = reader.millis("redis.response_timeout_ms", 10..=60_000);
        let (url, prefix) = (url?, prefix?);
        let (connect_timeout, response_timeout) = (connect_timeout?, response_timeout?);
        let settings = RedisSettings { url, prefix, connect_timeout, response_timeout };
        if settings.url.is_empty() {
            return Some(Self { settings: None });
        }
        if let Err(fault) = platform::Redis::new(settings.clone()) {
            reader.fault("redis.url", format!("names no Redis: {fault}"));
            return None;
        }
        Some(Self { settings: Some(settings) })
    }
}

fn url(reader: &mut Reader<'_>) -> Option<String> {
    let url = reader.text("redis.url");
    let Some((scheme, rest)) = url.split_once("://").filter(|(scheme, _)| ["redis", "rediss"].contains(scheme)) else {
        if url.is_empty() {
            return Some(url);
        }
        reader.fault("redis.url", "must begin with redis:// or rediss://");
        return None;
    };
    if reader.is_from_file("redis.url") && has_password(rest) {
        reader.fault("redis.url", "holds a password, which must not stand in a file; set REDIS_URL instead");
        return None;
    }
    if reader.strict() && scheme != "rediss" && !is_private(host_of(rest)) {
        reader.fault("redis.url", "must be encrypted in production: rediss://");
        return None;
    }
    Some(url)
}

fn prefix(reader: &mut Reader<'_>) -> Option<String> {
    let prefix = reader.text("redis.prefix");
    // Braces say which part of a key decides on its place in a cluster.
    let fits = prefix.len() <= 64 && prefix.chars().all(|c| c.is_ascii_graphic() && !"{}*?[]".contains(c));
    if !fits {
        reader.fault("redis.prefix", "must be at most 64 letters, digits or signs, without any of {}*?[]");
    }
    fits.then_some(prefix)
}
