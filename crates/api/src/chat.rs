//! Conversations with the assistant: the door of `useChat`, and what was said over REST.
//!
//! An answer is made by a task of its own (`running`) and written down as it grows. Whoever reads it, from its begin or later, here or
//! on another node, is told by the same rule ([`told`]) what leads from what they know to what there is.

mod answers;
mod asked;
mod conversations;
mod cursor;
mod distant;
pub mod dto;
mod export;
mod messages;
mod parameters;
mod refusal;
mod running;
pub mod told;

use std::sync::Arc;

pub(crate) use answers::read_body;
use domain::{
    Error,
    assistant::conversation::{Conversation, Talks, policy},
    id::ConversationId,
    permission::{Authorized, UseAssistant},
};
pub(crate) use refusal::denied;
pub use running::Running;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::Services;

/// The operation that takes as long as a model does.
pub const LONG: &str = "create_chat_answer";

/// What conversations stand on.
#[derive(Debug, Clone)]
pub struct Chat {
    /// Begins answers.
    pub talks: Talks,
    /// The answers that are under way on this node.
    pub running: Arc<Running>,
}

/// The operations of conversations.
pub fn operations(config: &mut ServiceConfig<'_>) {
    config
        .service(answers::create_chat_answer)
        .service(answers::resume_chat_answer)
        .service(answers::stop_chat_answer)
        .service(conversations::list_conversations)
        .service(conversations::create_conversation)
        .service(conversations::get_conversation)
        .service(conversations::update_conversation)
        .service(conversations::delete_conversation)
        .service(export::export_conversation)
        .service(messages::list_conversation_messages)
        .service(messages::update_conversation_message);
}

impl Services {
    /// A conversation of the caller. To others it does not exist.
    async fn own_conversation(
        &self,
        by: &Authorized<UseAssistant>,
        id: ConversationId,
    ) -> domain::Result<Conversation> {
        let found = self.chat.talks.queries.get(id).await?.ok_or_else(policy::unknown)?;
        policy::may_see(by.principal(), &found)?;
        Ok(found)
    }

    /// The same by its id or by what the client calls it.
    async fn named_conversation(&self, by: &Authorized<UseAssistant>, name: &str) -> domain::Result<Conversation> {
        let queries = &self.chat.talks.queries;
        if let Some(id) = crate::path::uuid(name)
            && let Some(found) = queries.get(ConversationId(id)).await?
            && policy::may_see(by.principal(), &found).is_ok()
        {
            return Ok(found);
        }
        let found = queries.called(by.principal().user, name).await?.ok_or(Error::NotFound("Conversation"))?;
        policy::may_see(by.principal(), &found)?;
        Ok(found)
    }
}
