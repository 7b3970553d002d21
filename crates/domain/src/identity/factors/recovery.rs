//! Recovery codes: for whoever has lost their app. Ten are made at a time, shown once, and each is good once.

use crate::{clock::Entropy, id::UserId, secrets::Mac};

/// How many are made at a time.
pub const RECOVERY_CODES: usize = 10;
/// Letters of a code: 60 bits, more than anybody guesses at through the limits, or at a keyed hash.
const LENGTH: usize = 12;
/// What they are written in: no letter is like another one, or like a digit.
const LETTERS: &[u8; 32] = b"abcdefghjkmnpqrstuvwxyz023456789";

/// Codes just made: the only time they are there. `Debug` shows none.
#[derive(Clone, PartialEq, Eq)]
pub struct RecoveryCodes(pub Vec<String>);

impl std::fmt::Debug for RecoveryCodes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RecoveryCodes(..)")
    }
}

impl RecoveryCodes {
    /// New ones, such as `k3fw-9qtm-2hzb`.
    pub(super) fn draw(entropy: &dyn Entropy) -> Self {
        let codes = (0..RECOVERY_CODES).map(|_| {
            let mut random = [0; LENGTH];
            entropy.fill(&mut random);
            let letters = random.iter().filter_map(|byte| LETTERS.get(usize::from(byte & 31)).map(|b| char::from(*b)));
            let letters: Vec<char> = letters.collect();
            letters.chunks(4).map(String::from_iter).collect::<Vec<_>>().join("-")
        });
        Self(codes.collect())
    }

    /// What they are kept by.
    pub(super) fn digests(&self, mac: &dyn Mac, user: UserId) -> Vec<[u8; 32]> {
        self.0.iter().filter_map(|code| digest(mac, user, code)).collect()
    }
}

/// What a code is kept by, however it was typed; `None` for what has not the form of one.
pub(super) fn digest(mac: &dyn Mac, user: UserId, typed: &str) -> Option<[u8; 32]> {
    let letters = typed.to_ascii_lowercase().replace(['-', ' '], "");
    let fits = letters.len() == LENGTH && letters.bytes().all(|b| LETTERS.contains(&b));
    fits.then(|| mac.mac(format!("recovery\0{user}\0{letters}").as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{PlainMac, SeededEntropy};

    #[test]
    fn codes_are_told_apart_and_read_however_they_are_typed() {
        let codes = RecoveryCodes::draw(&SeededEntropy::new(7));
        let (ada, bob) = (UserId(uuid::Uuid::from_u128(1)), UserId(uuid::Uuid::from_u128(2)));
        let mut digests = codes.digests(&PlainMac, ada);
        let first = &codes.0[0];
        assert_eq!((first.len(), digests.len()), (14, RECOVERY_CODES), "{first}");
        for typed in [first.to_uppercase(), first.replace('-', ""), first.replace('-', " ")] {
            assert_eq!(digest(&PlainMac, ada, &typed), Some(digests[0]));
        }
        assert_ne!(digest(&PlainMac, bob, first), Some(digests[0]), "they are one person's");
        for bad in ["", "k3fw-9qtm", "k3fw-9qtm-2hz1", "k3fw-9qtm-2hzbk", "\u{212a}3fw-9qtm-2hz"] {
            assert_eq!(digest(&PlainMac, ada, bad), None, "{bad}");
        }
        digests.sort_unstable();
        digests.dedup();
        assert_eq!(digests.len(), RECOVERY_CODES);
        assert_eq!(LETTERS.iter().collect::<std::collections::BTreeSet<_>>().len(), 32);
    }
}
