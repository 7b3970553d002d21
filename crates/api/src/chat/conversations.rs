//! Beginning, finding, changing and deleting conversations.

use actix_web::{HttpResponse, delete, get, patch, post};
use domain::{
    Error, Violations,
    assistant::{
        conversation::{self, Conversation, NewConversation},
        prompts::{PromptUse, render},
    },
    id::ConversationId,
    permission::{Authorized, UseAssistant},
};

use super::{
    cursor,
    dto::{
        ConversationBody, ConversationPatchBody, ConversationView, ConversationsView, conversation_patch,
        new_conversation,
    },
    parameters::ListParams,
};
use crate::{
    Answer, Services, Shared,
    auth::Auth,
    body::JsonBody,
    done::Done,
    etag::{self, IfMatch, IfNoneMatch},
    idempotency::{Keyed, created},
    path::Id,
    prompts::render::Asked,
    query::Params,
};

/// Lists one's own conversations, the ones changed last first.
#[utoipa::path(
    tag = "assistant",
    params(ListParams),
    responses((status = 200, description = "The conversations", body = ConversationsView)),
    security(("bearer" = ["assistant:use"]))
)]
#[get("/api/v1/conversations")]
pub async fn list_conversations(auth: Auth<UseAssistant>, services: Shared, params: Params<ListParams>) -> Answer {
    let (listed, after, limit) = params.0.asked();
    let owner = auth.0.principal().user;
    let found = services.chat.talks.queries.list(owner, &listed, after, limit).await?;
    let items = found.items.iter().map(ConversationView::from).collect();
    Ok(HttpResponse::Ok().json(ConversationsView { items, next_cursor: found.next.map(cursor::seal) }))
}

/// Begins a conversation in which nothing was said yet.
#[utoipa::path(
    tag = "assistant",
    request_body(content = ConversationBody, example = json!({
        "title": "A lamp for my desk", "model": "gpt", "system": "Answer in one sentence.",
    })),
    params(Keyed),
    responses(
        (status = 201, description = "The conversation", body = ConversationView, headers(("ETag" = String, description = "Its version, for If-Match"))),
        (status = 404, description = "No such prompt or version"),
        (status = 409, description = "No version of the prompt serves, or it is put away"),
        Keyed,
    ),
    security(("bearer" = ["assistant:use"]))
)]
#[post("/api/v1/conversations")]
pub async fn create_conversation(auth: Auth<UseAssistant>, services: Shared, keyed: Keyed, body: JsonBody) -> Answer {
    let (mut new, prompt) = body.read(|fields| {
        let (input, prompt) = new_conversation(fields);
        input.check(&mut fields.violations).map(|new| (new, prompt))
    })?;
    if let Some((name, asked)) = prompt {
        new = by_prompt(&services, &auth.0, new, &name, &asked).await?;
    }
    let render = |one: &Conversation| {
        created(format!("/api/v1/conversations/{}", one.id), one.version, &ConversationView::from(one))
    };
    keyed
        .run(&services, "create_conversation", &body, render, async |once| {
            conversation::create_conversation(&services.shop, &auth.0, new, once).await
        })
        .await
}

/// The conversation by the words of a prompt.
async fn by_prompt(
    services: &Services,
    by: &Authorized<UseAssistant>,
    new: NewConversation,
    name: &str,
    asked: &Asked,
) -> domain::Result<NewConversation> {
    let prompts = &services.assistant.prompts;
    let prompt = prompts.named(name).await?;
    let version = services.served(&prompt, asked, by.principal()).await?;
    if version.content.asks() {
        let message = "asks something itself; name a version with messages of the role system alone";
        return Err(Error::invalid("/prompt/version", "consistent", message));
    }
    let rendered = render(prompts.templates.as_ref(), &version.content, &asked.variables).await;
    let rendered = rendered.map_err(below_prompt)?;
    let by = PromptUse { prompt: prompt.id, version: version.number };
    let made = new.by_prompt(by, &rendered.rules(), rendered.model.clone());
    made.map_err(|breach| Error::invalid("/prompt/variables", breach.rule, breach.message))
}

/// The fault where it stands in this body.
fn below_prompt(error: Error) -> Error {
    let Error::Invalid(faults) = error else { return error };
    let mut below = Violations::default();
    for fault in faults.iter() {
        below.add(format!("/prompt{}", fault.field), fault.rule, fault.message.clone());
    }
    below.into()
}

/// Reads a conversation.
#[utoipa::path(
    tag = "assistant",
    params(Id<ConversationId>, IfNoneMatch),
    responses(
        (status = 200, description = "The conversation", body = ConversationView),
        (status = 404, description = "No such conversation, or not yours"),
        IfNoneMatch,
    ),
    security(("bearer" = ["assistant:use"]))
)]
#[get("/api/v1/conversations/{id}")]
pub async fn get_conversation(
    auth: Auth<UseAssistant>,
    services: Shared,
    id: Id<ConversationId>,
    known: IfNoneMatch,
) -> Answer {
    let found = services.own_conversation(&auth.0, id.0).await?;
    etag::read(&known, Some(found.version), &ConversationView::from(&found))
}

/// Changes a conversation: its title, its model, how that is to behave, the branch that is shown, or whether it is put away.
#[utoipa::path(
    tag = "assistant",
    request_body = ConversationPatchBody,
    params(Id<ConversationId>, IfMatch),
    responses(
        (status = 200, description = "The conversation", body = ConversationView, headers(("ETag" = String, description = "Its version, for If-Match"))),
        (status = 404, description = "No such conversation, or not yours"),
        IfMatch,
    ),
    security(("bearer" = ["assistant:use"]))
)]
#[patch("/api/v1/conversations/{id}")]
pub async fn update_conversation(
    auth: Auth<UseAssistant>,
    services: Shared,
    id: Id<ConversationId>,
    if_match: IfMatch,
    body: JsonBody,
) -> Answer {
    let patch = body.read(|fields| conversation_patch(fields).check(&mut fields.violations))?;
    let expected = if_match.expected(None)?;
    let (shop, queries) = (&services.shop, services.chat.talks.queries.as_ref());
    let changed = conversation::update_conversation(shop, queries, &auth.0, id.0, patch, expected.versions()).await;
    let changed = changed.map_err(|error| expected.problem(error))?;
    etag::changed(changed.version, &ConversationView::from(&changed))
}

/// Deletes a conversation with all that was said in it. An answer that is under way ends.
#[utoipa::path(
    tag = "assistant",
    params(Id<ConversationId>, IfMatch),
    responses(
        (status = 200, description = "It is deleted", body = Done),
        (status = 404, description = "No such conversation, or not yours"),
        IfMatch,
    ),
    security(("bearer" = ["assistant:use"]))
)]
#[delete("/api/v1/conversations/{id}")]
pub async fn delete_conversation(
    auth: Auth<UseAssistant>,
    services: Shared,
    id: Id<ConversationId>,
    if_match: IfMatch,
) -> Answer {
    let expected = if_match.expected(None)?;
    conversation::delete_conversation(&services.shop, &auth.0, id.0, expected.versions())
        .await
        .map_err(|error| expected.problem(error))?;
    services.chat.running.stop(id.0);
    Ok(HttpResponse::Ok().json(Done { success: true }))
}
