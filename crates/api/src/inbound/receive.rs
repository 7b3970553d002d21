//! Where webhooks come in: nobody signs in here, for each call is signed by itself.

use actix_web::{
    HttpRequest, HttpResponse,
    http::{
        StatusCode,
        header::{self, HeaderValue},
    },
    post,
    web::{Path, Payload},
};
use domain::{
    Error,
    inbound::{Disbelief, Received, receive_hook as receive},
};

use super::view::ReceiptView;
use crate::{Answer, Shared, body::read_bytes, problem::Problem};

/// Takes a webhook.
///
/// Its signature is verified over the very bytes of the body, by the scheme of its source. It is stored, with the job that handles it, before
/// it is answered: whoever hears 2xx need not send it again. What is known already is answered with 200 and does nothing; of
/// a call that is not believed nothing is stored.
#[utoipa::path(
    tag = "webhooks",
    params(("source" = String, Path, description = "Who sends it, as the operator named them", example = "clerk")),
    request_body(
        content = Object,
        description = "The bytes as they were signed; of any type",
        content_type = "application/json",
        example = json!({"type": "user.created", "data": {"id": "user_29w83sxmDNGwOuEthce5gg56FcC"}})
    ),
    responses(
        (status = 202, description = "It is stored, and will be handled", body = ReceiptView),
        (status = 200, description = "It had come before", body = ReceiptView),
        (status = 401, description = "It is not signed, or not by its sender, or for another time; `details.reason` says which: \
            signature_missing, signature_malformed, signature_too_old, signature_too_early, signature_wrong"),
        (status = 404, description = "No such source"),
        (status = 413, description = "The body has more bytes than its source may send"),
    )
)]
#[post("/api/v1/hooks/{source}")]
pub async fn receive_hook(request: HttpRequest, services: Shared, source: Path<String>, payload: Payload) -> Answer {
    let source = services.hooks.sources.get(&source).ok_or(Error::NotFound("Source"))?;
    let told = |answer: &'static str| {
        metrics::counter!("inbound_calls_total", "source" => source.name.clone(), "answer" => answer).increment(1);
    };
    let body = read_bytes(&request, payload.into_inner(), source.most).await.inspect_err(|_| told("unread"))?;
    // A value that is no text is none of a signature.
    let headers = request.headers().iter().filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)));
    let headers: Vec<(&str, &str)> = headers.collect();
    let believed = source.believe(&headers, body.into(), services.shop.now()).map_err(|why| {
        told(why.reason());
        refused(&why)
    })?;
    let Received { id, known } = receive(&services.shop, &believed).await.inspect_err(|_| told("failed"))?;
    told(if known { "known" } else { "stored" });
    let view = ReceiptView { id: id.0, known };
    Ok(if known { HttpResponse::Ok().json(view) } else { HttpResponse::Accepted().json(view) })
}

fn refused(why: &Disbelief) -> Problem {
    Problem::new(StatusCode::UNAUTHORIZED, why.to_string())
        .detail("reason", why.reason().into())
        .header(header::WWW_AUTHENTICATE, HeaderValue::from_static("Signature"))
}
