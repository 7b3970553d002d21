//! `[cache]`: how long answers are kept (CA-01, CA-03, CAT-04).

use std::time::Duration;

use api::CacheSettings;
use domain::cache::Policy;

use super::{Reader, Setting};

pub(crate) const SETTINGS: &[Setting] = &[
    Setting::new(
        "cache.mode",
        "auto",
        "off, or auto: on SQLite in this process, on PostgreSQL with Redis in both, shared by all nodes; not on PostgreSQL \
         alone. on: there too, in this process, which then must be the only one that writes. The same on all nodes.",
    ),
    Setting::new("cache.entries", "500", "Most answers kept in memory, and most people beside them."),
    Setting::new("cache.memory_seconds", "300", "How long an answer is kept in memory at most."),
    Setting::new("cache.lists_seconds", "60", "How long a list of products is served as it was read."),
    Setting::new("cache.products_seconds", "300", "How long a product is served as it was read."),
    Setting::new("cache.absent_seconds", "30", "How long it is kept that there is no such product."),
    Setting::new("cache.stale_seconds", "30", "For how much longer, while one caller reads it anew."),
    Setting::new(
        "cache.surrogate_keys",
        "false",
        "Whether answers name what they show (Surrogate-Key, Cache-Tag), for a CDN that purges by name.",
    ),
];

/// Where answers are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CacheMode {
    /// Where it can be right.
    Auto,
    /// In any case.
    On,
    /// Nowhere.
    Off,
}

/// The cache.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Caching {
    pub(crate) mode: CacheMode,
    pub(crate) entries: u64,
    pub(crate) longest: Duration,
    pub(crate) answers: CacheSettings,
}

impl Caching {
    pub(crate) fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let words = [("auto", CacheMode::Auto), ("on", CacheMode::On), ("off", CacheMode::Off)];
        let mode = reader.one_of("cache.mode", &words);
        let entries = reader.number("cache.entries", 1..=10_000_000);
        let longest = reader.seconds("cache.memory_seconds", 1..=86_400);
        let lists = reader.seconds("cache.lists_seconds", 1..=86_400);
        let products = reader.seconds("cache.products_seconds", 1..=86_400);
        let absent = reader.seconds("cache.absent_seconds", 1..=86_400);
        let stale = reader.seconds("cache.stale_seconds", 0..=86_400);
        let surrogate_keys = reader.flag("cache.surrogate_keys");
        let (absent, stale) = (absent?, stale?);
        let answers = CacheSettings {
            lists: Policy { fresh: lists?, stale, absent },
            products: Policy { fresh: products?, stale, absent },
            surrogate_keys: surrogate_keys?,
        };
        Some(Self { mode: mode?, entries: entries?, longest: longest?, answers })
    }
}
