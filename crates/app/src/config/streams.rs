//! `[streams]`: live streams (RT-01, RT-16).

use api::StreamSettings;

use super::{Reader, Setting};

pub(crate) const SETTINGS: &[Setting] = &[
    Setting::new("streams.heartbeat_seconds", "25", "How often an idle stream says that it lives."),
    Setting::new("streams.retry_ms", "3000", "After how long clients come back when they lost the connection."),
    Setting::new("streams.max_open", "10000", "Most streams open at once on this node; further ones are told 503."),
];

pub(crate) fn read(reader: &mut Reader<'_>) -> Option<StreamSettings> {
    let heartbeat = reader.seconds("streams.heartbeat_seconds", 1..=300);
    let retry = reader.millis("streams.retry_ms", 100..=60_000);
    let most_open = reader.number("streams.max_open", 1..=1_000_000);
    Some(StreamSettings { heartbeat: heartbeat?, retry: retry?, most_open: most_open? })
}
