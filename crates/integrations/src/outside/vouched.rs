//! Tokens of issuers that were found good lately, so that a signature is not computed for every request.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use domain::identity::outside::Vouched;

/// Most tokens in one generation.
const ROOM: usize = 8 * 1024;
/// The longest token that is kept: all together they take some 40 MB at most.
const LONGEST: usize = 2 * 1024;

/// Whom a token is about, and the number of the keys by which that was found.
pub(super) type Found = (Arc<Vouched>, u64);

/// Two generations: a full young one becomes the old one, whose rest is forgotten.
#[derive(Default)]
pub(super) struct Recent(Mutex<Generations>);

#[derive(Default)]
struct Generations {
    young: HashMap<Box<str>, Found>,
    old: HashMap<Box<str>, Found>,
}

impl Recent {
    /// What was found of a token.
    pub(super) fn get(&self, token: &str) -> Option<Found> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Generations { young, old } = &mut *kept;
        if let Some(found) = young.get(token) {
            return Some(found.clone());
        }
        let (token, found) = old.remove_entry(token)?;
        young.insert(token, found.clone());
        Some(found)
    }

    /// Keeps what was found.
    pub(super) fn keep(&self, token: &str, found: Found) {
        if token.len() > LONGEST {
            return;
        }
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.young.len() >= ROOM {
            kept.old = std::mem::take(&mut kept.young);
        }
        kept.young.insert(token.into(), found);
    }
}
