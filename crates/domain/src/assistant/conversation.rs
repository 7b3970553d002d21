//! Conversations: what people and models said to each other, kept for the person alone, and what of it a model is told again.
//!
//! The messages of a conversation are a tree: another answer to the same question, and another question at the same place, are
//! branches of it. One leaf is active, and what stands above it is the conversation as it is shown and told.

mod ask;
mod create_conversation;
mod delete_conversation;
mod events;
mod keep_answer;
mod mark_message;
mod message;
mod nearness;
pub mod policy;
pub mod ports;
mod purge_conversations;
mod recall;
mod stored;
mod summary;
#[cfg(test)]
mod tests;
mod tree;
mod turn;
mod update_conversation;
mod use_tools;
mod window;

pub use ask::{Ask, Trigger, UserMessage};
pub use create_conversation::create_conversation;
pub use delete_conversation::delete_conversation;
pub use keep_answer::{keep_answer, stop_answer};
pub use mark_message::mark_message;
pub use message::{BEAT, Hearing, Message, MessageState, Outcome, SILENCE, Said, Speaker, ToolUse};
pub use purge_conversations::purge_conversations;
pub use recall::{Memory, likeness};
pub use stored::{
    Conversation, ConversationInput, ConversationPatch, MESSAGES_MOST, NewConversation, Summary, title_of,
};
pub use summary::summarise;
pub use tree::{Node, Tree};
pub use turn::{TalkRules, Talks, Turn, begin_turn};
pub use update_conversation::update_conversation;
pub use window::{Trimmed, WindowRules};
