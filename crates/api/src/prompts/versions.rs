//! The versions of a prompt. What one says is never changed.

use actix_web::{HttpResponse, get, http::StatusCode, post};
use domain::{
    assistant::prompts::{self, PromptVersion},
    permission::{UseAssistant, WritePrompts},
};

use super::{
    content::{ContentBody, VersionView, new_content},
    parameters::{Number, PromptName},
};
use crate::{
    Answer, Shared,
    auth::Auth,
    body::JsonBody,
    etag::{self, IfNoneMatch},
    idempotency::{Keyed, reply},
    page::{PageParams, PageView},
    query::Params,
};

/// Lists the versions of a prompt, the latest first.
#[utoipa::path(
    tag = "assistant",
    params(PromptName, PageParams),
    responses(
        (status = 200, description = "The versions", body = PageView<VersionView>),
        (status = 404, description = "No such prompt"),
    ),
    security(("bearer" = ["assistant:use"]))
)]
#[get("/api/v1/assistant/prompts/{name}/versions")]
pub async fn list_prompt_versions(
    _auth: Auth<UseAssistant>,
    services: Shared,
    path: PromptName,
    params: Params<PageParams>,
) -> Answer {
    let prompts = &services.assistant.prompts;
    let prompt = prompts.named(&path.name).await?;
    let found = prompts.queries.versions(prompt.id, params.0.request()).await?;
    Ok(HttpResponse::Ok().json(PageView::from(found.map(|version| VersionView::from(&version)))))
}

/// Writes the next version of a prompt. It is tried with samples first: a template that cannot be read, or names what is no variable, is
/// refused. It serves nobody before a split names it.
#[utoipa::path(
    tag = "assistant",
    request_body(content = ContentBody, example = json!({
        "messages": [
            { "role": "system", "template": "You write listings for a marketplace." },
            { "role": "user", "template": "Describe {{ title }}." },
        ],
        "examples": [{ "user": "Describe a pen.", "assistant": "It writes." }],
        "variables": [{ "name": "title", "type": "text", "description": "The name of the product", "maxLength": 200 }],
        "model": "small",
        "temperature": 0.2,
        "maxTokens": 500,
        "reasoning": { "form": "steps" },
    })),
    params(PromptName, Keyed),
    responses(
        (status = 201, description = "The version", body = VersionView, headers(("Location" = String, description = "Where it is"))),
        (status = 404, description = "No such prompt"),
        (status = 409, description = "There are too many versions"),
        Keyed,
    ),
    security(("bearer" = ["prompts:write"]))
)]
#[post("/api/v1/assistant/prompts/{name}/versions")]
pub async fn create_prompt_version(
    auth: Auth<WritePrompts>,
    services: Shared,
    path: PromptName,
    keyed: Keyed,
    body: JsonBody,
) -> Answer {
    let content = body.read(|fields| {
        let input = new_content(fields);
        // What cannot be read is told first.
        if fields.violations.is_empty() { input.check(&mut fields.violations) } else { None }
    })?;
    let content = content.tried(services.assistant.prompts.templates.as_ref()).await?;
    let name = &path.name;
    let render = |one: &PromptVersion| {
        let location = format!("/api/v1/assistant/prompts/{name}/versions/{}", one.number.0);
        reply(StatusCode::CREATED, vec![("Location".to_owned(), location)], &VersionView::from(one))
    };
    keyed
        .run(&services, "create_prompt_version", &body, render, async |once| {
            prompts::write_version(&services.shop, auth.0, name, content, once).await
        })
        .await
}

/// Reads a version of a prompt.
#[utoipa::path(
    tag = "assistant",
    params(PromptName, Number, IfNoneMatch),
    responses(
        (status = 200, description = "The version", body = VersionView),
        (status = 404, description = "No such prompt or version"),
        IfNoneMatch,
    ),
    security(("bearer" = ["assistant:use"]))
)]
#[get("/api/v1/assistant/prompts/{name}/versions/{number}")]
pub async fn get_prompt_version(
    _auth: Auth<UseAssistant>,
    services: Shared,
    path: PromptName,
    number: Number,
    known: IfNoneMatch,
) -> Answer {
    let prompts = &services.assistant.prompts;
    let prompt = prompts.named(&path.name).await?;
    let version = prompts.version(&prompt, number.of()).await?;
    etag::read(&known, None, &VersionView::from(&version))
}
