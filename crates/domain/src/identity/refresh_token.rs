//! Refresh tokens: opaque, each good once, none of them stored.
//!
//! A token is a keyed hash of its family's random bytes, its session and its generation, with a key that is not in the
//! database. So who reads the database can make none, whoever races for a successor gets the same one (ruling R35), and one that
//! was used long ago is still known for what it is.

use super::StoredSession;
use crate::{
    id::SessionId,
    secrets::{Mac, hex},
};

/// What every refresh token begins with, so that scanners for secrets find it and nobody takes it for another kind.
pub const REFRESH_PREFIX: &str = "souk_rt_";

/// A refresh token as somebody sent it; `Debug` does not show its secret.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct RefreshToken {
    /// The session it belongs to.
    pub session: SessionId,
    /// Which of the session's tokens it is.
    pub generation: u32,
    tag: [u8; 32],
}

impl std::fmt::Debug for RefreshToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RefreshToken").field("session", &self.session).finish_non_exhaustive()
    }
}

impl RefreshToken {
    /// The token of a session that is good now.
    pub fn of(mac: &dyn Mac, session: &StoredSession) -> Self {
        let (id, generation) = (session.id, session.generation);
        Self { session: id, generation, tag: tag(mac, &session.family, id, generation) }
    }

    /// Reads a token; `None` for what has not the form of one.
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_prefix(REFRESH_PREFIX)?;
        let bytes: [u8; 52] = unhex(digits)?;
        let (id, rest) = bytes.split_first_chunk::<16>()?;
        let (generation, tag) = rest.split_first_chunk::<4>()?;
        Some(Self {
            session: SessionId(uuid::Uuid::from_bytes(*id)),
            generation: u32::from_be_bytes(*generation),
            tag: tag.try_into().ok()?,
        })
    }

    /// Whether this shop made it for this session.
    pub fn fits(&self, mac: &dyn Mac, session: &StoredSession) -> bool {
        let expected = tag(mac, &session.family, self.session, self.generation);
        // Every byte is looked at, so that the time says nothing of how many were right.
        let differs = expected.iter().zip(&self.tag).fold(0, |differs, (one, other)| differs | (one ^ other));
        self.session == session.id && differs == 0
    }

    /// What the client keeps: the prefix and 104 hexadecimal digits.
    pub fn expose(&self) -> String {
        let generation = self.generation.to_be_bytes();
        let parts = [self.session.0.as_bytes().as_slice(), generation.as_slice(), self.tag.as_slice()];
        format!("{REFRESH_PREFIX}{}", hex(&parts.concat()))
    }
}

fn tag(mac: &dyn Mac, family: &[u8; 32], session: SessionId, generation: u32) -> [u8; 32] {
    let generation = generation.to_be_bytes();
    mac.mac(&[b"refresh:".as_slice(), family, session.0.as_bytes(), &generation].concat())
}

/// The bytes of so many pairs of lower-case hexadecimal digits, so that one token has one form.
fn unhex<const N: usize>(digits: &str) -> Option<[u8; N]> {
    let digit = |byte: &u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    let (pairs, rest) = digits.as_bytes().as_chunks::<2>();
    let bytes: Option<Vec<u8>> = pairs.iter().map(|[high, low]| Some(digit(high)? << 4 | digit(low)?)).collect();
    if rest.is_empty() { bytes?.try_into().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Fixtures, PlainMac};

    #[test]
    fn a_token_reads_back_and_nothing_else_fits() {
        let (given, _) = Fixtures::in_memory();
        let session = given.session(given.shop.id());
        let token = RefreshToken::of(&PlainMac, &session);
        let text = token.expose();
        assert_eq!((text.len(), RefreshToken::parse(&text)), (112, Some(token)));
        assert!(token.fits(&PlainMac, &session));
        assert!(!format!("{token:?}").contains(&text[60..]));
        let other = given.session(session.user);
        assert!(!RefreshToken { session: other.id, ..token }.fits(&PlainMac, &other));
        assert!(!RefreshToken { generation: 1, ..token }.fits(&PlainMac, &session));
        let last = if text.ends_with('0') { '1' } else { '0' };
        let forged = format!("{}{last}", &text[..text.len() - 1]);
        assert!(!RefreshToken::parse(&forged).unwrap().fits(&PlainMac, &session));
        let bad = [String::new(), text.to_uppercase(), text[8..].to_owned(), format!("{text}0"), format!("{text}00")];
        for bad in bad {
            assert_eq!(RefreshToken::parse(&bad), None, "{bad}");
        }
    }
}
