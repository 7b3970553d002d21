//! Answers: asked for, resumed and stopped.

use std::sync::Arc;

use actix_web::{
    HttpMessage as _, HttpRequest, HttpResponse, delete, get,
    http::{
        StatusCode,
        header::{HeaderName, HeaderValue},
    },
    post,
    web::{Bytes, Payload},
};
use domain::{
    assistant::conversation::{MessageState, begin_turn, stop_answer},
    permission::UseAssistant,
};
use futures_util::stream;

use super::{asked, distant, dto::ChatBody, parameters::ChatId, refusal::denied, running};
use crate::{
    Answer, Services, Shared,
    auth::Auth,
    body::{JsonBody, read_bytes},
    context::Context,
    done::Done,
    problem::Problem,
    spoken::{begun, streamed},
};

/// Asks for the next answer of a conversation, as `useChat` does with its usual transport.
///
/// A conversation that is not there is begun. What is stored is the truth: of all messages that are sent the last one of the user is taken
/// and no other; `messageId` names the question or answer whose place is taken, which stays as another branch. The answer comes in the UI
/// message stream protocol; one that is not whole ends with an `error`. When its reader goes away the answer ends, unless `resumable` is
/// true: then it goes on, and `GET /api/v1/chat/{chatId}/stream` reads it. A question that no model answered leaves no trace.
#[utoipa::path(
    tag = "assistant",
    request_body = ChatBody,
    responses(
        (
            status = 200, description = "The answer, as it is said", content_type = "text/event-stream", body = String,
            headers(("x-vercel-ai-ui-message-stream" = String, description = "The version of the protocol, `v1`")),
            example = json!("data: {\"type\":\"text-delta\",\"id\":\"1\",\"delta\":\"Hello\"}\n\n")
        ),
        (status = 404, description = "There is no such message"),
        (status = 409, description = "The conversation has too many messages, or was begun just now"),
        (status = 413, description = "The question has too many bytes"),
        (status = 422, description = "The provider will not answer that"),
        (status = 429, description = "Too many questions, or a budget has no room"),
        (status = 502, description = "The provider failed"),
        (status = 503, description = "There is no provider, or none that answers"),
        (status = 504, description = "The provider took too long"),
    ),
    security(("bearer" = ["assistant:use"]))
)]
#[post("/api/v1/chat")]
pub async fn create_chat_answer(
    auth: Auth<UseAssistant>,
    services: Shared,
    request: HttpRequest,
    payload: Payload,
) -> Answer {
    let body = read_body(&services, &request, payload).await?;
    let asked = body.read(|fields| asked::read(fields, &services.shop.rules.media_url))?;
    drop(body);
    let id = request.extensions().get::<Context>().map(|context| Arc::clone(&context.id)).unwrap_or_default();
    let (talks, shop) = (&services.chat.talks, &services.shop);
    let begun = begin_turn(talks, shop, &auth.0, &id, asked.ask).await;
    let (turn, message) = begun.map_err(|why| denied(why, shop.now()))?;
    let whose = running::For { by: auth.0, request: id };
    let reading = running::begin(&services, whose, turn, message, asked.outlasts);
    Ok(told(&request, Reading::Here(reading), &services))
}

/// Reads the answer of a conversation that is under way, from its begin, on whichever node it is made.
#[utoipa::path(
    tag = "assistant",
    params(ChatId),
    responses(
        (
            status = 200, description = "The answer from its begin, and as it is said on", content_type = "text/event-stream",
            body = String,
            headers(("x-vercel-ai-ui-message-stream" = String, description = "The version of the protocol, `v1`")),
            example = json!("data: {\"type\":\"text-delta\",\"id\":\"1\",\"delta\":\"Hello\"}\n\n")
        ),
        (status = 204, description = "Nothing is under way"),
        (status = 404, description = "No such conversation, or not yours"),
    ),
    security(("bearer" = ["assistant:use"]))
)]
#[get("/api/v1/chat/{chatId}/stream")]
pub async fn resume_chat_answer(
    auth: Auth<UseAssistant>,
    services: Shared,
    chat: ChatId,
    request: HttpRequest,
) -> Answer {
    let conversation = services.named_conversation(&auth.0, &chat.0).await?.id;
    if let Some(reading) = services.chat.running.join(conversation) {
        return Ok(told(&request, Reading::Here(reading), &services));
    }
    let open = services.chat.talks.queries.streaming(conversation).await?;
    match open.filter(|message| message.state_at(services.shop.now()) == MessageState::Streaming) {
        Some(message) => {
            let reading = distant::Reading::begin(&services, &message).await;
            Ok(told(&request, Reading::Elsewhere(reading), &services))
        }
        None => Ok(HttpResponse::NoContent().finish()),
    }
}

/// Ends the answer of a conversation that is under way, on whichever node it is made. What was said of it stays.
#[utoipa::path(
    tag = "assistant",
    params(ChatId),
    responses(
        (status = 200, description = "Nothing is under way any more", body = Done),
        (status = 404, description = "No such conversation, or not yours"),
    ),
    security(("bearer" = ["assistant:use"]))
)]
#[delete("/api/v1/chat/{chatId}/stream")]
pub async fn stop_chat_answer(auth: Auth<UseAssistant>, services: Shared, chat: ChatId) -> Answer {
    let conversation = services.named_conversation(&auth.0, &chat.0).await?.id;
    stop_answer(&services.shop, services.chat.talks.queries.as_ref(), &auth.0, conversation).await?;
    services.chat.running.stop(conversation);
    Ok(HttpResponse::Ok().json(Done { success: true }))
}

/// Reads a body within its bounds of type, length and time.
pub(crate) async fn read_body(services: &Shared, request: &HttpRequest, payload: Payload) -> Result<JsonBody, Problem> {
    if let Some(problem) = crate::body::wrong_type(request) {
        return Err(problem);
    }
    let read = read_bytes(request, payload.into_inner(), services.assistant.body_limit);
    let bytes = tokio::time::timeout(services.settings.timeout, read).await;
    let late = |_| Problem::new(StatusCode::REQUEST_TIMEOUT, "The body took too long");
    Ok(JsonBody::standing_for(bytes.map_err(late)??.to_vec()))
}

/// Somebody who reads an answer.
enum Reading {
    Here(running::Reading),
    Elsewhere(distant::Reading),
}

impl Reading {
    async fn next(&mut self) -> Option<String> {
        match self {
            Self::Here(reading) => reading.next().await,
            Self::Elsewhere(reading) => reading.next().await,
        }
    }
}

fn told(request: &HttpRequest, reading: Reading, services: &Services) -> HttpResponse {
    let pieces = stream::unfold(reading, |mut reading| async move {
        reading.next().await.map(|piece| (Bytes::from(piece), reading))
    });
    let mut answer = streamed(begun(request), pieces, Arc::clone(&services.shop.clock));
    let version = (HeaderName::from_static("x-vercel-ai-ui-message-stream"), HeaderValue::from_static("v1"));
    answer.headers_mut().insert(version.0, version.1);
    answer
}
