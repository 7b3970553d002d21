//! Which pages of other origins may call us (SEC-01).

use actix_cors::Cors;
use actix_web::{
    dev::ServiceRequest,
    http::header::{self, HeaderMap},
};

use crate::settings::HttpSettings;

/// What pages may read of an answer beside its body.
const EXPOSED: [&str; 11] = [
    "ETag",
    "Location",
    "RateLimit",
    "RateLimit-Policy",
    "RateLimit-Limit",
    "RateLimit-Remaining",
    "RateLimit-Reset",
    "Retry-After",
    "Server-Timing",
    "X-Request-Id",
    "Idempotency-Replayed",
];

/// What pages may send.
const ACCEPTED: [&str; 12] = [
    "Accept",
    "Authorization",
    "Content-Type",
    "Idempotency-Key",
    "If-Match",
    "If-None-Match",
    "Last-Event-ID",
    "X-CSRF-Token",
    "Souk-Seller",
    "X-Request-Id",
    "traceparent",
    "tracestate",
];

/// Whether a page of another origin may be asking. The answer to everybody else names no origin.
pub fn asked(request: &ServiceRequest) -> bool {
    is_cross_origin(request.headers())
}

/// The same of the headers of a request.
pub fn is_cross_origin(headers: &HeaderMap) -> bool {
    headers.contains_key(header::ORIGIN)
}

/// The layer. An origin that is not listed gets no `Access-Control-Allow-Origin` at all.
pub fn layer(settings: &HttpSettings) -> Cors {
    let listed = settings.allowed_origins.iter().fold(Cors::default(), |cors, origin| cors.allowed_origin(origin));
    listed
        .allowed_methods(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"])
        .allowed_headers(ACCEPTED)
        .expose_headers(EXPOSED)
        .supports_credentials()
        .max_age(86400)
}
