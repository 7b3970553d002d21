//! Headers of every answer: what browsers shall not do (SEC-02), what caches tell apart, and that this node ends (RES-06).

use actix_web::{
    dev::{RequestHead, ResponseHead},
    http::{
        ConnectionType,
        header::{self, HeaderMap, HeaderName, HeaderValue},
    },
};

use super::cors;
use crate::{identity::pages, models3d, services::Services};

/// For answers that no browser should render.
const API_POLICY: HeaderValue = HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'");
/// Swagger UI: its own scripts, inline styles (its code sets style attributes), and calls to this server.
const DOCS_POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
     font-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
);

/// Our own pages: their own scripts and styles from files, and calls to this server.
const PAGE_POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; connect-src 'self'; base-uri 'none'; \
     form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'",
);

/// Adds the headers to an answer to a request.
pub fn add(head: &mut ResponseHead, request: &RequestHead, services: Option<&Services>) {
    let https = services.is_some_and(|services| services.settings.https);
    let draining = services.is_some_and(|services| services.draining.is_on());
    let policy = match request.uri.path() {
        path if path.starts_with("/swagger-ui") => DOCS_POLICY,
        path if path.starts_with("/docs/") || path.starts_with(pages::BELOW) => PAGE_POLICY,
        path if path.starts_with(models3d::page::BELOW) => PAGE_POLICY,
        _ => API_POLICY,
    };
    let cross_origin = cors::is_cross_origin(request.headers());
    let headers = head.headers_mut();
    vary(headers, cross_origin);
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    headers.insert(HeaderName::from_static("cross-origin-opener-policy"), HeaderValue::from_static("same-origin"));
    if https {
        headers
            .insert(header::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=31536000; includeSubDomains"));
    }
    // One that became something else is closed by what it became.
    if draining && head.connection_type() != ConnectionType::Upgrade {
        head.set_connection_type(ConnectionType::Close);
    }
}

/// Tells caches what an answer depends on; of the origin its layer says so when it is asked.
fn vary(headers: &mut HeaderMap, cross_origin: bool) {
    let said = headers.get_all(header::VARY).any(|line| line == "accept-encoding");
    match (said, cross_origin) {
        (false, false) => headers.append(header::VARY, HeaderValue::from_static("accept-encoding, origin")),
        (false, true) => headers.append(header::VARY, HeaderValue::from_static("accept-encoding")),
        (true, false) => headers.append(header::VARY, HeaderValue::from_static("origin")),
        (true, true) => {}
    }
}
