//! Which versions of a prompt serve, and going back.

use actix_web::{HttpResponse, get, post, put};
use domain::{
    assistant::prompts,
    permission::{UseAssistant, WritePrompts},
};

use super::{
    dto::{PromptView, SplitBody, SplitView, new_split},
    parameters::PromptName,
};
use crate::{
    Answer, Shared,
    auth::Auth,
    body::JsonBody,
    etag::{self, IfMatch},
    page::{PageParams, PageView},
    query::Params,
};

/// Lists the splits of a prompt, the latest first: which versions served from when on, and who said so.
#[utoipa::path(
    tag = "assistant",
    params(PromptName, PageParams),
    responses(
        (status = 200, description = "The splits", body = PageView<SplitView>),
        (status = 404, description = "No such prompt"),
    ),
    security(("bearer" = ["assistant:use"]))
)]
#[get("/api/v1/assistant/prompts/{name}/splits")]
pub async fn list_prompt_splits(
    _auth: Auth<UseAssistant>,
    services: Shared,
    path: PromptName,
    params: Params<PageParams>,
) -> Answer {
    let prompts = &services.assistant.prompts;
    let prompt = prompts.named(&path.name).await?;
    let found = prompts.queries.splits(prompt.id, params.0.request()).await?;
    Ok(HttpResponse::Ok().json(PageView::from(found.map(|split| SplitView::from(&split)))))
}

/// Says which versions serve from now on, and how often each. Who asks meets the same version while the split holds.
#[utoipa::path(
    tag = "assistant",
    request_body = SplitBody,
    params(PromptName, IfMatch),
    responses(
        (status = 200, description = "The prompt", body = PromptView, headers(("ETag" = String, description = "Its version, for If-Match"))),
        (status = 404, description = "No such prompt"),
        IfMatch,
    ),
    security(("bearer" = ["prompts:write"]))
)]
#[put("/api/v1/assistant/prompts/{name}/split")]
pub async fn set_prompt_split(
    auth: Auth<WritePrompts>,
    services: Shared,
    path: PromptName,
    if_match: IfMatch,
    body: JsonBody,
) -> Answer {
    let shares = body.read(|fields| new_split(fields)?.check(&mut fields.violations))?;
    let expected = if_match.expected(None)?;
    let changed = prompts::set_split(&services.shop, &auth.0, &path.name, shares, expected.versions()).await;
    let changed = changed.map_err(|error| expected.problem(error))?;
    etag::changed(changed.version, &PromptView::from(&changed))
}

/// Goes back to the split before the one that holds; again, to the one before that.
#[utoipa::path(
    tag = "assistant",
    params(PromptName, IfMatch),
    responses(
        (status = 200, description = "The prompt", body = PromptView, headers(("ETag" = String, description = "Its version, for If-Match"))),
        (status = 404, description = "No such prompt"),
        (status = 409, description = "No split was set before the one that holds"),
        IfMatch,
    ),
    security(("bearer" = ["prompts:write"]))
)]
#[post("/api/v1/assistant/prompts/{name}/rollback")]
pub async fn roll_prompt_back(
    auth: Auth<WritePrompts>,
    services: Shared,
    path: PromptName,
    if_match: IfMatch,
) -> Answer {
    let expected = if_match.expected(None)?;
    let changed = prompts::roll_back(&services.shop, &auth.0, &path.name, expected.versions()).await;
    let changed = changed.map_err(|error| expected.problem(error))?;
    etag::changed(changed.version, &PromptView::from(&changed))
}
