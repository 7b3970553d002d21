//! What the assistant needs from outside.

use async_trait::async_trait;
use bytes::Bytes;

use super::{Batch, ChatEvent, ChatReply, ChatRequest, Fault, NewCall, Settlement, Usage, Verdict};
use crate::{clock::Timestamp, error::Result as Done};

/// A whole answer as it came.
#[derive(Debug, Clone)]
pub struct Completed {
    /// What it says.
    pub reply: ChatReply,
    /// The very bytes, where the provider speaks the protocol of the OpenAI-shaped door.
    pub raw: Option<Bytes>,
}

/// What came at once of an answer that comes piece by piece.
#[derive(Debug, Clone, Default)]
pub struct Frame {
    /// What it says; nothing for what is not known here.
    pub events: Vec<ChatEvent>,
    /// The JSON of the very frame, where the provider speaks the protocol of the OpenAI-shaped door.
    pub raw: Option<Bytes>,
}

/// An answer that comes piece by piece. Dropping it ends the call, and the connection with it.
#[async_trait]
pub trait ChatStream: Send {
    /// What comes next; `None` at an end that the provider marked as such.
    ///
    /// # Errors
    /// [`super::FaultClass::Cut`] when it ends without the mark of its end, and others. After an error there is nothing more.
    async fn next(&mut self) -> Result<Option<Frame>, Fault>;
}

/// One model of one provider. MUST keep `max_tokens`, MUST NOT log what is said, and MUST end within its own times.
#[async_trait]
pub trait LanguageModel: Send + Sync {
    /// Asks for a whole answer.
    async fn complete(&self, request: &ChatRequest) -> Result<Completed, Fault>;

    /// Asks for an answer that comes piece by piece; gives it when its first piece is there.
    async fn stream(&self, request: &ChatRequest) -> Result<Box<dyn ChatStream>, Fault>;
}

/// The vectors of some texts.
#[derive(Debug, Clone, PartialEq)]
pub struct Embedded {
    /// One for each text, in their order, each as long as [`Embedder::dimension`].
    pub vectors: Vec<Vec<f32>>,
    /// What was used; `None` when it was not said.
    pub usage: Option<Usage>,
}

/// Turns texts into vectors: those of texts that mean alike lie near each other.
#[async_trait]
pub trait Embedder: Send + Sync {
    /// Which model it is: vectors of another name are no measure for these.
    fn name(&self) -> &str;

    /// How many numbers a vector has.
    fn dimension(&self) -> usize;

    /// The vectors of these texts.
    async fn embed(&self, texts: &[String]) -> Result<Embedded, Fault>;
}

/// Where calls are written down before they are made.
#[async_trait]
pub trait Ledger: Send + Sync {
    /// Writes down that a call begins, if all its windows have room for it. MUST be durable when it returns, and MUST hold the windows
    /// so that no two calls are given the same room.
    async fn reserve(&self, call: NewCall) -> Done<Verdict>;

    /// Takes note of how a call ended. MUST NOT wait: it is told when a caller has gone away. What the database cannot take is told to
    /// it again.
    fn settle(&self, settled: Settlement);
}

/// The rows of the ledger. It is a log in itself, so its rows have neither audit entry nor event.
#[async_trait]
pub trait LedgerStore: Send + Sync {
    /// Writes all of this in one transaction, and says of each call whether it may begin, by [`super::decide`]. What ended is counted
    /// once: a call that is not [`super::CallState::Reserved`] any more stays as it is.
    async fn write(&self, batch: &Batch) -> Done<Vec<Verdict>>;

    /// Gives up the calls that began before `before` and were not heard of since: whoever made them was killed. What was held for them
    /// counts as used. Gives how many there were.
    async fn sweep(&self, before: Timestamp, now: Timestamp) -> Done<u64>;

    /// What was spent in the windows of a budget since a moment, for whom. The largest cost comes first.
    async fn spent(&self, budget: &str, since: Timestamp) -> Done<Vec<(super::WindowKey, super::Spent)>>;

    /// Removes calls that ended before `before`, at most `limit`, and windows that began before; gives how many calls.
    async fn purge(&self, before: Timestamp, limit: u32) -> Done<u64>;
}
