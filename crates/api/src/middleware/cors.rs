//! Which pages of other origins may call us (SEC-01).

use actix_cors::Cors;
use actix_web::{
    dev::ServiceRequest,
    http::header::{self, HeaderMap},
};

use crate::settings::HttpSettings;

/// What pages may read of an answer beside its body.
const EXPOSED: [&str; 22] = [
    "Age",
    "Cache-Status",
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
    "Tus-Resumable",
    "Tus-Version",
    "Tus-Extension",
    "Tus-Max-Size",
    "Tus-Checksum-Algorithm",
    "Upload-Offset",
    "Upload-Length",
    "Upload-Expires",
    "Upload-Metadata",
];

/// What pages may send.
const ACCEPTED: [&str; 22] = [
    "Accept",
    "Authorization",
    "Cache-Control",
    "Content-Type",
    "Idempotency-Key",
    "If-Match",
    "If-None-Match",
    "Last-Event-ID",
    "MCP-Protocol-Version",
    "Mcp-Method",
    "Mcp-Name",
    "X-CSRF-Token",
    "Souk-Seller",
    "Tus-Resumable",
    "Upload-Checksum",
    "Upload-Length",
    "Upload-Metadata",
    "Upload-Offset",
    "X-HTTP-Method-Override",
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
