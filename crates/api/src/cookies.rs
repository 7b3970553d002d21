//! The cookies of browsers that sign in with `"mode":"cookie"`: what they are called, how they are read, given and taken back.
//!
//! Over https the names begin with `__Host-`: a browser takes such a cookie from our own origin alone and gives it to nobody else.
//! Over plain http, in development, the same names stand without it.

use actix_web::{
    HttpResponse,
    http::header::{self, HeaderMap, HeaderValue},
};
use domain::{
    Error,
    clock::Timestamp,
    identity::{SignedIn, ports::AccessToken},
};

use crate::problem::Problem;

/// Which cookie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cookie {
    /// The access token; no script of the page can read it.
    Session,
    /// The refresh token; no script of the page can read it.
    Refresh,
    /// What a page sends as `X-CSRF-Token` with every change; it is there for scripts to read.
    Csrf,
}

impl Cookie {
    const ALL: [Self; 3] = [Self::Session, Self::Refresh, Self::Csrf];

    fn name(self, https: bool) -> &'static str {
        match (self, https) {
            (Self::Session, true) => "__Host-souk_session",
            (Self::Session, false) => "souk_session",
            (Self::Refresh, true) => "__Host-souk_refresh",
            (Self::Refresh, false) => "souk_refresh",
            (Self::Csrf, true) => "__Host-souk_csrf",
            (Self::Csrf, false) => "souk_csrf",
        }
    }

    /// What a request brings of it. Two of one name are none: whoever put the second there is not us.
    pub fn of(self, headers: &HeaderMap, https: bool) -> Option<&str> {
        named(headers, self.name(https))
    }

    fn line(self, value: &str, seconds: i64, https: bool) -> Result<HeaderValue, Problem> {
        let name = self.name(https);
        let hidden = if self == Self::Csrf { "" } else { "; HttpOnly" };
        let secure = if https { "; Secure" } else { "" };
        let line = format!("{name}={value}; Path=/; Max-Age={seconds}{hidden}{secure}; SameSite=Lax");
        HeaderValue::try_from(line).map_err(|error| Problem::from(Error::internal(error)))
    }
}

/// What a request brings of the cookie of that name, unless it brings two.
pub fn named<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let lines = headers.get_all(header::COOKIE).filter_map(|line| line.to_str().ok());
    let pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    let mut found = pairs.filter(|(given, _)| *given == name).map(|(_, value)| value);
    let first = found.next()?;
    if found.next().is_some() { None } else { Some(first).filter(|value| !value.is_empty()) }
}

/// Gives a browser what it needs to go on by itself.
///
/// # Errors
/// 500 for a token that is no text of a header; there is none.
pub fn give(
    response: &mut HttpResponse,
    signed: &SignedIn,
    csrf: &str,
    now: Timestamp,
    https: bool,
) -> Result<(), Problem> {
    let left = |until: Timestamp| (until - now).num_seconds().max(0);
    let long = left(signed.refresh_until);
    let given = [
        (Cookie::Session, signed.token.token.as_str(), left(signed.token.expires_at)),
        (Cookie::Refresh, signed.refresh.as_str(), long),
        (Cookie::Csrf, csrf, long),
    ];
    for (cookie, value, seconds) in given {
        response.headers_mut().append(header::SET_COOKIE, cookie.line(value, seconds, https)?);
    }
    Ok(())
}

/// Gives a browser the token of somebody else for a while. The rest stays, so that it finds back to its own session.
///
/// # Errors
/// Those of [`give`].
pub fn lend(response: &mut HttpResponse, token: &AccessToken, now: Timestamp, https: bool) -> Result<(), Problem> {
    let seconds = (token.expires_at - now).num_seconds().max(0);
    response.headers_mut().append(header::SET_COOKIE, Cookie::Session.line(&token.token, seconds, https)?);
    Ok(())
}

/// Takes one cookie back, if the browser brought it.
///
/// # Errors
/// None but those of [`give`].
pub fn give_up(response: &mut HttpResponse, brought: &HeaderMap, cookie: Cookie, https: bool) -> Result<(), Problem> {
    if cookie.of(brought, https).is_some() {
        response.headers_mut().append(header::SET_COOKIE, cookie.line("", 0, https)?);
    }
    Ok(())
}

/// Takes back what the browser brought.
///
/// # Errors
/// None but those of [`give`].
pub fn take_back(response: &mut HttpResponse, brought: &HeaderMap, https: bool) -> Result<(), Problem> {
    let has_any = Cookie::ALL.iter().any(|cookie| cookie.of(brought, https).is_some());
    for cookie in Cookie::ALL.into_iter().filter(|_| has_any) {
        response.headers_mut().append(header::SET_COOKIE, cookie.line("", 0, https)?);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_is_found_by_its_whole_name_and_once() {
        let of = |lines: &[&'static str]| {
            let mut headers = HeaderMap::new();
            for line in lines {
                headers.append(header::COOKIE, HeaderValue::from_static(line));
            }
            Cookie::Session.of(&headers, true).map(str::to_owned)
        };
        assert_eq!(of(&["a=b; __Host-souk_session=x.y.z; c=d"]).as_deref(), Some("x.y.z"));
        assert_eq!(of(&["a=b", "__Host-souk_session=x"]).as_deref(), Some("x"));
        for none in [
            &[][..],
            &["souk_session=x"],
            &["__Host-souk_session="],
            &["__Host-souk_session"],
            &["x__Host-souk_session=x"],
            &["__Host-souk_session=x; __Host-souk_session=y"],
        ] {
            assert_eq!(of(none), None, "{none:?}");
        }
    }
}
