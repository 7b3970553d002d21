//! The changes of conversations, told once for events and audit. What is said in them stays out of both.

use serde_json::{Value, json};

use super::Conversation;
use crate::{
    event::{Change, Entity},
    id::{ConversationId, ConversationMessageId},
};

fn change(action: &'static str, event: &'static str, id: ConversationId, metadata: Value) -> Change {
    let payload = json!({ "conversationId": id });
    Change { action, event, entity: Entity::new("conversation", id), payload, metadata }
}

pub(super) fn created(conversation: &Conversation) -> Change {
    change("conversation.create", "conversation.created", conversation.id, json!({}))
}

/// `fields` are the names of what changed.
pub(super) fn updated(conversation: &Conversation, fields: &[&'static str]) -> Change {
    let metadata = json!({ "version": conversation.version, "fields": fields });
    change("conversation.update", "conversation.updated", conversation.id, metadata)
}

pub(super) fn marked(conversation: ConversationId, message: ConversationMessageId, is_pinned: bool) -> Change {
    let metadata = json!({ "messageId": message, "pinned": is_pinned });
    change("conversation.mark_message", "conversation.message_marked", conversation, metadata)
}

pub(super) fn deleted(conversation: ConversationId) -> Change {
    change("conversation.delete", "conversation.deleted", conversation, json!({}))
}
