//! One line and two metrics per request, and `Server-Timing`.

use std::{fmt, net::IpAddr, time::Duration};

use actix_web::{
    dev::{RequestHead, ResponseHead},
    http::header::{HeaderName, HeaderValue},
};
use domain::Actor;

use crate::{context::Context, header_text::written, routes::Found, tally};

/// Logs and counts the answer to a request of this caller, and tells how long it took.
pub fn line(head: &mut ResponseHead, request: &RequestHead, actor: Option<&Actor>, context: &Context) {
    let status = head.status;
    let duration = context.started.elapsed();
    let who = actor.and_then(Actor::principal).map(|who| (who.user, who.impersonator));
    let method = known(request.method.as_str());
    match &context.found {
        Found::Operation(operation) => operation.tally.count(&operation.template, method, status, duration),
        _ => tally::count_unmatched(method, status, duration),
    }
    tracing::info!(
        target: "souk::access",
        requestId = &*context.id,
        method,
        path = request.uri.path(),
        route = context.template(),
        status = status.as_u16(),
        durationMs = f64::from(micros(duration)) / 1000.0,
        userId = who.map(|(user, _)| tracing::field::display(user)),
        impersonatorId = who.and_then(|(_, by)| by).map(tracing::field::display),
        client = %Address(context.client),
        "request"
    );
    head.headers_mut().insert(HeaderName::from_static("server-timing"), server_timing(duration));
}

/// The time until the head of the answer, in milliseconds.
fn server_timing(time: Duration) -> HeaderValue {
    let hundredths = micros(time) / 10;
    let value = written(format_args!("total;dur={}.{:02}", hundredths / 100, hundredths % 100));
    value.unwrap_or_else(|| HeaderValue::from_static("total"))
}

/// Whole microseconds, of which an hour has fewer than fit.
fn micros(time: Duration) -> u32 {
    u32::try_from(time.as_micros()).unwrap_or(u32::MAX)
}

/// An address as it is logged. That of the library costs as much as all else of a line: it may be padded.
struct Address(IpAddr);

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let IpAddr::V4(address) = self.0 else { return self.0.fmt(f) };
        let (mut text, mut length) = ([0; "255.255.255.255".len()], 0);
        let mut places = text.iter_mut();
        let mut put = |byte: u8| {
            if let Some(place) = places.next() {
                (*place, length) = (byte, length + 1);
            }
        };
        for (number, octet) in address.octets().into_iter().enumerate() {
            if number > 0 {
                put(b'.');
            }
            for (unit, least) in [(100, 100), (10, 10), (1, 0)] {
                if octet >= least {
                    put(b'0' + octet / unit % 10);
                }
            }
        }
        f.write_str(text.get(..length).and_then(|text| str::from_utf8(text).ok()).unwrap_or_default())
    }
}

/// The method, or `OTHER`: a label must not be a client's to invent.
fn known(method: &str) -> &'static str {
    ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"]
        .into_iter()
        .find(|known| *known == method)
        .unwrap_or("OTHER")
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, Ipv6Addr};

    use super::*;

    #[test]
    fn an_address_is_logged_as_it_is_written_everywhere() {
        for octet in 0..=255 {
            let address = IpAddr::from([octet, 255 - octet, 10, octet / 2]);
            assert_eq!(Address(address).to_string(), address.to_string());
        }
        for address in [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)] {
            assert_eq!(Address(address).to_string(), address.to_string());
        }
    }
}
