//! Leaves small answers uncompressed: below about a packet, coding costs time and saves nothing.

use actix_web::{
    Error,
    body::{BodySize, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    http::header::{self, HeaderValue},
    middleware::Next,
};

/// Answers of fewer bytes are sent as they are.
const LEAST: u64 = 1024;

/// Whether a request says anything of codings; to one that does not the answer goes as it is.
pub fn asked(request: &ServiceRequest) -> bool {
    request.headers().contains_key(header::ACCEPT_ENCODING)
}

/// Stands inside of the compression and marks what it leaves alone. What comes compressed keeps the name of its coding.
pub async fn mark<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<B>, Error> {
    let mut response = next.call(request).await?;
    let coded = response.headers().contains_key(header::CONTENT_ENCODING);
    if !coded && matches!(response.response().body().size(), BodySize::Sized(size) if size < LEAST) {
        response.headers_mut().insert(header::CONTENT_ENCODING, HeaderValue::from_static("identity"));
    }
    Ok(response)
}

/// Stands outside of the compression and takes the mark away.
pub async fn unmark<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<B>, Error> {
    let mut response = next.call(request).await?;
    let headers = response.headers_mut();
    if headers.get(header::CONTENT_ENCODING).is_some_and(|coding| coding == "identity") {
        headers.remove(header::CONTENT_ENCODING);
    }
    Ok(response)
}
