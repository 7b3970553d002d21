//! `[sockets]`: WebSockets, rooms and presence (RT-04 to RT-16).

use std::time::Duration;

use api::SocketSettings;

use super::{Reader, Setting, streams};

pub(crate) const SETTINGS: &[Setting] = &[
    Setting::new("sockets.heartbeat_ms", "30000", "How often a WebSocket is looked at and asked for a sign of life."),
    Setting::new("sockets.timeout_ms", "60000", "After how long without a frame it is closed."),
    Setting::new("sockets.max_open", "10000", "Most WebSockets open at once on this node; further ones are told 503."),
    Setting::new(
        "sockets.max_per_user",
        "50",
        "Most of them of one person on this node; further ones are told 429, 0 is no limit.",
    ),
    Setting::new(
        "sockets.max_per_address",
        "1000",
        "Most of them without a sign-in from one address on this node; 0 is no limit.",
    ),
    Setting::new("sockets.max_rooms", "128", "Most rooms of one WebSocket."),
    Setting::new("sockets.max_topics", "128", "Most topics of one WebSocket."),
    Setting::new("sockets.frame_bytes", "65536", "Most bytes of a message of a client."),
    Setting::new("sockets.queue", "512", "Messages that may wait for a client before it counts as too slow."),
    Setting::new(
        "sockets.presence_ms",
        "10000",
        "The heartbeat of presence: within two of them the people of a node that died are gone.",
    ),
];

/// WebSockets and presence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Sockets {
    /// How the door behaves.
    pub(crate) door: SocketSettings,
    /// The heartbeat of presence.
    pub(crate) presence: Duration,
}

impl Sockets {
    pub(crate) fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let heartbeat = reader.millis("sockets.heartbeat_ms", 100..=300_000);
        let timeout = reader.millis("sockets.timeout_ms", 200..=3_600_000);
        let places = streams::places(reader, "sockets");
        let rooms = reader.number("sockets.max_rooms", 1..=10_000);
        let topics = reader.number("sockets.max_topics", 1..=10_000);
        let frame_bytes = reader.number("sockets.frame_bytes", 1024..=1_048_576);
        let queue = reader.number("sockets.queue", 16..=65_536);
        let presence = reader.millis("sockets.presence_ms", 200..=300_000);
        let door = SocketSettings {
            heartbeat: heartbeat?,
            timeout: timeout?,
            places: places?,
            rooms: rooms?,
            topics: topics?,
            frame_bytes: frame_bytes?,
            queue: queue?,
        };
        Some(Self { door, presence: presence? })
    }
}
