//! Writing an answer down while it is said, and ending one. As with what is said in rooms, this leaves no audit row.

use super::{Message, MessageState, policy, ports::ConversationQueries};
use crate::{
    error::Result,
    id::ConversationId,
    permission::{Authorized, UseAssistant},
    shop::Shop,
};

/// Writes down how far an answer came, and gives the state it has by then: another than it says, or none, means that somebody ended
/// it meanwhile and nobody wants more of it.
///
/// # Errors
/// Those of the store.
pub async fn keep_answer(shop: &Shop, message: &Message) -> Result<Option<MessageState>> {
    let message = &Message { written_at: shop.now(), ..message.clone() };
    shop.write("keep_answer", |mut tx| async move {
        let state = tx.conversations().keep(message).await?;
        tx.commit(state).await
    })
    .await
}

/// Ends every answer of a conversation that is under way, on whichever node.
///
/// # Errors
/// [`crate::Error::NotFound`].
pub async fn stop_answer(
    shop: &Shop,
    queries: &dyn ConversationQueries,
    by: &Authorized<UseAssistant>,
    id: ConversationId,
) -> Result<u64> {
    let found = queries.get(id).await?.ok_or_else(policy::unknown)?;
    policy::may_see(by.principal(), &found)?;
    shop.write("stop_answer", |mut tx| async move {
        let cut = tx.conversations().cut(id).await?;
        tx.commit(cut).await
    })
    .await
}
