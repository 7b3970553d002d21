//! Secrets of endpoints.

use actix_web::{HttpResponse, get, http::StatusCode, post};
use domain::{
    Error,
    id::EndpointId,
    permission::ManageWebhooks,
    webhooks::{self, SecretText, seal_context},
};

use super::dto::{RotateBody, SecretView, rotated};
use crate::{
    Answer, Shared,
    auth::Auth,
    body::JsonBody,
    fresh::FreshAuth,
    idempotency::{Keyed, reply},
    path::Id,
};

/// Shows what the receiver of a webhook endpoint verifies with. Asks for a fresh proof of who one is.
#[utoipa::path(
    tag = "webhooks",
    params(Id<EndpointId>),
    responses(
        (status = 200, description = "The present secret, or the public key", body = SecretView),
        (status = 404, description = "No such endpoint, or not yours"),
    ),
    security(("bearer" = ["webhooks:manage"]))
)]
#[get("/api/v1/webhooks/endpoints/{id}/secret")]
pub async fn get_webhook_secret(auth: FreshAuth<ManageWebhooks>, services: Shared, id: Id<EndpointId>) -> Answer {
    services.own_endpoint(auth.0.authorized(), id.0).await?;
    let present = services.webhooks.queries.secrets(id.0).await?.into_iter().next();
    let present = present.ok_or(Error::NotFound("Webhook endpoint"))?;
    let keyring = &services.webhooks.keyring;
    let plain = keyring.sealer.open(&seal_context(id.0), &present.sealed)?;
    let text = SecretText::new(String::from_utf8(plain).map_err(Error::internal)?);
    let secret = Some(keyring.signer.shown(&text)?.expose().to_owned());
    Ok(HttpResponse::Ok().insert_header(("Cache-Control", "no-store")).json(SecretView { secret }))
}

/// Gives a webhook endpoint another secret. The one before signs beside it for 24 hours.
#[utoipa::path(
    tag = "webhooks",
    request_body = RotateBody,
    params(Id<EndpointId>, Keyed),
    responses(
        (status = 201, description = "The new secret, or the public key", body = SecretView),
        (status = 404, description = "No such endpoint, or not yours"),
        Keyed,
    ),
    security(("bearer" = ["webhooks:manage"]))
)]
#[post("/api/v1/webhooks/endpoints/{id}/secret/rotate")]
pub async fn rotate_webhook_secret(
    auth: Auth<ManageWebhooks>,
    services: Shared,
    id: Id<EndpointId>,
    keyed: Keyed,
    body: JsonBody,
) -> Answer {
    let algorithm = body.read(rotated)?;
    let answer = |secret: Option<String>| {
        let location = ("Location".to_owned(), format!("/api/v1/webhooks/endpoints/{}/secret", id.0));
        let headers = vec![location, ("Cache-Control".to_owned(), "no-store".to_owned())];
        reply(StatusCode::CREATED, headers, &SecretView { secret })
    };
    let kept = |_: &SecretText| answer(None);
    let shown = |made: &SecretText| answer(Some(made.expose().to_owned()));
    keyed
        .run_shown(&services, "rotate_webhook_secret", &body, kept, shown, async |once| {
            webhooks::rotate_secret(&services.shop, &services.webhooks.keyring, &auth.0, id.0, algorithm, once).await
        })
        .await
}
