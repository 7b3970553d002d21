//! The last word on errors: every answer that is one gets its body, with the id of the request.

use std::sync::Arc;

use actix_web::{
    HttpMessage,
    body::{BoxBody, MessageBody},
    dev::ServiceResponse,
    http::header::{self, HeaderMap, HeaderName, HeaderValue},
};

use crate::{context::Context, lfs, mcp, openai, problem::Problem};

/// What makes a client of Git LFS ask its user who they are.
const LFS_AUTHENTICATE: HeaderName = HeaderName::from_static("lfs-authenticate");

/// Marks an answer that has its error body.
struct Presented;

/// Gives every answer that is an error its body, with the id of the request, in the form the client accepts.
/// The chain of causes of a fault of ours is logged here, once.
pub fn present<B: MessageBody + 'static>(response: ServiceResponse<B>) -> ServiceResponse<BoxBody> {
    let status = response.status();
    if !(status.is_client_error() || status.is_server_error())
        || response.response().extensions().get::<Presented>().is_some()
    {
        return response.map_into_boxed_body();
    }
    let (request, mut response) = response.into_parts();
    let foreign;
    let problem = match response.error().and_then(|error| error.as_error::<Problem>()) {
        Some(problem) => problem,
        // An error body of a handler's own, such as that of `/ready`, or of a lock that somebody has.
        None if response.error().is_none()
            && response
                .headers()
                .get(header::CONTENT_TYPE)
                .is_some_and(|kind| status.is_server_error() || kind == lfs::JSON) =>
        {
            return ServiceResponse::new(request, response.map_into_boxed_body());
        }
        None => {
            foreign = Problem::of_framework(status, response.error());
            &foreign
        }
    };
    let id = request.extensions().get::<Context>().map(|context| Arc::clone(&context.id)).unwrap_or_default();
    if status.is_server_error() {
        tracing::error!(
            requestId = %id, status = status.as_u16(), code = problem.code(), error = %problem.cause(), "request failed"
        );
    }
    let wants_problem = accepts_problem_json(request.headers());
    let (body, content_type) = if request.path().starts_with(lfs::BELOW) {
        (serde_json::json!({ "message": problem.message(), "request_id": *id }).to_string().into_bytes(), lfs::JSON)
    } else if request.path().starts_with(openai::BELOW) {
        (openai::error_body(problem), "application/json")
    } else if request.path() == mcp::PATH {
        (mcp::error_body(problem), "application/json")
    } else if wants_problem {
        (problem.problem_json(&id), "application/problem+json")
    } else {
        (problem.body(&id), "application/json")
    };
    if content_type == lfs::JSON {
        response.headers_mut().insert(LFS_AUTHENTICATE, HeaderValue::from_static("Basic realm=\"Git LFS\""));
    }
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response.extensions_mut().insert(Presented);
    ServiceResponse::new(request, response.set_body(body).map_into_boxed_body())
}

fn accepts_problem_json(headers: &HeaderMap) -> bool {
    headers
        .get_all(header::ACCEPT)
        .filter_map(|line| line.to_str().ok())
        .any(|line| line.split(',').any(|part| part.trim().starts_with("application/problem+json")))
}
