//! Somebody as an issuer vouches for them, and what links them to an account of ours.

use serde::{Deserialize, Serialize};

use crate::{assets::Digest, clock::Timestamp, id::UserId, identity::Email};

/// Where the addresses lie of people who have none: a domain that is nobody's and never will be (RFC 6761).
pub(crate) const NOWHERE: &str = "no-address.invalid";

/// Who somebody is at an issuer. No two people there have one subject, and nobody else ever gets it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ForeignId {
    /// The issuer, as it calls itself.
    pub issuer: String,
    /// Who they are there.
    pub subject: String,
}

impl ForeignId {
    /// The same for the same person there and for nobody else, and it does not tell who they are.
    pub fn digest(&self) -> Digest {
        let length = self.issuer.len().to_string();
        // With its length, so that no part of one runs into the other.
        Digest::of([length.as_bytes(), b":", self.issuer.as_bytes(), self.subject.as_bytes()].concat().as_slice())
    }
}

/// Somebody as an issuer vouches for them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stranger {
    /// Who they are there.
    pub id: ForeignId,
    /// The name of the provider or issuer in our settings.
    pub provider: String,
    /// The address they have there, if it told one.
    pub email: Option<Email>,
    /// Whether it vouches for that address being theirs.
    pub email_verified: bool,
    /// The name they go by there.
    pub name: Option<String>,
}

impl Stranger {
    /// Their address, where the issuer vouches for it.
    pub fn proven_email(&self) -> Option<&Email> {
        self.email.as_ref().filter(|_| self.email_verified)
    }

    /// Their address and what is known of it, for an account of their own: nothing that the issuer does not vouch for. Whoever
    /// could put an address into an account that is not theirs would wait there for its owner.
    pub(super) fn address(&self, user: UserId, now: Timestamp) -> (Email, Option<Timestamp>) {
        match self.proven_email() {
            Some(email) => (email.clone(), Some(now)),
            None => (Email::stored(format!("{user}@{NOWHERE}")), None),
        }
    }
}

/// What links somebody elsewhere to an account of ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// Who they are there.
    pub id: ForeignId,
    /// The name of the provider or issuer in our settings. A person has one identity at each.
    pub provider: String,
    /// Whose account it is.
    pub user: UserId,
    /// The address they had there then, to know it by.
    pub email: Option<Email>,
    /// Since when.
    pub linked_at: Timestamp,
}

impl Link {
    /// Links somebody to this account.
    pub(super) fn of(stranger: &Stranger, user: UserId, now: Timestamp) -> Self {
        let (provider, email) = (stranger.provider.clone(), stranger.email.clone());
        Self { id: stranger.id.clone(), provider, user, email, linked_at: now }
    }
}

/// Whom a token of an issuer is about, once it was found good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vouched {
    /// Who they are.
    pub stranger: Stranger,
    /// A digest of [`Stranger::id`], by which they are found again.
    pub key: [u8; 32],
    /// When the token ends.
    pub until: Timestamp,
}
