//! Keeping a message in mind.

use super::{Message, events, policy};
use crate::{
    error::{Error, Result},
    id::{ConversationId, ConversationMessageId},
    permission::{Authorized, UseAssistant},
    shop::Shop,
};

/// Says whether a model is to be told of a message however long ago it was said.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn mark_message(
    shop: &Shop,
    by: &Authorized<UseAssistant>,
    id: ConversationId,
    message: ConversationMessageId,
    is_pinned: bool,
) -> Result<Message> {
    let who = by.principal();
    shop.write("mark_message", |mut tx| async move {
        let mut conversation = tx.conversations().find(id).await?.ok_or_else(policy::unknown)?;
        policy::may_see(who, &conversation)?;
        let unknown = || Error::NotFound("Message");
        if !tx.conversations().pin(id, message, is_pinned).await? {
            return Err(unknown());
        }
        let marked = tx.conversations().message(id, message).await?.ok_or_else(unknown)?;
        conversation.version = conversation.version.next();
        conversation.updated_at = tx.now();
        tx.conversations().update(&conversation).await?;
        shop.record(&mut *tx, Some(who.user), events::marked(id, message, is_pinned)).await?;
        tx.commit(marked).await
    })
    .await
}
