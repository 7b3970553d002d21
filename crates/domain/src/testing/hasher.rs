//! A password hasher that hides nothing and counts its work.

use std::sync::atomic::{AtomicU32, Ordering};

use async_trait::async_trait;

use crate::{
    error::Result,
    identity::{
        Password,
        ports::{PasswordHasher, Verified},
    },
};

/// Keeps passwords readable as `plain$..`; `old$..` stands for a hash of an older kind. Counts what it was asked, so
/// that a test can show that every sign-in costs the same.
#[derive(Debug, Default)]
pub struct PlainHasher {
    hashed: AtomicU32,
    verified: AtomicU32,
}

impl PlainHasher {
    /// How many hashes were made.
    pub fn hashed(&self) -> u32 {
        self.hashed.load(Ordering::Relaxed)
    }

    /// How many passwords were checked, those without a hash included.
    pub fn verified(&self) -> u32 {
        self.verified.load(Ordering::Relaxed)
    }
}

#[async_trait]
impl PasswordHasher for PlainHasher {
    async fn hash(&self, password: &Password) -> Result<String> {
        self.hashed.fetch_add(1, Ordering::Relaxed);
        Ok(format!("plain${}", password.expose()))
    }

    async fn verify(&self, password: &Password, hash: Option<&str>) -> Result<Verified> {
        self.verified.fetch_add(1, Ordering::Relaxed);
        Ok(match hash.and_then(|hash| hash.split_once('$')) {
            Some(("plain", kept)) if kept == password.expose() => Verified::Yes,
            Some(("old", kept)) if kept == password.expose() => Verified::YesButOld,
            _ => Verified::No,
        })
    }
}
