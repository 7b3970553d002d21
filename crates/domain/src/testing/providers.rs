//! Providers and issuers that vouch for whom a test tells them.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use async_trait::async_trait;

use super::{PlainMac, PlainSealer};
use crate::{
    clock::Timestamp,
    error::Result,
    identity::{
        Email, ForeignId, Gate, Stranger,
        outside::{
            Vouched,
            ports::{Ask, Brought, Declined, Issuers, Provider, Providers},
        },
    },
    secrets::{Mac as _, hex},
};

/// What providers answer to a code.
type Codes = HashMap<String, Result<Stranger, Declined>>;

/// The providers `google` and `apple`, of which the second posts its answers.
#[derive(Debug)]
pub struct PlainProviders {
    known: Vec<Provider>,
    codes: Mutex<Codes>,
}

impl Default for PlainProviders {
    fn default() -> Self {
        let known = [("google", false), ("apple", true)];
        let known = known.map(|(name, posts)| Provider { name: name.to_owned(), title: name.to_uppercase(), posts });
        Self { known: known.into(), codes: Mutex::default() }
    }
}

impl PlainProviders {
    /// What signing in with these providers stands on, at `https://shop.example`.
    pub fn gate(self: &Arc<Self>) -> Gate {
        Gate {
            providers: Arc::<Self>::clone(self),
            sealer: Arc::new(PlainSealer),
            mac: Arc::new(PlainMac),
            public: "https://shop.example/".to_owned(),
        }
    }

    /// Somebody whom a provider vouches for by this code, once.
    pub fn vouch(&self, code: &str, answer: Result<Stranger, Declined>) {
        self.codes.lock().unwrap_or_else(PoisonError::into_inner).insert(code.to_owned(), answer);
    }

    /// Somebody at `google`, with this address there.
    pub fn somebody(subject: &str, email: Option<&str>, email_verified: bool) -> Stranger {
        Stranger {
            id: ForeignId { issuer: "https://google.example".to_owned(), subject: subject.to_owned() },
            provider: "google".to_owned(),
            email: email.map(|email| Email::stored(email.to_owned())),
            email_verified,
            name: Some("Ada".to_owned()),
        }
    }
}

#[async_trait]
impl Providers for PlainProviders {
    fn all(&self) -> &[Provider] {
        &self.known
    }

    async fn address(&self, provider: &str, ask: Ask<'_>) -> Result<Option<String>> {
        let known = self.known.iter().any(|known| known.name == provider);
        let Ask { state, nonce, redirect, .. } = ask;
        let challenge = self.challenge(ask.verifier);
        let address = format!(
            "https://{provider}.example/?state={state}&nonce={nonce}&challenge={challenge}&redirect={redirect}"
        );
        Ok(known.then_some(address))
    }

    async fn identify(&self, provider: &str, brought: Brought<'_>) -> Result<Stranger, Declined> {
        let found = self.codes.lock().unwrap_or_else(PoisonError::into_inner).remove(brought.code);
        let found = found.unwrap_or(Err(Declined::Refused))?;
        Ok(Stranger {
            provider: provider.to_owned(),
            name: brought.name.map(str::to_owned).or(found.name.clone()),
            ..found
        })
    }

    fn challenge(&self, verifier: &str) -> String {
        hex(&PlainMac.mac(verifier.as_bytes())).chars().take(43).collect()
    }
}

/// Believes tokens of the form `foreign.<subject>.<microseconds of its end>[.<address>]`, without a signature.
#[derive(Debug, Clone, Copy, Default)]
pub struct PlainIssuers;

#[async_trait]
impl Issuers for PlainIssuers {
    async fn verify(&self, token: &str, now: Timestamp) -> Result<Option<Arc<Vouched>>> {
        let mut parts = token.splitn(4, '.');
        let (Some("foreign"), Some(subject), Some(until)) = (parts.next(), parts.next(), parts.next()) else {
            return Ok(None);
        };
        let until = until.parse().ok().and_then(Timestamp::from_timestamp_micros).filter(|until| now < *until);
        Ok(until.map(|until| {
            let mut stranger = PlainProviders::somebody(subject, parts.next(), true);
            "clerk".clone_into(&mut stranger.provider);
            Arc::new(Vouched { stranger, key: PlainMac.mac(subject.as_bytes()), until })
        }))
    }
}
