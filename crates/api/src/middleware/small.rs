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

/// Stands outside of the compression and takes the mark away. Caches are told what the answer depends on either way.
pub async fn unmark<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<B>, Error> {
    let mut response = next.call(request).await?;
    let headers = response.headers_mut();
    if headers.get(header::CONTENT_ENCODING).is_some_and(|coding| coding == "identity") {
        headers.remove(header::CONTENT_ENCODING);
        headers.append(header::VARY, HeaderValue::from_static("accept-encoding"));
    }
    Ok(response)
}
