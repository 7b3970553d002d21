//! The tools of the assistant, for a page on which somebody is asked before something is written.

pub mod dto;

use actix_web::{HttpResponse, get, post};
use domain::{
    Actor, Error, Violations,
    assistant::tools::{self, Outcome},
    permission::UseAssistant,
};
use utoipa_actix_web::service_config::ServiceConfig;

use self::dto::{CallBody, CallView, ToolsView, call};
use crate::{
    Answer, Shared,
    acting::ActingFor,
    auth::Auth,
    body::JsonBody,
    problem::{In, Problem},
};

/// The operations of the tools.
pub fn operations(config: &mut ServiceConfig<'_>) {
    config.service(list_assistant_tools).service(call_assistant_tool);
}

/// Lists the tools that the caller may use, each with the JSON Schema of its arguments.
#[utoipa::path(
    tag = "assistant",
    responses((status = 200, description = "The tools", body = ToolsView)),
    security(("bearer" = ["assistant:use"]))
)]
#[get("/api/v1/assistant/tools")]
pub async fn list_assistant_tools(auth: Auth<UseAssistant>, services: Shared) -> Answer {
    let specs = services.tools.specs(&Actor::Signed(auth.0.principal().clone()));
    Ok(HttpResponse::Ok().json(ToolsView::new(&specs)))
}

/// Calls a tool. One that writes proposes first: called again with the same arguments and the confirmation of the proposal it does
/// what was proposed, once.
#[utoipa::path(
    tag = "assistant",
    request_body = CallBody,
    params(ActingFor),
    responses(
        (status = 200, description = "What was found, made or proposed", body = CallView),
        (status = 404, description = "What is asked for is not there, or not for you to see"),
        (status = 409, description = "Something is in the way, such as a sku that is in use"),
    ),
    security(("bearer" = ["assistant:use"]))
)]
#[post("/api/v1/assistant/tools/calls")]
pub async fn call_assistant_tool(
    auth: Auth<UseAssistant>,
    services: Shared,
    _acting: ActingFor,
    body: JsonBody,
) -> Answer {
    let call = body.read(call)?;
    let (toolbox, actor) = (&services.tools, Actor::Signed(auth.0.principal().clone()));
    let arguments = call.arguments.into();
    let outcome = match &call.confirmation {
        None => toolbox.call(&actor, call.tool, &arguments).await?,
        Some(word) => toolbox.confirm(&actor, call.tool, &arguments, word).await?,
    };
    match outcome {
        Outcome::Refused(error) => Err(refused(error)),
        outcome => Ok(HttpResponse::Ok().json(CallView::of(outcome)?)),
    }
}

/// A refusal that names the fields of this door.
fn refused(error: Error) -> Problem {
    let Error::Invalid(violations) = error else { return error.into() };
    let mut here = Violations::default();
    for one in violations.iter() {
        let field = if one.field == "/confirmation" { one.field.clone() } else { format!("/arguments{}", one.field) };
        here.add(field, one.rule, one.message.clone());
    }
    Problem::invalid(In::Body, &here)
}

/// The tool of that name.
fn named(name: &str) -> Option<&'static str> {
    tools::NAMES.into_iter().find(|known| *known == name)
}
