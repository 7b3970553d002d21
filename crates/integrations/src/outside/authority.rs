//! An issuer: what it says of itself, and its keys.

use std::sync::Arc;

use jsonwebtoken::Algorithm;

use super::{
    Calls,
    cached::{Away, Cached},
    discovery::Metadata,
    keys::KeySet,
};
use crate::{
    client::{Answer, Target},
    resilience::Dependency,
};

/// An issuer.
pub(super) struct Authority {
    /// How it calls itself in tokens; may hold [`TENANT`].
    pub(super) issuer: String,
    /// Where it says more of itself.
    base: Target,
    /// Where its keys are, when it is not asked.
    keys_at: Option<Target>,
    metadata: Cached<Metadata>,
    keys: Cached<KeySet>,
}

/// Stands in the name of an issuer that has one for each of its tenants, as at Microsoft; the token says which.
pub(super) const TENANT: &str = "{tenantid}";

impl Authority {
    pub(super) fn new(
        calls: &Calls,
        at: &Dependency,
        name: &str,
        issuer: &str,
        keys_url: Option<&str>,
    ) -> domain::Result<Self> {
        let keys_at = keys_url.map(super::of_operator).transpose()?;
        Ok(Self {
            issuer: issuer.to_owned(),
            base: super::of_operator(issuer)?,
            keys_at,
            metadata: Cached::new(calls.clone(), at, name, "metadata"),
            keys: Cached::new(calls.clone(), at, name, "keys"),
        })
    }

    /// The same, whose tokens name the tenant as their issuer.
    pub(super) fn of_tenants(self, pattern: &str) -> Self {
        Self { issuer: pattern.to_owned(), ..self }
    }

    /// What it says of itself.
    pub(super) async fn metadata(&self) -> Result<Arc<Metadata>, Away> {
        let base = self.base.url().as_str();
        let names = [self.issuer.as_str(), base, base.trim_end_matches('/')];
        let read = |answer: &Answer| Metadata::read(answer, &self.base, &names);
        self.metadata.get(&Metadata::at(&self.base), read, |_| true).await.map(|(metadata, _)| metadata)
    }

    /// The number of its keys, when they need not be asked for anew.
    pub(super) fn fresh(&self) -> Option<u64> {
        self.keys.fresh()
    }

    /// Its keys with their number: those with the key of this name, if there are any.
    pub(super) async fn keys(&self, name: Option<&str>, algorithm: Algorithm) -> Result<(Arc<KeySet>, u64), Away> {
        let has_it = |set: &KeySet| set.find(name, algorithm).is_some();
        let found = match &self.keys_at {
            Some(at) => at.clone(),
            None => self.metadata().await?.keys.clone(),
        };
        self.keys.get(&found, |answer| KeySet::read(&answer.json().ok()?), has_it).await
    }
}
