//! Who calls, and the proof that they may.

use std::future::{Ready, ready};

use actix_web::{
    FromRequest, HttpMessage as _, HttpRequest,
    dev::Payload,
    http::{
        StatusCode,
        header::{self, HeaderMap, HeaderValue},
    },
};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use domain::{Actor, Authorized, Error, Permission, access::ApiKey, identity::ports::Session};

use crate::{cookies::Cookie, csrf::Forged, problem::Problem, services::Visit};

/// What a 401 or a public answer says of a token that did not hold.
pub const INVALID_TOKEN: HeaderValue = HeaderValue::from_static("Bearer error=\"invalid_token\"");

/// The proof that the caller has permission `P`. Extracted before the body, so a refused upload is never read.
#[derive(Debug)]
pub struct Auth<P>(pub Authorized<P>);

impl<P: Permission> FromRequest for Auth<P> {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let proof = match request.extensions().get::<Actor>() {
            Some(actor) => actor.authorize::<P>(),
            None => Err(Error::Unauthenticated),
        };
        ready(proof.map(Self).map_err(|error| match error {
            Error::Unauthenticated => unknown(request, || Problem::challenge(Error::Unauthenticated, P::NAME)),
            other => Problem::challenge(other, P::NAME),
        }))
    }
}

/// Whoever calls, on routes open to everybody.
#[derive(Debug)]
pub struct MaybeAuth(pub Actor);

impl FromRequest for MaybeAuth {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Ok(Self(request.extensions().get::<Actor>().cloned().unwrap_or(Actor::Anonymous))))
    }
}

/// The session the caller calls with.
#[derive(Debug, Clone, Copy)]
pub struct Own(pub Session);

impl FromRequest for Own {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let extensions = request.extensions();
        let refused = || match (extensions.get::<ApiKey>(), extensions.get::<Visit>()) {
            // A stream takes the key itself.
            (Some(_), _) => Problem::from(Error::forbidden("An API key has no session; sign in for this")),
            (None, Some(_)) => {
                Problem::from(Error::forbidden("A token of another issuer has no session here; sign in for this"))
            }
            (None, None) => refusal(request),
        };
        ready(extensions.get::<Session>().copied().map(Self).ok_or_else(refused))
    }
}

/// Why somebody who sent credentials is not taken for who they say. Public routes answer them as anybody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Untaken {
    /// This node cannot know at present whether they still are.
    Unknown,
    /// Their browser may have been made to send it.
    Forged(Forged),
}

/// What a caller is told who would have to be signed in and is not: that nobody is, unless this node cannot know, or does not
/// believe their cookies.
pub fn refusal(request: &HttpRequest) -> Problem {
    unknown(request, || Problem::from(Error::Unauthenticated))
}

fn unknown(request: &HttpRequest, nobody: impl FnOnce() -> Problem) -> Problem {
    match request.extensions().get::<Untaken>() {
        None => nobody(),
        Some(Untaken::Unknown) => {
            let source = "it is not known who calls: the database or its log is away".into();
            Problem::from(Error::Unavailable { what: "Sign-in", source })
        }
        Some(Untaken::Forged(forged)) => Problem::new(StatusCode::FORBIDDEN, forged.message()),
    }
}

/// The password of Basic authentication (RFC 7617).
fn password(pair: &str) -> Option<String> {
    let pair = String::from_utf8(BASE64_STANDARD.decode(pair).ok()?).ok()?;
    pair.split_once(':').map(|(_, password)| password.to_owned())
}

/// The credentials of a request.
#[derive(Debug, PartialEq, Eq)]
pub enum Bearer<'a> {
    /// None were sent.
    Absent,
    /// A bearer token.
    Token(&'a str),
    /// One as git sends it, in the place of a password.
    Basic(String),
    /// A token that the browser sends by itself.
    Cookie(&'a str),
    /// Something else, which cannot hold.
    Other,
}

impl<'a> Bearer<'a> {
    /// What the headers carry. A header is meant, a cookie is sent along: where there is a header it counts alone.
    pub fn of(headers: &'a HeaderMap, https: bool) -> Self {
        let Some(value) = headers.get(header::AUTHORIZATION) else {
            return Cookie::Session.of(headers, https).map_or(Self::Absent, Self::Cookie);
        };
        // Not by `to_str`, which looks at each byte of a long token by itself; what is no token is found out by whoever reads it.
        let parts = str::from_utf8(value.as_bytes()).ok().and_then(|text| text.split_once(' '));
        match parts {
            Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => Self::Token(token.trim()),
            Some((scheme, pair)) if scheme.eq_ignore_ascii_case("basic") => {
                password(pair.trim()).map_or(Self::Other, Self::Basic)
            }
            _ => Self::Other,
        }
    }
}
