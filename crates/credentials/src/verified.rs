//! Tokens whose signature was found good, so that it need not be computed for every request.
//!
//! What is kept is what the token says, not that it holds: end and revocation are looked at each time.

use std::{
    collections::HashMap,
    hash::{BuildHasher as _, RandomState},
    sync::{Mutex, PoisonError, RwLock},
};

use domain::{
    behalf::Impersonator,
    id::{SessionId, UserId},
};

/// Parts with locks of their own.
const PARTS: usize = 16;
/// Most tokens in one generation of one part: all together hold some 16,000, of about 600 bytes each.
const ROOM: usize = 512;

/// What a token says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Said {
    pub(crate) session: SessionId,
    pub(crate) user: UserId,
    pub(crate) by: Option<Impersonator>,
    pub(crate) iat: i64,
    pub(crate) exp: i64,
}

/// The tokens seen lately.
#[derive(Debug)]
pub(crate) struct Verified {
    parts: [Part; PARTS],
    choose: RandomState,
}

/// Two generations: a full young one becomes the old one, whose rest is forgotten.
#[derive(Debug, Default)]
struct Part {
    young: RwLock<HashMap<Box<str>, Said>>,
    old: Mutex<HashMap<Box<str>, Said>>,
}

impl Default for Verified {
    fn default() -> Self {
        Self { parts: Default::default(), choose: RandomState::new() }
    }
}

impl Verified {
    /// What a token says that was seen lately.
    pub(crate) fn get(&self, token: &str) -> Option<Said> {
        let part = self.part(token);
        if let Some(said) = part.young.read().unwrap_or_else(PoisonError::into_inner).get(token) {
            return Some(*said);
        }
        let (token, said) = part.old.lock().unwrap_or_else(PoisonError::into_inner).remove_entry(token)?;
        part.put(token, said);
        Some(said)
    }

    /// Keeps what a token says whose signature is good.
    pub(crate) fn keep(&self, token: &str, said: Said) {
        self.part(token).put(token.into(), said);
    }

    /// Forgets all, since a key is gone.
    pub(crate) fn clear(&self) {
        for part in &self.parts {
            part.young.write().unwrap_or_else(PoisonError::into_inner).clear();
            part.old.lock().unwrap_or_else(PoisonError::into_inner).clear();
        }
    }

    fn part(&self, token: &str) -> &Part {
        // The last characters are of the signature, which is as good as random. Who sends others' only finds nothing.
        let end = token.len().saturating_sub(8);
        let number = self.choose.hash_one(token.as_bytes().get(end..));
        let [first, ..] = &self.parts;
        let index = usize::try_from(number).unwrap_or_default() % PARTS;
        self.parts.get(index).unwrap_or(first)
    }
}

impl Part {
    fn put(&self, token: Box<str>, said: Said) {
        let mut young = self.young.write().unwrap_or_else(PoisonError::into_inner);
        if young.len() >= ROOM {
            *self.old.lock().unwrap_or_else(PoisonError::into_inner) = std::mem::take(&mut young);
        }
        young.insert(token, said);
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn said(number: i64) -> Said {
        Said { session: SessionId(Uuid::nil()), user: UserId(Uuid::nil()), by: None, iat: number, exp: number }
    }

    #[test]
    fn the_number_kept_is_bounded_and_what_is_asked_for_stays() {
        let verified = Verified::default();
        verified.keep("often", said(-1));
        let most = i64::try_from(PARTS * ROOM * 4).unwrap();
        for number in 0..most {
            verified.keep(&format!("token {number}"), said(number));
            assert_eq!(verified.get("often"), Some(said(-1)));
        }
        assert_eq!(verified.get(&format!("token {}", most - 1)), Some(said(most - 1)));
        assert_eq!(verified.get("token 0"), None);
        let kept: usize =
            verified.parts.iter().map(|part| part.young.read().unwrap().len() + part.old.lock().unwrap().len()).sum();
        assert!(kept <= PARTS * ROOM * 2, "{kept}");
        verified.clear();
        assert_eq!(verified.get("often"), None);
    }
}
