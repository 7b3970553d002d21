//! What an issuer says of itself (`OpenID` Connect Discovery 1.0).

use serde::Deserialize;

use crate::client::{Answer, Target, Url};

/// What an issuer says of itself.
#[derive(Debug)]
pub(super) struct Metadata {
    pub(super) authorize: Option<Url>,
    pub(super) token: Option<Target>,
    pub(super) userinfo: Option<Target>,
    pub(super) keys: Target,
    /// It takes the secret of a client in the form, not in a header alone.
    pub(super) takes_posted_secret: bool,
}

#[derive(Deserialize)]
struct Document {
    issuer: String,
    authorization_endpoint: Option<String>,
    token_endpoint: Option<String>,
    userinfo_endpoint: Option<String>,
    jwks_uri: String,
    #[serde(default)]
    token_endpoint_auth_methods_supported: Vec<String>,
}

impl Metadata {
    /// Where it stands.
    pub(super) fn at(issuer: &Target) -> Target {
        issuer.below(&[".well-known", "openid-configuration"])
    }

    /// Reads it; `None` when it is another issuer's. `names` is how the issuer calls itself in it.
    pub(super) fn read(answer: &Answer, issuer: &Target, names: &[&str]) -> Option<Self> {
        let document: Document = answer.json().ok()?;
        if !names.contains(&document.issuer.as_str()) {
            return None;
        }
        let endpoint = |text: Option<String>| text.and_then(|text| endpoint(issuer, &text));
        let authorize = endpoint(document.authorization_endpoint).map(|target| target.url().clone());
        Some(Self {
            authorize,
            token: endpoint(document.token_endpoint),
            userinfo: endpoint(document.userinfo_endpoint),
            keys: endpoint(Some(document.jwks_uri))?,
            takes_posted_secret: document
                .token_endpoint_auth_methods_supported
                .iter()
                .any(|one| one == "client_secret_post"),
        })
    }
}

/// An address that an issuer names: on its own host it may be where the issuer is; elsewhere it is an address that somebody else
/// supplied (ruling R37). What came encrypted does not lead to what is not.
fn endpoint(issuer: &Target, text: &str) -> Option<Target> {
    let named: Url = text.parse().ok()?;
    if issuer.url().scheme() == "https" && named.scheme() != "https" {
        return None;
    }
    let own = named.host_str() == issuer.url().host_str();
    if own { Target::of_operator(text).ok() } else { Target::of_user(text).ok() }
}
