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
/// By so many of its last characters a token is found. They are of the signature, which is as good as random.
const END: usize = 24;
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
    young: RwLock<Generation>,
    old: Mutex<Generation>,
}

/// Whole tokens by their ends. To find one of half a kilobyte by all of it would cost more than all else here.
type Generation = HashMap<End, (Box<str>, Said)>;
type End = [u8; END];

impl Default for Verified {
    fn default() -> Self {
        Self { parts: Default::default(), choose: RandomState::new() }
    }
}

impl Verified {
    /// What a token says that was seen lately.
    pub(crate) fn get(&self, token: &str) -> Option<Said> {
        let end = end(token)?;
        let part = self.part(end);
        if let Some((known, said)) = part.young.read().unwrap_or_else(PoisonError::into_inner).get(end) {
            return (**known == *token).then_some(*said);
        }
        let mut old = part.old.lock().unwrap_or_else(PoisonError::into_inner);
        old.get(end).filter(|(known, _)| **known == *token)?;
        let (known, said) = old.remove(end)?;
        drop(old);
        part.put(*end, known, said);
        Some(said)
    }

    /// Keeps what a token says whose signature is good.
    pub(crate) fn keep(&self, token: &str, said: Said) {
        if let Some(end) = end(token) {
            self.part(end).put(*end, token.into(), said);
        }
    }

    /// Forgets all, since a key is gone.
    pub(crate) fn clear(&self) {
        for part in &self.parts {
            part.young.write().unwrap_or_else(PoisonError::into_inner).clear();
            part.old.lock().unwrap_or_else(PoisonError::into_inner).clear();
        }
    }

    fn part(&self, end: &End) -> &Part {
        // Who sends the end of others' only finds nothing.
        let number = self.choose.hash_one(end);
        let [first, ..] = &self.parts;
        let index = usize::try_from(number).unwrap_or_default() % PARTS;
        self.parts.get(index).unwrap_or(first)
    }
}

/// The end of a token; none of what is too short to be one.
fn end(token: &str) -> Option<&End> {
    token.as_bytes().last_chunk()
}

impl Part {
    fn put(&self, end: End, token: Box<str>, said: Said) {
        let mut young = self.young.write().unwrap_or_else(PoisonError::into_inner);
        if young.len() >= ROOM {
            *self.old.lock().unwrap_or_else(PoisonError::into_inner) = std::mem::take(&mut young);
        }
        young.insert(end, (token, said));
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn said(number: i64) -> Said {
        Said { session: SessionId(Uuid::nil()), user: UserId(Uuid::nil()), by: None, iat: number, exp: number }
    }

    const OFTEN: &str = "a token that is asked for often";

    fn token(number: i64) -> String {
        format!("token with a signature {number:024}")
    }

    #[test]
    fn what_has_the_end_of_a_token_and_is_another_is_not_known() {
        let verified = Verified::default();
        verified.keep(&token(1), said(1));
        assert_eq!(verified.get(&token(1)), Some(said(1)));
        for other in [format!("x{}", token(1)), token(1).replace('w', "W"), token(1)[1..].to_owned()] {
            assert_eq!(verified.get(&other), None, "{other}");
        }
        assert_eq!((verified.get("short"), verified.get("")), (None, None));
        verified.keep("short", said(2));
        assert_eq!(verified.get("short"), None);
    }

    #[test]
    fn the_number_kept_is_bounded_and_what_is_asked_for_stays() {
        let verified = Verified::default();
        verified.keep(OFTEN, said(-1));
        let most = i64::try_from(PARTS * ROOM * 4).unwrap();
        for number in 0..most {
            verified.keep(&token(number), said(number));
            assert_eq!(verified.get(OFTEN), Some(said(-1)));
        }
        assert_eq!(verified.get(&token(most - 1)), Some(said(most - 1)));
        assert_eq!(verified.get(&token(0)), None);
        let kept: usize =
            verified.parts.iter().map(|part| part.young.read().unwrap().len() + part.old.lock().unwrap().len()).sum();
        assert!(kept <= PARTS * ROOM * 2, "{kept}");
        verified.clear();
        assert_eq!(verified.get(OFTEN), None);
    }
}
