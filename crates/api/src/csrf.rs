//! Against pages that make a browser act with cookies they cannot read (SEC-03).
//!
//! A request that is signed in by cookie counts as such only when it comes from a page of ours. A change needs a token besides, which
//! only a page that can read our cookies has.

use actix_web::http::{
    Method,
    header::{self, HeaderMap, HeaderName},
};
use domain::{
    id::SessionId,
    secrets::{Mac, hex},
};

use crate::settings::HttpSettings;

/// The header with which a page shows that it can read our cookies.
pub const CSRF_HEADER: HeaderName = HeaderName::from_static("x-csrf-token");
const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Why a request does not count as signed in by its cookies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Forged {
    /// A page of another origin sent it.
    Origin,
    /// The token is not that of the session.
    Token,
}

impl Forged {
    /// What the caller is told.
    pub fn message(self) -> &'static str {
        match self {
            Self::Origin => "Pages of this origin may not act with the cookies of this shop",
            Self::Token => "Send the CSRF token of the session as X-CSRF-Token with every change made by cookie",
        }
    }
}

/// The token of a session.
pub fn token(mac: &dyn Mac, session: SessionId) -> String {
    hex(&mac.mac(format!("csrf:{session}").as_bytes()))
}

/// Looks whether a request that is signed in by cookie is meant.
///
/// # Errors
/// Why it does not count.
pub fn check(
    method: &Method,
    headers: &HeaderMap,
    settings: &HttpSettings,
    mac: &dyn Mac,
    session: SessionId,
) -> Result<(), Forged> {
    origin(method, headers, settings)?;
    if is_safe(method) {
        return Ok(());
    }
    let given = headers.get(CSRF_HEADER).map(header::HeaderValue::as_bytes).unwrap_or_default();
    let expected = token(mac, session);
    // Every byte is looked at, so that the time says nothing of how many were right.
    let differs = expected.bytes().zip(given).fold(0, |differs, (one, other)| differs | (one ^ other));
    if expected.len() == given.len() && differs == 0 { Ok(()) } else { Err(Forged::Token) }
}

/// Looks where a request comes from.
///
/// # Errors
/// [`Forged::Origin`].
pub fn origin(method: &Method, headers: &HeaderMap, settings: &HttpSettings) -> Result<(), Forged> {
    if let Some(allowed) = is_of_origin(headers, settings) {
        return if allowed { Ok(()) } else { Err(Forged::Origin) };
    }
    // Browsers that send no origin with what only reads say at least how far away the page is. A program says nothing.
    let site = headers.get(FETCH_SITE).map(header::HeaderValue::as_bytes);
    match site {
        None | Some(b"same-origin" | b"none") => Ok(()),
        Some(b"same-site") if is_safe(method) => Ok(()),
        Some(_) => Err(Forged::Origin),
    }
}

/// Whether the page that sends a request is one that may; `None` when it is no page, or does not say.
pub fn is_of_origin(headers: &HeaderMap, settings: &HttpSettings) -> Option<bool> {
    let origin = headers.get(header::ORIGIN)?;
    let Ok(origin) = origin.to_str() else { return Some(false) };
    if settings.allowed_origins.iter().any(|allowed| allowed == origin) {
        return Some(true);
    }
    // Our own pages.
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    let bare = origin.strip_prefix("https://").or_else(|| origin.strip_prefix("http://"));
    Some(bare.is_some() && bare == host)
}

/// What changes nothing.
fn is_safe(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS)
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::HeaderValue;
    use domain::testing::PlainMac;
    use uuid::Uuid;

    use super::*;

    const SESSION: SessionId = SessionId(Uuid::from_u128(5));

    fn checked(method: &Method, with: &[(&'static str, &str)]) -> Result<(), Forged> {
        let settings =
            HttpSettings { allowed_origins: vec!["https://shop.example".to_owned()], ..HttpSettings::default() };
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, HeaderValue::from_static("api.example"));
        for (name, value) in with {
            headers.insert(HeaderName::from_static(name), HeaderValue::from_str(value).unwrap());
        }
        check(method, &headers, &settings, &PlainMac, SESSION)
    }

    #[test]
    fn a_change_comes_from_a_page_of_ours_and_has_the_token() {
        let own = token(&PlainMac, SESSION);
        let other = token(&PlainMac, SessionId(Uuid::from_u128(6)));
        let long = format!("{own}0");
        let post = |with: &[(&'static str, &str)]| checked(&Method::POST, with);
        for good in [
            &[("x-csrf-token", own.as_str())][..],
            &[("x-csrf-token", &own), ("origin", "https://shop.example")],
            &[("x-csrf-token", &own), ("origin", "https://api.example"), ("sec-fetch-site", "same-origin")],
            &[("x-csrf-token", &own), ("sec-fetch-site", "same-origin")],
        ] {
            assert_eq!(post(good), Ok(()), "{good:?}");
        }
        for token in ["", &other, &long, &own[..63]] {
            assert_eq!(post(&[("origin", "https://shop.example"), ("x-csrf-token", token)]), Err(Forged::Token));
        }
        assert_eq!(post(&[("origin", "https://shop.example")]), Err(Forged::Token));
        for origin in
            ["https://evil.example", "null", "https://shop.example.evil.example", "api.example", "http://shop.example"]
        {
            assert_eq!(post(&[("x-csrf-token", &own), ("origin", origin)]), Err(Forged::Origin), "{origin}");
        }
        for site in ["cross-site", "same-site", "?"] {
            assert_eq!(post(&[("x-csrf-token", &own), ("sec-fetch-site", site)]), Err(Forged::Origin), "{site}");
        }
    }

    #[test]
    fn what_only_reads_needs_no_token_but_must_not_come_from_elsewhere() {
        let get = |with: &[(&'static str, &str)]| checked(&Method::GET, with);
        for good in [&[][..], &[("origin", "https://shop.example")], &[("sec-fetch-site", "same-site")]] {
            assert_eq!(get(good), Ok(()), "{good:?}");
        }
        for bad in [("origin", "https://evil.example"), ("sec-fetch-site", "cross-site")] {
            assert_eq!(get(&[bad]), Err(Forged::Origin), "{bad:?}");
        }
    }
}
