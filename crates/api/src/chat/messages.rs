//! What was said in a conversation.

use actix_web::{HttpResponse, get, patch};
use domain::{
    Error,
    assistant::conversation::{self, Tree},
    id::{ConversationId, ConversationMessageId},
    permission::UseAssistant,
};

use super::{
    dto::{MessagePatchBody, MessageView, MessagesView, message_patch},
    parameters::HistoryParams,
};
use crate::{
    Answer, Services, Shared,
    auth::Auth,
    body::JsonBody,
    path::{Id, MessageId},
    problem::{In, Problem},
    query::Params,
};

/// Reads the branch of a conversation that is shown: its last messages, or those before one.
#[utoipa::path(
    tag = "assistant",
    params(Id<ConversationId>, HistoryParams),
    responses(
        (status = 200, description = "The messages, in order", body = MessagesView),
        (status = 404, description = "No such conversation, or not yours"),
    ),
    security(("bearer" = ["assistant:use"]))
)]
#[get("/api/v1/conversations/{id}/messages")]
pub async fn list_conversation_messages(
    auth: Auth<UseAssistant>,
    services: Shared,
    id: Id<ConversationId>,
    params: Params<HistoryParams>,
) -> Answer {
    let conversation = services.own_conversation(&auth.0, id.0).await?;
    let tree: Tree = services.chat.talks.queries.nodes(id.0).await?.into_iter().collect();
    let mut path = tree.path(conversation.active);
    let (before, limit) = params.0.asked();
    if let Some(before) = before {
        let unknown =
            || Problem::broken(In::Query, "before", "unknown", "must be a message of the branch that is shown");
        path.truncate(path.iter().position(|message| *message == before).ok_or_else(unknown)?);
    }
    let wanted = path.split_off(path.len().saturating_sub(limit));
    let items = views(&services, id.0, &tree, &wanted).await?;
    let next_before = wanted.first().filter(|_| !path.is_empty()).map(|message| message.0);
    Ok(HttpResponse::Ok().json(MessagesView { items, next_before }))
}

/// Pins a message, so that the model is told of it however long ago it was said, or lets it go.
#[utoipa::path(
    tag = "assistant",
    request_body = MessagePatchBody,
    params(Id<ConversationId>, MessageId<ConversationMessageId>),
    responses(
        (status = 200, description = "The message", body = MessageView),
        (status = 404, description = "No such conversation or message, or not yours"),
    ),
    security(("bearer" = ["assistant:use"]))
)]
#[patch("/api/v1/conversations/{id}/messages/{messageId}")]
pub async fn update_conversation_message(
    auth: Auth<UseAssistant>,
    services: Shared,
    id: Id<ConversationId>,
    message: MessageId<ConversationMessageId>,
    body: JsonBody,
) -> Answer {
    let is_pinned = body.read(message_patch)?;
    let marked = conversation::mark_message(&services.shop, &auth.0, id.0, message.0, is_pinned).await?;
    let tree: Tree = services.chat.talks.queries.nodes(id.0).await?.into_iter().collect();
    let view = MessageView::new(&marked, &tree.siblings(marked.id), services.shop.now());
    Ok(HttpResponse::Ok().json(view))
}

/// These messages, in this order.
pub(super) async fn views(
    services: &Services,
    id: ConversationId,
    tree: &Tree,
    wanted: &[ConversationMessageId],
) -> Result<Vec<MessageView>, Error> {
    let found = services.chat.talks.queries.messages(id, wanted).await?;
    let now = services.shop.now();
    let view = |id: &ConversationMessageId| {
        let message = found.iter().find(|message| message.id == *id)?;
        Some(MessageView::new(message, &tree.siblings(*id), now))
    };
    Ok(wanted.iter().filter_map(view).collect())
}
