//! Live streams: every connection that listens, and what it is sent.
//!
//! The log in the database is the truth; the [`Hub`] of a node only wakes listeners and spares them a read. A listener
//! knows how far it came and reads on from there whenever the hub could not keep it up to date.

pub(crate) mod caller;
mod ear;
mod ears;
mod events;
pub(crate) mod hub;
pub(crate) mod listener;
mod tickets;
mod view;

pub use events::{Events, TopicName, aliases, stream_events};
pub use hub::{Hub, Told};
pub use tickets::create_ticket;
pub use view::{GapReason, ModelNoticeView, NoticeView, ProductNoticeView, Sign, StreamMessage};

/// The operations of live streams.
pub fn operations(config: &mut utoipa_actix_web::service_config::ServiceConfig<'_>) {
    config.service(stream_events).service(create_ticket);
}
