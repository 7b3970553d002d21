//! The bus: short messages between the parts of a shop, whether they live in one process or in many.
//!
//! It carries hints, not facts. What must not be missed stands in the log, and whoever follows the log through the bus
//! reads it again after every [`Heard::Lost`].

mod envelope;
mod exchange;
mod fanout;

use std::sync::Arc;

pub use envelope::Envelope;
pub use exchange::{Exchange, Fate};
pub use fanout::{Fanout, Interest, QUEUE, Subscription};

/// Most bytes of a payload. PostgreSQL carries less than 8000 in one notice, in base64, with topic and sender beside it.
pub const PAYLOAD_MAX: usize = 5_500;
/// Most bytes of a topic.
pub const TOPIC_MAX: usize = 200;

/// What was published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Where to.
    pub topic: Arc<str>,
    /// What; the bus does not look into it.
    pub payload: Arc<[u8]>,
}

/// What a subscription hears.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Heard {
    /// A message, in the order of its publisher.
    Message(Message),
    /// Messages may be missing at this place: the subscriber was too slow, the link between the nodes was cut, or a
    /// message could not be carried. It comes again and again while the link is away, so that whoever reads the log
    /// each time stays up to date without it.
    Lost,
}

/// Passes messages on. MUST NOT lose one without telling every subscription it may have been for ([`Heard::Lost`]); only a
/// publisher that dies takes its last words with it. MUST deliver on the publisher's own node also while the link to the
/// others is away.
#[async_trait::async_trait]
pub trait Bus: Send + Sync {
    /// Sends a message to whoever has subscribed to its topic, on every node. MUST NOT wait and MUST NOT fail: a
    /// message of more than [`PAYLOAD_MAX`] bytes, a topic of more than [`TOPIC_MAX`], or one message too many at
    /// once, is told as lost.
    fn publish(&self, topic: &str, payload: &[u8]);

    /// Listens to topics. Of what is published after this has answered, nothing is missed but what is told as lost.
    /// Dropping the subscription ends it.
    async fn subscribe(&self, topics: &[&str]) -> Subscription;
}
