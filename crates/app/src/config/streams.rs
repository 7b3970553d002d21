//! `[streams]`: live streams (RT-01, RT-16).

use api::{PlaceSettings, StreamSettings};

use super::{Reader, Setting};

pub(crate) const SETTINGS: &[Setting] = &[
    Setting::new("streams.heartbeat_seconds", "25", "How often an idle stream says that it lives."),
    Setting::new("streams.retry_ms", "3000", "After how long clients come back when they lost the connection."),
    Setting::new("streams.max_open", "10000", "Most streams open at once on this node; further ones are told 503."),
    Setting::new(
        "streams.max_per_user",
        "50",
        "Most of them of one person on this node; further ones are told 429, 0 is no limit.",
    ),
    Setting::new(
        "streams.max_per_address",
        "1000",
        "Most of them without a sign-in from one address on this node; 0 is no limit.",
    ),
];

pub(crate) fn read(reader: &mut Reader<'_>) -> Option<StreamSettings> {
    let heartbeat = reader.seconds("streams.heartbeat_seconds", 1..=300);
    let retry = reader.millis("streams.retry_ms", 100..=60_000);
    let places = places(reader, "streams");
    Some(StreamSettings { heartbeat: heartbeat?, retry: retry?, places: places? })
}

/// How many connections there may be, by the settings of a section.
pub(super) fn places(reader: &mut Reader<'_>, section: &str) -> Option<PlaceSettings> {
    let most_open = reader.number(&format!("{section}.max_open"), 1..=1_000_000);
    let most_of_user = reader.number(&format!("{section}.max_per_user"), 0..=1_000_000);
    let most_of_address = reader.number(&format!("{section}.max_per_address"), 0..=1_000_000);
    Some(PlaceSettings { most_open: most_open?, most_of_user: most_of_user?, most_of_address: most_of_address? })
}
