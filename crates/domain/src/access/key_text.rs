//! The text of an API key: `souk_` and 64 letters of base32, the last of which prove the others, so that a scanner for secrets
//! knows one when it sees it, without asking anybody.

use crate::{clock::Entropy, id::ApiKeyId};

/// What every key begins with.
pub const KEY_PREFIX: &str = "souk_";

/// RFC 4648 base32 in lower case: 40 bytes are 64 letters without padding.
const LETTERS: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
const ID: usize = 16;
const SECRET: usize = 20;
const CHECK: usize = 4;
const BYTES: usize = ID + SECRET + CHECK;

/// The text of an API key, with the id of what is stored of it. `Debug` does not show it.
///
/// `souk_` + base32(id, 16 bytes · secret, 20 bytes · CRC-32 of `souk_`, id and secret, 4 bytes): it fits
/// `souk_[a-z2-7]{64}`.
#[derive(Clone, PartialEq, Eq)]
pub struct KeyText {
    id: ApiKeyId,
    text: String,
}

impl KeyText {
    /// A new text for the key of this id.
    pub fn draw(id: ApiKeyId, entropy: &dyn Entropy) -> Self {
        let mut secret = [0; SECRET];
        entropy.fill(&mut secret);
        let body = [id.0.as_bytes().as_slice(), &secret].concat();
        let check = checksum(&body).to_be_bytes();
        let text = format!("{KEY_PREFIX}{}", encode(&[body.as_slice(), &check].concat()));
        Self { id, text }
    }

    /// Reads a text; `None` for one that Souk did not make.
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = decode(text.strip_prefix(KEY_PREFIX)?)?;
        let (body, check) = bytes.split_at_checked(ID + SECRET)?;
        let (id, _) = body.split_at_checked(ID)?;
        let id = ApiKeyId(uuid::Uuid::from_slice(id).ok()?);
        (checksum(body).to_be_bytes() == *check).then(|| Self { id, text: text.to_owned() })
    }

    /// The key it is of, if it is of any.
    pub fn id(&self) -> ApiKeyId {
        self.id
    }

    /// The characters.
    pub fn expose(&self) -> &str {
        &self.text
    }

    /// The last four characters, by which somebody knows their key again.
    pub fn hint(&self) -> &str {
        self.text.get(self.text.len().saturating_sub(4)..).unwrap_or_default()
    }
}

impl std::fmt::Debug for KeyText {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("KeyText(..)")
    }
}

fn encode(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 8 / 5);
    for chunk in bytes.chunks(5) {
        let group = chunk.iter().fold(0_u64, |group, byte| group << 8 | u64::from(*byte));
        for place in (0..8).rev() {
            let five = usize::try_from(group >> (place * 5) & 31).unwrap_or_default();
            text.push(LETTERS.get(five).copied().map_or('a', char::from));
        }
    }
    text
}

fn decode(text: &str) -> Option<Vec<u8>> {
    if text.len() != BYTES * 8 / 5 {
        return None;
    }
    let mut bytes = Vec::with_capacity(BYTES);
    for chunk in text.as_bytes().chunks(8) {
        let mut group = 0_u64;
        for letter in chunk {
            group = group << 5 | u64::try_from(LETTERS.iter().position(|known| known == letter)?).ok()?;
        }
        bytes.extend(group.to_be_bytes().get(3..)?);
    }
    Some(bytes)
}

/// CRC-32 (IEEE 802.3), as zlib and `cksum` of many tools have it, over `souk_` and these bytes.
fn checksum(body: &[u8]) -> u32 {
    let bytes = KEY_PREFIX.bytes().chain(body.iter().copied());
    !bytes.fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(byte), |crc, _| if crc & 1 == 1 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::SeededEntropy;

    fn key() -> KeyText {
        KeyText::draw(
            ApiKeyId(uuid::Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0007)),
            &SeededEntropy::new(1),
        )
    }

    #[test]
    fn a_key_reads_back_and_no_changed_one_does() {
        let key = key();
        let text = key.expose();
        assert_eq!(KeyText::parse(text), Some(key.clone()));
        assert_eq!((text.len(), &text[..5]), (69, "souk_"));
        assert!(text[5..].bytes().all(|b| b.is_ascii_lowercase() || (b'2'..=b'7').contains(&b)), "{text}");
        for at in 5..text.len() {
            let other = if &text[at..=at] == "a" { "b" } else { "a" };
            let changed = format!("{}{other}{}", &text[..at], &text[at + 1..]);
            assert_eq!(KeyText::parse(&changed), None, "letter {at}");
        }
        for bad in ["", "souk_", &text[5..], &text[..68], &format!("{text}a"), &text.to_uppercase(), "souk_é"] {
            assert_eq!(KeyText::parse(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn nothing_shows_a_key_by_accident() {
        let key = key();
        assert_eq!(format!("{key:?}"), "KeyText(..)");
        assert!(key.expose().ends_with(key.hint()) && key.hint().len() == 4);
    }

    #[test]
    fn the_checksum_is_the_common_one() {
        // CRC-32 of "souk_123456789", as zlib gives it.
        assert_eq!(checksum(b"123456789"), 0xc4c8_f7e7);
    }
}
