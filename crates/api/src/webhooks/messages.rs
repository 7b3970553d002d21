//! Messages: what became of them, and sending them again.

use actix_web::{HttpResponse, get, post};
use domain::{
    Error,
    id::{EndpointId, WebhookMessageId},
    permission::ManageWebhooks,
    webhooks::{self, QUEUED},
};

use super::dto::{
    AttemptView, MessageSummaryView, MessageView, MessagesParams, QueuedView, RecoverBody, RecoveredView, TestBody,
    since, tested,
};
use crate::{
    Answer, Shared,
    auth::Auth,
    body::JsonBody,
    done::Done,
    page::{PageParams, PageView},
    path::{Id, MessageId},
    query::Params,
};

/// Sends a webhook endpoint an example of an event, like any other message.
#[utoipa::path(
    tag = "webhooks",
    request_body = TestBody,
    params(Id<EndpointId>),
    responses(
        (status = 202, description = "It will be sent", body = QueuedView),
        (status = 404, description = "No such endpoint, or not yours"),
        (status = 409, description = "The endpoint is off"),
    ),
    security(("bearer" = ["webhooks:manage"]))
)]
#[post("/api/v1/webhooks/endpoints/{id}/test")]
pub async fn test_webhook_endpoint(
    auth: Auth<ManageWebhooks>,
    services: Shared,
    id: Id<EndpointId>,
    body: JsonBody,
) -> Answer {
    let kind = body.read(tested)?;
    let wording = services.webhooks.wording.as_ref();
    let message = webhooks::send_test(&services.shop, wording, &auth.0, id.0, kind).await?;
    services.bus.publish(QUEUED, b"");
    Ok(HttpResponse::Accepted().json(QueuedView { message_id: message.0 }))
}

/// Sends again all messages of a webhook endpoint that were given up, of the last 14 days at most, each under the id it had.
#[utoipa::path(
    tag = "webhooks",
    request_body = RecoverBody,
    params(Id<EndpointId>),
    responses(
        (status = 202, description = "They will be sent", body = RecoveredView),
        (status = 404, description = "No such endpoint, or not yours"),
        (status = 409, description = "The endpoint is off"),
    ),
    security(("bearer" = ["webhooks:manage"]))
)]
#[post("/api/v1/webhooks/endpoints/{id}/recover")]
pub async fn recover_webhook_messages(
    auth: Auth<ManageWebhooks>,
    services: Shared,
    id: Id<EndpointId>,
    body: JsonBody,
) -> Answer {
    let since = body.read(since)?;
    let messages = webhooks::recover_messages(&services.shop, &auth.0, id.0, since).await?;
    services.bus.publish(QUEUED, b"");
    Ok(HttpResponse::Accepted().json(RecoveredView { messages }))
}

/// Lists the messages of a webhook endpoint, the newest first. They are kept for 90 days, unless the operator says otherwise.
#[utoipa::path(
    tag = "webhooks",
    params(Id<EndpointId>, MessagesParams),
    responses(
        (status = 200, description = "The messages", body = PageView<MessageSummaryView>),
        (status = 404, description = "No such endpoint, or not yours"),
    ),
    security(("bearer" = ["webhooks:manage"]))
)]
#[get("/api/v1/webhooks/endpoints/{id}/messages")]
pub async fn list_webhook_messages(
    auth: Auth<ManageWebhooks>,
    services: Shared,
    id: Id<EndpointId>,
    params: Params<MessagesParams>,
) -> Answer {
    services.own_endpoint(&auth.0, id.0).await?;
    let (filter, page) = params.0.asked();
    let found = services.webhooks.queries.messages(id.0, filter, page).await?;
    Ok(HttpResponse::Ok().json(PageView::from(found.map(|one| MessageSummaryView::from(&one)))))
}

/// Reads a message of a webhook endpoint.
#[utoipa::path(
    tag = "webhooks",
    params(Id<EndpointId>, MessageId<WebhookMessageId>),
    responses(
        (status = 200, description = "The message", body = MessageView),
        (status = 404, description = "No such message, or not yours"),
    ),
    security(("bearer" = ["webhooks:manage"]))
)]
#[get("/api/v1/webhooks/endpoints/{id}/messages/{messageId}")]
pub async fn get_webhook_message(
    auth: Auth<ManageWebhooks>,
    services: Shared,
    id: Id<EndpointId>,
    message: MessageId<WebhookMessageId>,
) -> Answer {
    services.own_endpoint(&auth.0, id.0).await?;
    let found = services.webhooks.queries.message(id.0, message.0).await?;
    let found = found.ok_or(Error::NotFound("Webhook message"))?;
    let view = MessageView::of(&found).ok_or_else(|| Error::internal("a webhook message is no JSON"))?;
    Ok(HttpResponse::Ok().json(view))
}

/// Lists the attempts at a message of a webhook endpoint, the latest first.
#[utoipa::path(
    tag = "webhooks",
    params(Id<EndpointId>, MessageId<WebhookMessageId>, PageParams),
    responses(
        (status = 200, description = "The attempts", body = PageView<AttemptView>),
        (status = 404, description = "No such message, or not yours"),
    ),
    security(("bearer" = ["webhooks:manage"]))
)]
#[get("/api/v1/webhooks/endpoints/{id}/messages/{messageId}/attempts")]
pub async fn list_webhook_attempts(
    auth: Auth<ManageWebhooks>,
    services: Shared,
    id: Id<EndpointId>,
    message: MessageId<WebhookMessageId>,
    page: Params<PageParams>,
) -> Answer {
    services.own_endpoint(&auth.0, id.0).await?;
    let (queries, message) = (&services.webhooks.queries, message.0);
    queries.message(id.0, message).await?.ok_or(Error::NotFound("Webhook message"))?;
    let found = queries.attempts(message, page.0.request()).await?;
    Ok(HttpResponse::Ok().json(PageView::from(found.map(|one| AttemptView::from(&one)))))
}

/// Sends a message of a webhook endpoint again, whether it arrived or was given up, under the id it had.
#[utoipa::path(
    tag = "webhooks",
    params(Id<EndpointId>, MessageId<WebhookMessageId>),
    responses(
        (status = 202, description = "It will be sent", body = Done),
        (status = 404, description = "No such message, or not yours"),
        (status = 409, description = "It is on its way already, or the endpoint is off"),
    ),
    security(("bearer" = ["webhooks:manage"]))
)]
#[post("/api/v1/webhooks/endpoints/{id}/messages/{messageId}/resend")]
pub async fn resend_webhook_message(
    auth: Auth<ManageWebhooks>,
    services: Shared,
    id: Id<EndpointId>,
    message: MessageId<WebhookMessageId>,
) -> Answer {
    webhooks::resend_message(&services.shop, &auth.0, id.0, message.0).await?;
    services.bus.publish(QUEUED, b"");
    Ok(HttpResponse::Accepted().json(Done { success: true }))
}
