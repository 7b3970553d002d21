//! Confirming what a tool proposed.

use actix_web::{HttpResponse, post};
use domain::{Actor, Error, assistant::tools::Outcome, permission::UseAssistant};
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::dto::ConfirmationBody;
use crate::{
    Answer, Shared,
    auth::Auth,
    body::{Fields, JsonBody},
};

/// What was done.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ChatConfirmed)]
pub struct ConfirmedView {
    /// What the tool gave.
    #[schema(value_type = Object)]
    pub output: Value,
}

fn confirmation(fields: &mut Fields<'_>) -> Option<(String, Map<String, Value>, String)> {
    let tool = fields.text("tool");
    let (arguments, word) = (fields.object("arguments"), fields.text("confirmation"));
    if fields.violations.is_empty() {
        let there = [(tool.is_some(), "/tool"), (arguments.is_some(), "/arguments"), (word.is_some(), "/confirmation")];
        for (_, name) in there.into_iter().filter(|(is_there, _)| !is_there) {
            fields.violations.missing::<()>(name);
        }
    }
    Some((tool?, arguments?, word?))
}

/// Does what a tool proposed in a conversation: the person says so, a model cannot. Confirmed again, it is not done again.
#[utoipa::path(
    tag = "assistant",
    request_body = ConfirmationBody,
    responses(
        (status = 200, description = "It is done", body = ConfirmedView),
        (status = 404, description = "There is no such tool"),
        (status = 409, description = "Something is in the way, such as a name that is taken"),
    ),
    security(("bearer" = ["assistant:use"]))
)]
#[post("/api/v1/chat/confirmations")]
pub async fn confirm_chat_tool(auth: Auth<UseAssistant>, services: Shared, body: JsonBody) -> Answer {
    let (tool, arguments, word) = body.read(confirmation)?;
    let tools = services.chat.talks.tools.as_ref().ok_or(Error::NotFound("Tool"))?;
    let actor = Actor::Signed(auth.0.principal().clone());
    match tools.confirm(&actor, &tool, &arguments.into(), &word).await? {
        Outcome::Done(output) => Ok(HttpResponse::Ok().json(ConfirmedView { output })),
        Outcome::Refused(error) => Err(error.into()),
        Outcome::Proposed(_) => Err(Error::internal("a confirmed tool proposes").into()),
    }
}
