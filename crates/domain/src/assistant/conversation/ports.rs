//! What conversations need from outside.

use async_trait::async_trait;

use super::{Conversation, Memory, Message, MessageState, Node};
use crate::{
    clock::Timestamp,
    error::Result,
    id::{ConversationId, ConversationMessageId, UserId},
    page::{Limit, Slice},
    text::Search,
};

/// The write side of conversations.
#[async_trait]
pub trait ConversationRepo: Send {
    /// Stores a new one; `false` when its owner has one that the client calls the same.
    async fn insert(&mut self, conversation: &Conversation) -> Result<bool>;

    /// The one of that id. It is held until the transaction ends, so that of two changes one goes after the other.
    async fn find(&mut self, id: ConversationId) -> Result<Option<Conversation>>;

    /// Stores everything of it but its id, its owner and what the client calls it.
    async fn update(&mut self, conversation: &Conversation) -> Result<()>;

    /// Removes it with its messages.
    async fn delete(&mut self, id: ConversationId) -> Result<()>;

    /// How many messages it has, branches included.
    async fn count(&mut self, id: ConversationId) -> Result<u64>;

    /// Stores a new message.
    async fn add(&mut self, message: &Message) -> Result<()>;

    /// A message of a conversation.
    async fn message(&mut self, id: ConversationId, message: ConversationMessageId) -> Result<Option<Message>>;

    /// Writes down how far an answer came: parts, fault, model, usage, moment, and its state unless it was cut meanwhile. Gives
    /// the state it has by then; `None`, and nothing is written, when it had come to an end before or is gone.
    async fn keep(&mut self, message: &Message) -> Result<Option<MessageState>>;

    /// Cuts every answer of a conversation that is under way, and gives how many.
    async fn cut(&mut self, id: ConversationId) -> Result<u64>;

    /// Says whether a model is to be told of a message for ever; `false` when there is no such message.
    async fn pin(&mut self, id: ConversationId, message: ConversationMessageId, is_pinned: bool) -> Result<bool>;
}

/// Which conversations of a person.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Listed {
    /// Those that are put away, or those that are not.
    pub archived: bool,
    /// Those whose title has all words, or of which a message has; the last word as a prefix.
    pub search: Option<Search>,
}

/// A place in a list of conversations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// Its id.
    pub id: ConversationId,
}

/// The read side of conversations.
#[async_trait]
pub trait ConversationQueries: Send + Sync {
    /// The one of that id.
    async fn get(&self, id: ConversationId) -> Result<Option<Conversation>>;

    /// The one of a person that the client calls so.
    async fn called(&self, owner: UserId, client_id: &str) -> Result<Option<Conversation>>;

    /// Those of a person, the ones changed last first, of the same moment those with the larger id.
    async fn list(
        &self,
        owner: UserId,
        listed: &Listed,
        after: Option<Place>,
        limit: Limit,
    ) -> Result<Slice<Conversation, Place>>;

    /// All messages of one by their places.
    async fn nodes(&self, id: ConversationId) -> Result<Vec<Node>>;

    /// These messages of one, by id; those that are not there are left out.
    async fn messages(&self, id: ConversationId, messages: &[ConversationMessageId]) -> Result<Vec<Message>>;

    /// The latest answer of one that is under way.
    async fn streaming(&self, id: ConversationId) -> Result<Option<Message>>;

    /// Conversations that were not touched since `before`, at most `limit`, those untouched for longest first.
    async fn untouched(&self, before: Timestamp, limit: u32) -> Result<Vec<ConversationId>>;
}

/// What a person and models said elsewhere.
#[async_trait]
pub trait Memories: Send + Sync {
    /// The messages of other conversations of a person that are most alike: by [`super::likeness`] to these words, the latest first
    /// where it is the same, at most `limit`. Those that are alike in nothing are left out, and so are those that are not whole.
    async fn related(
        &self,
        owner: UserId,
        but: Option<ConversationId>,
        words: &[String],
        limit: u32,
    ) -> Result<Vec<Memory>>;

    /// The messages of other conversations of a person that came last, the latest first, of the same moment those with the larger id, at
    /// most `limit`. Those that are not whole are left out, and so are those without words.
    async fn latest(&self, owner: UserId, but: Option<ConversationId>, limit: u32) -> Result<Vec<Memory>>;
}
