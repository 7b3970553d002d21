//! What the assistant needs from outside.

use async_trait::async_trait;
use bytes::Bytes;

use super::{ChatEvent, ChatReply, ChatRequest, Fault, Usage};

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
