//! Making, finding, changing and deleting prompts.

use actix_web::{HttpResponse, delete, get, patch, post};
use domain::{
    assistant::prompts::{self, Prompt},
    permission::{UseAssistant, WritePrompts},
};

use super::{
    dto::{PromptBody, PromptPatchBody, PromptView, new_prompt, prompt_patch},
    parameters::{PromptName, PromptsParams},
};
use crate::{
    Answer, Shared,
    auth::Auth,
    body::JsonBody,
    done::Done,
    etag::{self, IfMatch, IfNoneMatch},
    idempotency::{Keyed, created},
    page::PageView,
    query::Params,
};

/// Lists prompts by name.
#[utoipa::path(
    tag = "assistant",
    params(PromptsParams),
    responses((status = 200, description = "The prompts", body = PageView<PromptView>)),
    security(("bearer" = ["assistant:use"]))
)]
#[get("/api/v1/assistant/prompts")]
pub async fn list_prompts(_auth: Auth<UseAssistant>, services: Shared, params: Params<PromptsParams>) -> Answer {
    let (archived, page) = params.0.asked();
    let found = services.assistant.prompts.queries.list(archived, page).await?;
    Ok(HttpResponse::Ok().json(PageView::from(found.map(|prompt| PromptView::from(&prompt)))))
}

/// Makes a prompt that says nothing yet. Next come a version, and a split that lets it serve.
#[utoipa::path(
    tag = "assistant",
    request_body = PromptBody,
    params(Keyed),
    responses(
        (status = 201, description = "The prompt", body = PromptView, headers(("ETag" = String, description = "Its version, for If-Match"))),
        (status = 409, description = "The name is taken, or there are too many"),
        Keyed,
    ),
    security(("bearer" = ["prompts:write"]))
)]
#[post("/api/v1/assistant/prompts")]
pub async fn create_prompt(auth: Auth<WritePrompts>, services: Shared, keyed: Keyed, body: JsonBody) -> Answer {
    let new = body.read(|fields| new_prompt(fields).check(&mut fields.violations))?;
    let render =
        |one: &Prompt| created(format!("/api/v1/assistant/prompts/{}", one.name), one.version, &PromptView::from(one));
    keyed
        .run(&services, "create_prompt", &body, render, async |once| {
            prompts::create_prompt(&services.shop, auth.0, new, once).await
        })
        .await
}

/// Reads a prompt.
#[utoipa::path(
    tag = "assistant",
    params(PromptName, IfNoneMatch),
    responses(
        (status = 200, description = "The prompt", body = PromptView),
        (status = 404, description = "No such prompt"),
        IfNoneMatch,
    ),
    security(("bearer" = ["assistant:use"]))
)]
#[get("/api/v1/assistant/prompts/{name}")]
pub async fn get_prompt(_auth: Auth<UseAssistant>, services: Shared, path: PromptName, known: IfNoneMatch) -> Answer {
    let prompt = services.assistant.prompts.named(&path.name).await?;
    etag::read(&known, Some(prompt.version), &PromptView::from(&prompt))
}

/// Changes what a prompt is for, or puts it away.
#[utoipa::path(
    tag = "assistant",
    request_body = PromptPatchBody,
    params(PromptName, IfMatch),
    responses(
        (status = 200, description = "The prompt", body = PromptView, headers(("ETag" = String, description = "Its version, for If-Match"))),
        (status = 404, description = "No such prompt"),
        IfMatch,
    ),
    security(("bearer" = ["prompts:write"]))
)]
#[patch("/api/v1/assistant/prompts/{name}")]
pub async fn update_prompt(
    auth: Auth<WritePrompts>,
    services: Shared,
    path: PromptName,
    if_match: IfMatch,
    body: JsonBody,
) -> Answer {
    let wanted = body.read(|fields| prompt_patch(fields).check(&mut fields.violations))?;
    let expected = if_match.expected(None)?;
    let changed = prompts::update_prompt(&services.shop, &auth.0, &path.name, wanted, expected.versions()).await;
    let changed = changed.map_err(|error| expected.problem(error))?;
    etag::changed(changed.version, &PromptView::from(&changed))
}

/// Deletes a prompt with its versions. One that was asked is put away instead (`archived`), so that what was spent on it keeps its name.
#[utoipa::path(
    tag = "assistant",
    params(PromptName, IfMatch),
    responses(
        (status = 200, description = "It is deleted", body = Done),
        (status = 404, description = "No such prompt"),
        (status = 409, description = "It was asked; put it away instead"),
        IfMatch,
    ),
    security(("bearer" = ["prompts:write"]))
)]
#[delete("/api/v1/assistant/prompts/{name}")]
pub async fn delete_prompt(auth: Auth<WritePrompts>, services: Shared, path: PromptName, if_match: IfMatch) -> Answer {
    let expected = if_match.expected(None)?;
    prompts::delete_prompt(&services.shop, &auth.0, &path.name, expected.versions())
        .await
        .map_err(|error| expected.problem(error))?;
    Ok(HttpResponse::Ok().json(Done { success: true }))
}
