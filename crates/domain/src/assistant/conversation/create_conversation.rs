//! Beginning a conversation.

use super::{Conversation, NewConversation, events};
use crate::{
    catalog::Version,
    clock::Timestamp,
    error::Result,
    id::{ConversationId, UserId},
    idempotency::{Once, Outcome},
    permission::{Authorized, UseAssistant},
    shop::Shop,
};

/// A new one, not stored.
pub(super) fn begun(id: ConversationId, owner: UserId, new: &NewConversation, now: Timestamp) -> Conversation {
    Conversation {
        id,
        owner,
        client_id: None,
        title: new.title.clone().unwrap_or_default(),
        model: new.model.clone(),
        system: new.system.clone(),
        prompt: new.prompt,
        is_archived: false,
        active: None,
        summary: None,
        version: Version::FIRST,
        created_at: now,
        updated_at: now,
    }
}

/// Begins a conversation in which nothing was said yet.
///
/// # Errors
/// Those of the store.
pub async fn create_conversation(
    shop: &Shop,
    by: &Authorized<UseAssistant>,
    new: NewConversation,
    once: &Once<'_, Conversation>,
) -> Result<Outcome<Conversation>> {
    by.in_person()?;
    let (user, new) = (by.principal().user, &new);
    shop.write_once("create_conversation", once, |mut tx| async move {
        let conversation = begun(shop.id(), user, new, tx.now());
        tx.conversations().insert(&conversation).await?;
        shop.record(&mut *tx, Some(user), events::created(&conversation)).await?;
        tx.commit(conversation).await
    })
    .await
}
