//! The door for programs that speak the Model Context Protocol: the tools of the assistant, for whoever calls with a token, with an API
//! key or as anybody. It is a foreign protocol with a form of errors of its own (ruling R18), so it stands beside the document.
//!
//! Nothing is kept between two calls, so each may come to another node. What `rmcp` would refuse in words alone is looked at before it
//! (`asked.rs`), and told in the form of the protocol.

mod asked;
mod desk;
mod errors;

use std::sync::Arc;

use actix_web::{
    HttpRequest, HttpResponse,
    http::{Method, header},
    web::{self, Payload},
};
use domain::{Actor, deadline};
use http_body_util::{BodyExt as _, Full};
use rmcp::transport::streamable_http_server::{
    StreamableHttpServerConfig, StreamableHttpService, session::never::NeverSessionManager,
};

use self::desk::Desk;
pub use self::errors::body as error_body;
use crate::{
    Answer, Shared,
    auth::{self, MaybeAuth},
    body::read_bytes,
    csrf,
    problem::Problem,
};

/// Where it is.
pub const PATH: &str = "/mcp";

/// The routes: method, path, operation.
pub const ROUTES: [(Method, &str, &str); 1] = [(Method::POST, PATH, "call_mcp")];

/// Serves it.
pub fn serve(config: &mut web::ServiceConfig) {
    config.route(PATH, web::post().to(receive));
}

/// Takes one message.
async fn receive(caller: MaybeAuth, services: Shared, http: HttpRequest, payload: Payload) -> Answer {
    // A page elsewhere must not speak for whoever runs a browser beside us.
    csrf::origin(http.method(), http.headers(), &services.settings)
        .map_err(|forged| Problem::new(actix_web::http::StatusCode::FORBIDDEN, forged.message()))?;
    if caller.0 == Actor::Anonymous && http.headers().contains_key(header::AUTHORIZATION) {
        // A client whose token is over must get another, rather than be anybody from here on.
        return Err(auth::refusal(&http));
    }
    asked::heads(http.headers())?;
    let bytes = read_bytes(&http, payload.into_inner(), services.settings.body_limit).await?;
    asked::message(&bytes)?;
    // What was asked of which host is no matter of the protocol; it only wants to be told one.
    let mut request = http::Request::post(PATH).header(http::header::HOST, "souk");
    for (name, value) in http.headers() {
        if name.as_str().starts_with("mcp-") || [header::ACCEPT, header::CONTENT_TYPE].contains(name) {
            request = request.header(name.as_str(), value.as_bytes());
        }
    }
    let request = request.body(Full::new(bytes)).map_err(domain::Error::internal)?;
    let now = services.shop.now();
    let desk = Desk {
        toolbox: services.tools.clone(),
        actor: caller.0,
        until: now + deadline::left(now).unwrap_or(services.settings.timeout),
    };
    let service =
        StreamableHttpService::new(move || Ok(desk.clone()), Arc::<NeverSessionManager>::default(), settings());
    answered(service.handle(request).await).await
}

/// Each message stands alone and is answered as a whole. Who may ask was looked at already.
fn settings() -> StreamableHttpServerConfig {
    StreamableHttpServerConfig::default()
        .with_legacy_session_mode(false)
        .with_json_response(true)
        .with_sse_keep_alive(None)
        .disable_allowed_hosts()
        .with_max_request_body_bytes(usize::MAX)
}

/// The answer of the protocol as ours.
async fn answered<B>(response: http::Response<B>) -> Answer
where
    B: http_body::Body<Data = web::Bytes, Error = std::convert::Infallible>,
{
    let (head, body) = response.into_parts();
    let status = actix_web::http::StatusCode::from_u16(head.status.as_u16()).map_err(domain::Error::internal)?;
    let body = match body.collect().await {
        Ok(body) => body.to_bytes(),
        Err(never) => match never {},
    };
    let json = head.headers.get(http::header::CONTENT_TYPE).is_some_and(|kind| kind == "application/json");
    if !(status.is_success() || json) {
        return Err(Problem::new(status, String::from_utf8_lossy(&body).into_owned()));
    }
    let mut answer = HttpResponse::build(status);
    answer.insert_header((header::CACHE_CONTROL, "no-store"));
    if let Some(kind) = head.headers.get(http::header::CONTENT_TYPE) {
        answer.insert_header((header::CONTENT_TYPE, kind.as_bytes()));
    }
    Ok(answer.body(body))
}
