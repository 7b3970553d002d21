//! Changing a conversation.

use super::{Conversation, ConversationPatch, Tree, events, policy, ports::ConversationQueries};
use crate::{
    catalog::Version,
    error::{Error, Result},
    id::ConversationId,
    permission::{Authorized, UseAssistant},
    shop::Shop,
};

/// Changes title, model, words for the model or the branch that is shown, or puts it away. With `expected`, only if it has one of
/// those versions.
///
/// # Errors
/// [`Error::NotFound`], [`Error::Stale`], [`Error::Invalid`] for a branch that is not there.
pub async fn update_conversation(
    shop: &Shop,
    queries: &dyn ConversationQueries,
    by: &Authorized<UseAssistant>,
    id: ConversationId,
    patch: ConversationPatch,
    expected: Option<&[Version]>,
) -> Result<Conversation> {
    let who = by.principal();
    let leaf = match patch.active {
        None => None,
        Some(message) => {
            let found = queries.get(id).await?.ok_or_else(policy::unknown)?;
            policy::may_see(who, &found)?;
            let tree: Tree = queries.nodes(id).await?.into_iter().collect();
            let unknown = || Error::invalid("/activeMessageId", "unknown", "must be a message of this conversation");
            Some(tree.leaf(message).ok_or_else(unknown)?)
        }
    };
    let patch = &patch;
    shop.write("update_conversation", |mut tx| async move {
        let mut conversation = tx.conversations().find(id).await?.ok_or_else(policy::unknown)?;
        policy::may_see(who, &conversation)?;
        if expected.is_some_and(|any| !any.contains(&conversation.version)) {
            return Err(Error::Stale("Conversation"));
        }
        let mut fields = Vec::new();
        if let Some(title) = &patch.title {
            conversation.title.clone_from(title);
            fields.push("title");
        }
        if let Some(model) = &patch.model {
            conversation.model.clone_from(model);
            fields.push("model");
        }
        if let Some(system) = &patch.system {
            conversation.system.clone_from(system);
            // These are words of their own.
            conversation.prompt = None;
            fields.push("system");
        }
        if let Some(is_archived) = patch.is_archived {
            conversation.is_archived = is_archived;
            fields.push("archived");
        }
        if leaf.is_some() {
            conversation.active = leaf;
            fields.push("activeMessageId");
        }
        conversation.version = conversation.version.next();
        conversation.updated_at = tx.now();
        tx.conversations().update(&conversation).await?;
        shop.record(&mut *tx, Some(who.user), events::updated(&conversation, &fields)).await?;
        tx.commit(conversation).await
    })
    .await
}
