//! Who calls, and the proof that they may.

use std::future::{Ready, ready};

use actix_web::{
    FromRequest, HttpMessage as _, HttpRequest,
    dev::Payload,
    http::header::{self, HeaderMap, HeaderValue},
};
use domain::{Actor, Authorized, Error, Permission};

use crate::problem::Problem;

/// What a 401 or a public answer says of a token that did not hold.
pub const INVALID_TOKEN: HeaderValue = HeaderValue::from_static("Bearer error=\"invalid_token\"");

/// The proof that the caller has permission `P`. Extracted before the body, so a refused upload is never read.
#[derive(Debug)]
pub struct Auth<P>(pub Authorized<P>);

impl<P: Permission> FromRequest for Auth<P> {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let extensions = request.extensions();
        let proof = match extensions.get::<Actor>() {
            Some(actor) => actor.authorize::<P>(),
            None => Err(Error::Unauthenticated),
        };
        ready(proof.map(Self).map_err(|error| Problem::challenge(error, P::NAME)))
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

/// The credentials of a request.
#[derive(Debug, PartialEq, Eq)]
pub enum Bearer<'a> {
    /// None were sent.
    Absent,
    /// A bearer token.
    Token(&'a str),
    /// Something else, which cannot hold.
    Other,
}

impl<'a> Bearer<'a> {
    /// What the headers carry.
    pub fn of(headers: &'a HeaderMap) -> Self {
        let Some(value) = headers.get(header::AUTHORIZATION) else { return Self::Absent };
        let parts = value.to_str().ok().and_then(|text| text.split_once(' '));
        match parts {
            Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => Self::Token(token.trim()),
            _ => Self::Other,
        }
    }
}
