//! Access tokens of issuers that the operator believes.

use std::sync::Arc;

use async_trait::async_trait;
use domain::{
    Error, Result,
    clock::Timestamp,
    identity::{
        ForeignId, Stranger,
        outside::{Vouched, ports::Issuers},
    },
};
use jsonwebtoken::Algorithm;
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

use super::{
    Calls,
    authority::Authority,
    claims::Claims,
    token::{self, Expected, Fault, SKEW},
    vouched::Recent,
};
use crate::resilience::Kind;

/// An issuer whose access tokens are believed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IssuerSettings {
    /// Its name in our settings.
    pub name: String,
    /// What it calls itself in tokens: their `iss`.
    pub issuer: String,
    /// For whom tokens must be: one of these in `aud`; any when empty.
    pub audiences: Vec<String>,
    /// Whom tokens must have been made for: one of these as `azp`; any when empty.
    pub parties: Vec<String>,
    /// Where its keys are; it is asked when not set.
    pub keys_url: Option<String>,
    /// The algorithms tokens may have.
    pub algorithms: Vec<String>,
    /// Which claim holds the address.
    pub email_claim: String,
    /// Which claim says that the address is proven.
    pub verified_claim: String,
    /// Which claim holds the name.
    pub name_claim: String,
}

struct Trusted {
    settings: IssuerSettings,
    algorithms: Vec<Algorithm>,
    authority: Authority,
    recent: Recent,
}

/// The issuers that the operator believes.
pub struct TrustedIssuers(Vec<Trusted>);

impl std::fmt::Debug for TrustedIssuers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.0.iter().map(|one| &one.settings.issuer)).finish()
    }
}

impl TrustedIssuers {
    /// Believes these.
    ///
    /// # Errors
    /// For addresses that are none.
    pub fn new(calls: &Calls, all: Vec<IssuerSettings>) -> Result<Self> {
        let trusted = |settings: IssuerSettings| {
            let at = calls.dependencies.named(Kind::Issuers, &settings.name);
            let authority = Authority::new(calls, &at, &settings.name, &settings.issuer, settings.keys_url.as_deref())?;
            let algorithms = settings.algorithms.iter().filter_map(|name| name.parse().ok()).collect();
            Ok(Trusted { settings, algorithms, authority, recent: Recent::default() })
        };
        all.into_iter().map(trusted).collect::<Result<_>>().map(Self)
    }
}

#[async_trait]
impl Issuers for TrustedIssuers {
    async fn verify(&self, token: &str, now: Timestamp) -> Result<Option<Arc<Vouched>>> {
        if self.0.is_empty() {
            return Ok(None);
        }
        let Some(said) = token::part(token, 1) else { return Ok(None) };
        let Ok(said) = serde_json::from_slice::<Map<String, Value>>(&said) else { return Ok(None) };
        // Which issuer is to be asked; that it is one is found out there.
        let Some(issuer) = said.get("iss").and_then(Value::as_str) else { return Ok(None) };
        match self.0.iter().find(|one| one.settings.issuer == issuer) {
            Some(trusted) => trusted.verify(token, now).await,
            None => Ok(None),
        }
    }
}

impl Trusted {
    async fn verify(&self, token: &str, now: Timestamp) -> Result<Option<Arc<Vouched>>> {
        // What was verified by keys that are others by now, or may be, is verified anew.
        let fresh = self.authority.fresh();
        if let Some((vouched, number)) = self.recent.get(token)
            && fresh == Some(number)
        {
            let holds = now.timestamp() < vouched.until.timestamp().saturating_add(SKEW);
            return Ok(holds.then_some(vouched));
        }
        let expected = Expected {
            audiences: &self.settings.audiences,
            parties: &self.settings.parties,
            algorithms: &self.algorithms,
            nonce: None,
        };
        match token::verify(&self.authority, token, &expected, now).await {
            Ok((claims, number)) => {
                let vouched = Arc::new(self.vouched(&claims)?);
                self.recent.keep(token, (Arc::clone(&vouched), number));
                Ok(Some(vouched))
            }
            Err(Fault::Bad(what)) => {
                tracing::debug!(issuer = self.settings.name, what, "a token of an issuer does not hold");
                Ok(None)
            }
            Err(Fault::Away) => {
                let source = format!("the keys of the issuer {} cannot be had", self.settings.name).into();
                Err(Error::Unavailable { what: "Sign-in", source })
            }
        }
    }

    fn vouched(&self, claims: &Claims) -> Result<Vouched> {
        let Self { settings, .. } = self;
        let (Some(subject), Some(until)) = (claims.subject(), claims.moment("exp")) else {
            return Err(Error::internal("a token without subject or end was found good"));
        };
        let id = ForeignId { issuer: settings.issuer.clone(), subject: subject.to_owned() };
        let key = digest(&id);
        // A moment that no calendar knows is as good as none.
        let until = Timestamp::from_timestamp(until, 0).unwrap_or(Timestamp::MAX_UTC);
        let stranger = Stranger {
            id,
            provider: settings.name.clone(),
            email: claims.email(&settings.email_claim),
            email_verified: claims.says(&settings.verified_claim),
            name: claims.name(&settings.name_claim),
        };
        Ok(Vouched { stranger, key, until })
    }
}

/// The same for the same person there, and for nobody else.
fn digest(id: &ForeignId) -> [u8; 32] {
    let mut hash = Sha256::new();
    // With its length, so that no part of one runs into the other.
    hash.update(id.issuer.len().to_be_bytes());
    hash.update(id.issuer.as_bytes());
    hash.update(id.subject.as_bytes());
    hash.finalize().into()
}
