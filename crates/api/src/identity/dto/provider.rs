//! Signing in with a provider, as JSON: which there are, what a page redeems, and what an account is linked to.

use chrono::{DateTime, Utc};
use domain::identity::{
    Client, ProviderLogin,
    outside::{Link, ports::Provider},
};
use serde::Serialize;
use utoipa::ToSchema;

use super::session::{Mode, mode};
use crate::body::Fields;

/// Digits of what a page redeems.
const CODE: usize = 64;

/// A provider that people may sign in with.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Provider)]
pub struct ProviderView {
    /// Its name in addresses.
    #[schema(example = "google")]
    pub name: String,
    /// What people call it.
    #[schema(example = "Google")]
    pub title: String,
}

/// The providers that people may sign in with.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Providers)]
pub struct ProviderList {
    /// All of them.
    pub items: Vec<ProviderView>,
}

impl ProviderList {
    /// The view of these.
    pub fn of(all: &[Provider]) -> Self {
        let view = |one: &Provider| ProviderView { name: one.name.clone(), title: one.title.clone() };
        Self { items: all.iter().map(view).collect() }
    }
}

/// What a page sends to sign its person in.
#[derive(Debug, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ProviderLoginRequest {
    /// The `code` that the browser came back with.
    #[schema(example = "5f0c9a3e7b1d4c8f2a6e0b9d3c7f1a5e8d2b6c0f4a9e3d7b1c5f8a2e6d0b4c9f", pattern = "^[0-9a-f]{64}$")]
    pub code: String,
    /// What fits the `codeChallenge` that the page began with.
    #[schema(example = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk", pattern = "^[A-Za-z0-9._~-]{43,128}$")]
    pub code_verifier: String,
    /// How the tokens come back, as with a password.
    #[schema(example = "bearer")]
    pub mode: Option<Mode>,
}

/// Reads a [`ProviderLoginRequest`] of this client.
pub fn provider_login(fields: &mut Fields<'_>, client: Client) -> Option<(ProviderLogin, Mode)> {
    let (code, verifier, mode) = (code(fields), verifier(fields), mode(fields));
    Some((ProviderLogin { code: code?, verifier: verifier?, client }, mode))
}

/// What a page sends to link the account of its person.
#[derive(Debug, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct LinkingRequest {
    /// The `code` that the browser came back with.
    #[schema(example = "5f0c9a3e7b1d4c8f2a6e0b9d3c7f1a5e8d2b6c0f4a9e3d7b1c5f8a2e6d0b4c9f", pattern = "^[0-9a-f]{64}$")]
    pub code: String,
    /// What fits the `codeChallenge` that the page began with.
    #[schema(example = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk", pattern = "^[A-Za-z0-9._~-]{43,128}$")]
    pub code_verifier: String,
}

/// Reads a [`LinkingRequest`].
pub fn linking(fields: &mut Fields<'_>) -> Option<(String, String)> {
    let (code, verifier) = (code(fields), verifier(fields));
    Some((code?, verifier?))
}

fn code(fields: &mut Fields<'_>) -> Option<String> {
    let Some(code) = fields.text("code") else { return fields.violations.missing("/code") };
    if code.len() == CODE && code.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b)) {
        return Some(code);
    }
    fields.violations.add("/code", "pattern", "must be the 64 hexadecimal digits that came back");
    None
}

fn verifier(fields: &mut Fields<'_>) -> Option<String> {
    let Some(verifier) = fields.text("codeVerifier") else { return fields.violations.missing("/codeVerifier") };
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-._~".contains(&b);
    if (43..=128).contains(&verifier.len()) && verifier.bytes().all(plain) {
        return Some(verifier);
    }
    fields.violations.add("/codeVerifier", "pattern", "must be 43 to 128 letters, digits or any of -._~ (RFC 7636)");
    None
}

/// What an account is linked to.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Identity)]
#[serde(rename_all = "camelCase")]
pub struct IdentityView {
    /// The provider, or the issuer whose tokens are taken.
    #[schema(example = "google")]
    pub provider: String,
    /// The address one had there when it was linked.
    #[schema(example = "ada@example.com")]
    pub email: Option<String>,
    /// Since when.
    pub linked_at: DateTime<Utc>,
}

impl From<Link> for IdentityView {
    fn from(link: Link) -> Self {
        let email = link.email.map(|email| email.as_str().to_owned());
        Self { provider: link.provider, email, linked_at: link.linked_at }
    }
}

/// What an account is linked to.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Identities)]
pub struct IdentityList {
    /// All of them, the oldest first.
    pub items: Vec<IdentityView>,
}
