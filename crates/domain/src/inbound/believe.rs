//! Who may send webhooks, and whether a call is theirs.

use std::{collections::BTreeMap, sync::Arc};

use super::{
    Finds,
    find::{Found, MARK_MAX},
    ports::{HookHandler, HookVerifier},
};
use crate::{assets::Digest, clock::Timestamp};

/// Most characters kept of a header.
const HEADER_MAX: usize = 500;

/// Why a call is not believed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Disbelief {
    /// A header is not there that the scheme has.
    #[error("The header {0} is missing")]
    Missing(String),
    /// A header is there twice, or not in the form of the scheme.
    #[error("The header {0} is malformed")]
    Malformed(String),
    /// It was signed too long ago.
    #[error("The signature is too old")]
    Old,
    /// It was signed for a moment that is still to come.
    #[error("The signature is from the future")]
    Early,
    /// No secret makes any of its signatures.
    #[error("The signature is wrong")]
    Wrong,
}

impl Disbelief {
    /// The same as a word for programs.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Missing(_) => "signature_missing",
            Self::Malformed(_) => "signature_malformed",
            Self::Old => "signature_too_old",
            Self::Early => "signature_too_early",
            Self::Wrong => "signature_wrong",
        }
    }
}

/// What a signature vouches for, beside the body.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Vouched {
    /// The id of the message, where the scheme signs one.
    pub id: Option<String>,
    /// When it was signed, where the scheme says so.
    pub at: Option<Timestamp>,
}

/// Somebody who sends webhooks.
#[derive(Clone)]
pub struct Source {
    /// Its name in addresses.
    pub name: String,
    /// Knows its signatures.
    pub verifier: Arc<dyn HookVerifier>,
    /// Most bytes of a body.
    pub most: usize,
    /// Where a call says what it is.
    pub finds: Finds,
    /// What its events do here; kept alone when there is none.
    pub handler: Option<Arc<dyn HookHandler>>,
}

impl std::fmt::Debug for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Source").field("name", &self.name).field("finds", &self.finds).finish_non_exhaustive()
    }
}

/// All who do, by name.
#[derive(Debug, Clone, Default)]
pub struct Sources(Arc<BTreeMap<String, Source>>);

impl Sources {
    /// These.
    pub fn new(sources: impl IntoIterator<Item = Source>) -> Self {
        Self(Arc::new(sources.into_iter().map(|source| (source.name.clone(), source)).collect()))
    }

    /// The one of that name.
    pub fn get(&self, name: &str) -> Option<&Source> {
        self.0.get(name)
    }
}

/// A call whose signature was found good: [`Source::believe`] is the only maker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Believed {
    pub(super) source: String,
    pub(super) key: String,
    pub(super) event: Option<String>,
    pub(super) kind: Option<String>,
    pub(super) occurred_at: Option<Timestamp>,
    pub(super) headers: BTreeMap<String, String>,
    pub(super) body: Vec<u8>,
}

impl Source {
    /// Believes a call, or says why not. `headers` are its headers, names in small letters.
    ///
    /// It is known again by the id that its signature covers. An id that anybody could change who repeats the call tells nothing; then the
    /// body itself is what it is known by.
    ///
    /// # Errors
    /// Why it is not believed.
    pub fn believe(&self, headers: &[(&str, &str)], body: Vec<u8>, now: Timestamp) -> Result<Believed, Disbelief> {
        let vouched = self.verifier.verify(headers, &body, now)?;
        let found = Found::of(&self.finds, headers, &body);
        let signed = vouched.id.or(found.signed_id).filter(|id| id.len() <= MARK_MAX);
        let key = match &signed {
            Some(id) => format!("id:{id}"),
            None => format!("body:{}", Digest::of(&body)),
        };
        let kept = headers.iter().filter(|(name, _)| self.finds.keeps(name));
        let kept = kept.map(|(name, value)| ((*name).to_owned(), value.chars().take(HEADER_MAX).collect()));
        Ok(Believed {
            source: self.name.clone(),
            key,
            event: signed.or(found.told_id),
            kind: found.kind,
            occurred_at: found.at.or(vouched.at),
            headers: kept.collect(),
            body,
        })
    }
}
