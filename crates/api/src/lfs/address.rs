//! Which library a request is about, and under which address its client knows it.

use std::future::{Ready, ready};

use actix_web::{FromRequest, HttpRequest, dev::Payload, http::header};
use domain::{
    Error,
    assets::lfs::{Address, LibraryName},
};

use crate::problem::Problem;

/// The library of a request's path.
#[derive(Debug)]
pub(super) struct Of(pub(super) Address);

impl FromRequest for Of {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let part = |name| request.match_info().query(name);
        let name = LibraryName::parse(part("library")).map_err(|_| Problem::from(Error::NotFound("Library")));
        ready(name.map(|name| Self(Address { seller: part("seller").to_owned(), name })))
    }
}

/// The address of this library as the client called it, which it is to go on with: it has signed in there, and nowhere else.
pub(super) fn base(request: &HttpRequest, at: &Address, https: bool) -> String {
    let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let host = if host.is_empty() { request.uri().authority().map_or("localhost", |one| one.as_str()) } else { host };
    let scheme = if https { "https" } else { "http" };
    format!("{scheme}://{host}/lfs/{}/{}", at.seller, at.name)
}
