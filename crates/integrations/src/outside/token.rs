//! Verifying what an issuer signed: identity tokens and access tokens alike.
//!
//! Key and algorithm are chosen from what the issuer published. A token says by name which key it means, and nothing else that
//! it says of keys is believed: one that brings a key along, or points to one, is refused.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use domain::clock::Timestamp;
use jsonwebtoken::{Algorithm, Validation};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::{
    authority::{Authority, TENANT},
    cached::Away,
    claims::Claims,
};

/// How far the clock of an issuer may differ, in seconds.
pub(super) const SKEW: i64 = 30;
/// The longest token.
const LONGEST: usize = 16 * 1024;
/// What would change which key counts, or how a token is read.
const FORBIDDEN: [&str; 8] = ["jwk", "jku", "x5u", "x5c", "crit", "b64", "zip", "enc"];

/// What a token must say.
pub(super) struct Expected<'a> {
    /// For whom it is: one of these, unless there are none.
    pub(super) audiences: &'a [String],
    /// Whom it was made for: one of these, unless there are none.
    pub(super) parties: &'a [String],
    /// The algorithms it may have.
    pub(super) algorithms: &'a [Algorithm],
    /// What it was asked for with: an identity token.
    pub(super) nonce: Option<&'a str>,
}

/// Why a token is nobody's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// It does not hold; the word is for the log.
    Bad(&'static str),
    /// The keys of its issuer cannot be had.
    Away,
}

impl From<Away> for Fault {
    fn from(_: Away) -> Self {
        Self::Away
    }
}

#[derive(Deserialize)]
struct Head {
    alg: String,
    kid: Option<String>,
    typ: Option<String>,
    #[serde(flatten)]
    more: Map<String, Value>,
}

/// Part of a token as it is, believed or not.
pub(super) fn part(token: &str, number: usize) -> Option<Vec<u8>> {
    if token.len() > LONGEST || token.split('.').count() != 3 {
        return None;
    }
    URL_SAFE_NO_PAD.decode(token.split('.').nth(number)?).ok()
}

/// What a token says that this issuer signed, with the number of the keys it was verified by.
pub(super) async fn verify(
    authority: &Authority,
    token: &str,
    expected: &Expected<'_>,
    now: Timestamp,
) -> Result<(Claims, u64), Fault> {
    let head = part(token, 0).ok_or(Fault::Bad("form"))?;
    let head: Head = serde_json::from_slice(&head).map_err(|_| Fault::Bad("header"))?;
    if FORBIDDEN.iter().any(|name| head.more.contains_key(*name)) {
        return Err(Fault::Bad("header"));
    }
    let typ = head.typ.as_deref().map(str::to_ascii_lowercase);
    if !matches!(typ.as_deref(), None | Some("jwt" | "at+jwt" | "application/at+jwt")) {
        return Err(Fault::Bad("typ"));
    }
    let algorithm: Algorithm = head.alg.parse().map_err(|_| Fault::Bad("alg"))?;
    if !expected.algorithms.contains(&algorithm) {
        return Err(Fault::Bad("alg"));
    }
    let name = head.kid.as_deref();
    let (keys, number) = authority.keys(name, algorithm).await?;
    let key = keys.find(name, algorithm).ok_or(Fault::Bad("kid"))?;
    let mut validation = Validation::new(algorithm);
    // The library would ask the system's clock, and takes what is absent for good.
    validation.validate_exp = false;
    validation.validate_aud = false;
    validation.required_spec_claims.clear();
    let said = jsonwebtoken::decode::<Map<String, Value>>(token, &key.public, &validation);
    let claims = Claims(said.map_err(|_| Fault::Bad("signature"))?.claims);
    check(&claims, &authority.issuer, expected, now.timestamp()).map_err(Fault::Bad)?;
    Ok((claims, number))
}

/// Whether it is of that issuer, for us, and holds now.
fn check(claims: &Claims, issuer: &str, expected: &Expected<'_>, now: i64) -> Result<(), &'static str> {
    let must = |so: bool, what: &'static str| if so { Ok(()) } else { Err(what) };
    must(claims.text("iss").is_some_and(|said| is_issuer(said, issuer, claims)), "iss")?;
    must(claims.subject().is_some(), "sub")?;
    let ends = claims.moment("exp").ok_or("exp")?;
    must(now < ends.saturating_add(SKEW), "exp")?;
    for begins in ["nbf", "iat"] {
        if claims.0.contains_key(begins) {
            must(claims.moment(begins).is_some_and(|begins| begins <= now.saturating_add(SKEW)), begins)?;
        }
    }
    let among = |all: &[String], said: &str| all.iter().any(|one| one == said);
    let audiences = claims.texts("aud");
    let azp = claims.text("azp");
    if !expected.audiences.is_empty() {
        must(audiences.iter().any(|said| among(expected.audiences, said)), "aud")?;
    }
    if !expected.parties.is_empty() {
        must(azp.is_some_and(|said| among(expected.parties, said)), "azp")?;
    }
    if let Some(nonce) = expected.nonce {
        must(claims.text("nonce") == Some(nonce), "nonce")?;
        // OpenID Connect Core 3.1.3.7: of several audiences the one it was made for is us.
        must(azp.map_or(audiences.len() == 1, |said| among(expected.audiences, said)), "azp")?;
    }
    Ok(())
}

/// Whether an issuer is meant; of one with tenants, that of the tenant which the token names.
fn is_issuer(said: &str, issuer: &str, claims: &Claims) -> bool {
    if !issuer.contains(TENANT) {
        return said == issuer;
    }
    let tenant = claims.text("tid").filter(|tenant| tenant.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-'));
    tenant.is_some_and(|tenant| !tenant.is_empty() && said == issuer.replace(TENANT, tenant))
}
