//! The id of each request, the address of its client and its operation.

use std::{net::IpAddr, sync::Arc, time::Instant};

use actix_web::{
    dev::{RequestHead, ServiceRequest},
    http::header::{HeaderMap, HeaderName, HeaderValue},
    web::Data,
};
use domain::Shop;
use uuid::Uuid;

use crate::{
    address,
    context::Context,
    routes::{Found, Routes},
    services::Services,
};

/// The name of the header that carries the id of a request.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The header by which tracing systems join calls (W3C Trace Context).
const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

/// What is known of a request from its begin.
pub fn context(request: &ServiceRequest) -> Context {
    let services = request.app_data::<Data<Services>>();
    let routes = request.app_data::<Data<Routes>>();
    let found = routes.map_or(Found::Nothing, |routes| routes.find(request.method(), request.path()));
    Context::of(request.head(), services.map(|services| &***services), found)
}

impl Context {
    /// The same, where it is known what the request is.
    pub(crate) fn of(head: &RequestHead, services: Option<&Services>, found: Found) -> Self {
        let trusted = services.map_or(&[][..], |services| &services.settings.trusted_proxies);
        let peer = head.peer_addr.map_or(IpAddr::from([0, 0, 0, 0]), |peer| peer.ip());
        let given = given_id(head.headers()).map(Arc::from);
        Self {
            id: given.or_else(|| services.map(|services| new_id(&services.shop))).unwrap_or_default(),
            client: address::client(peer, head.headers(), trusted),
            found,
            started: Instant::now(),
        }
    }
}

/// Tells the id with the answer.
pub fn tell(headers: &mut HeaderMap, context: &Context) {
    let id = HeaderValue::from_str(&context.id).unwrap_or_else(|_| HeaderValue::from_static("invalid"));
    headers.insert(REQUEST_ID, id);
}

fn new_id(shop: &Shop) -> Arc<str> {
    let mut text = Uuid::encode_buffer();
    Arc::from(&*shop.id::<Uuid>().hyphenated().encode_lower(&mut text))
}

/// The id a client or a proxy gave: `X-Request-Id` when it is safe to log, else the trace id of `traceparent`.
fn given_id(headers: &HeaderMap) -> Option<String> {
    let text = |name: HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    let safe = |id: &&str| {
        (1..=128).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.:/+=@".contains(&b))
    };
    if let Some(id) = text(REQUEST_ID).filter(safe) {
        return Some(id.to_owned());
    }
    let mut parts = text(TRACEPARENT)?.split('-');
    let (version, trace) = (parts.next()?, parts.next()?);
    let hex = |text: &str| text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
    let holds = version.len() == 2
        && hex(version)
        && version != "ff"
        && trace.len() == 32
        && hex(trace)
        && trace.bytes().any(|b| b != b'0');
    holds.then(|| trace.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(name: &'static str, value: &str) -> Option<String> {
        let mut headers = HeaderMap::new();
        headers.insert(HeaderName::from_static(name), HeaderValue::from_str(value).unwrap());
        given_id(&headers)
    }

    #[test]
    fn a_safe_id_is_kept_and_an_unsafe_one_is_not() {
        assert_eq!(id("x-request-id", "abc-1").as_deref(), Some("abc-1"));
        assert_eq!(id("x-request-id", "a b"), None);
        assert_eq!(id("x-request-id", &"a".repeat(129)), None);
    }

    #[test]
    fn the_trace_of_a_caller_becomes_the_id() {
        let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
        assert_eq!(id("traceparent", &format!("00-{trace}-00f067aa0ba902b7-01")).as_deref(), Some(trace));
        assert_eq!(id("traceparent", &format!("00-{}-00f067aa0ba902b7-01", "0".repeat(32))), None);
    }
}
