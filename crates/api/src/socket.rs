//! WebSockets: rooms, and the topics of live streams, over one connection (RT-04 to RT-12).
//!
//! The [`Floor`] of a node knows who is in which room on it. A connection has two halves: its session
//! hears the client and decides, its body writes what the session tells. News of rooms is brought to the workers
//! (`api/rounds.rs`) and written to one connection after the other.

mod attendance;
mod body;
mod closing;
pub mod commands;
mod floor;
mod frame;
mod heard;
mod incoming;
mod line;
mod open;
mod outgoing;
pub mod pace;
mod parcel;
mod people;
mod rooms;
mod seats;
mod served;
mod session;
mod topics;
mod wire;

pub use closing::{Ended, closings};
pub use floor::Floor;
pub use frame::Frame;
pub use incoming::{Incoming, Request};
pub use open::{aliases, open_socket};
pub use outgoing::{GapView, LeftReason, MessageView, Outgoing, SocketMessage};
pub use people::Batch;
pub use served::Served;

/// The operation that opens a WebSocket.
pub fn operations(config: &mut utoipa_actix_web::service_config::ServiceConfig<'_>) {
    config.service(open_socket);
}
