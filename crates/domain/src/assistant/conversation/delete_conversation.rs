//! Deleting a conversation.

use super::{events, policy};
use crate::{
    catalog::Version,
    error::{Error, Result},
    id::ConversationId,
    permission::{Authorized, UseAssistant},
    shop::Shop,
};

/// Deletes a conversation with all that was said in it; an answer that is under way ends. With `expected`, only if it has one of
/// those versions.
///
/// # Errors
/// [`Error::NotFound`], [`Error::Stale`].
pub async fn delete_conversation(
    shop: &Shop,
    by: &Authorized<UseAssistant>,
    id: ConversationId,
    expected: Option<&[Version]>,
) -> Result<()> {
    let who = by.principal();
    shop.write("delete_conversation", |mut tx| async move {
        let conversation = tx.conversations().find(id).await?.ok_or_else(policy::unknown)?;
        policy::may_see(who, &conversation)?;
        if expected.is_some_and(|any| !any.contains(&conversation.version)) {
            return Err(Error::Stale("Conversation"));
        }
        tx.conversations().delete(id).await?;
        shop.record(&mut *tx, Some(who.user), events::deleted(id)).await?;
        tx.commit(()).await
    })
    .await
}
