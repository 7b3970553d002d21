//! The parameters of a sign-in with a provider.

use std::future::{Ready, ready};

use actix_web::{FromRequest, HttpRequest, dev::Payload};
use domain::identity::{Links, Redirect};
use utoipa::IntoParams;

use crate::{
    problem::{In, Problem},
    query::{Query, Read},
};

/// Characters of a challenge: 32 bytes in base64.
const CHALLENGE: usize = 43;

/// The `{provider}` of a path.
#[derive(Debug, Clone, IntoParams)]
#[into_params(names("provider"), parameter_in = Path)]
pub struct Named(
    /// The name of the provider.
    #[param(example = "google")]
    pub String,
);

impl FromRequest for Named {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Ok(Self(request.match_info().query("provider").to_owned())))
    }
}

/// What a page begins with.
#[derive(Debug, Clone, IntoParams)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
pub struct Beginning {
    /// Where the browser comes back to: one of the addresses that the shop allows, or below one.
    #[param(example = "http://localhost:5173/signed-in", max_length = 2000)]
    pub redirect_url: String,
    /// The challenge (S256 of RFC 7636) of a secret that the page keeps and redeems the code with.
    #[param(example = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM", pattern = "^[A-Za-z0-9_-]{43}$")]
    pub code_challenge: String,
}

impl Read for Beginning {
    fn read(query: &mut Query) -> Option<Self> {
        let redirect_url = required(query, "redirectUrl");
        let fits = |text: &str| {
            let plain = text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b));
            (text.len() == CHALLENGE && plain).then(|| text.to_owned())
        };
        if !query.has("codeChallenge") {
            query.violations.add("codeChallenge", "required", "is required");
        }
        let message = "must be 43 characters of base64 without padding (S256 of RFC 7636)";
        let code_challenge = query.parsed("codeChallenge", "pattern", message, fits);
        Some(Self { redirect_url: redirect_url?, code_challenge: code_challenge? })
    }
}

fn required(query: &mut Query, name: &'static str) -> Option<String> {
    if !query.has(name) {
        query.violations.add(name, "required", "is required");
    }
    query.one(name)
}

/// The address that a browser comes back to.
///
/// # Errors
/// A 400 for one that the shop does not allow.
pub(super) fn redirect(links: &Links, wanted: &str) -> Result<Redirect, Problem> {
    links.allow(wanted).map_err(|breach| Problem::broken(In::Query, "redirectUrl", breach.rule, breach.message))
}
