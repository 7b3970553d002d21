//! Places in lists of what was spent: opaque, signed, and good for the list they were made for.

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use domain::secrets::Mac;
use serde::{Serialize, de::DeserializeOwned};

/// Bytes of the signature kept.
const SIGNATURE: usize = 16;

/// The text of a place in a list.
pub(super) fn seal<T: Serialize>(mac: &dyn Mac, list: &str, place: &T) -> String {
    let mut bytes = serde_json::to_vec(place).unwrap_or_default();
    let signature = sign(mac, list, &bytes);
    bytes.extend_from_slice(&signature);
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}

/// The place of a text; `None` when it was not made by us for this list.
pub(super) fn open<T: DeserializeOwned>(mac: &dyn Mac, list: &str, text: &str) -> Option<T> {
    let bytes = BASE64_URL_SAFE_NO_PAD.decode(text).ok()?;
    let (place, signature) = bytes.split_at_checked(bytes.len().checked_sub(SIGNATURE)?)?;
    if signature != sign(mac, list, place) {
        return None;
    }
    serde_json::from_slice(place).ok()
}

fn sign(mac: &dyn Mac, list: &str, place: &[u8]) -> [u8; SIGNATURE] {
    let whole = mac.mac(&[b"spending\0", list.as_bytes(), b"\0", place].concat());
    whole.first_chunk().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use sha2::{Digest as _, Sha256};

    use super::*;

    struct Keyed;

    impl Mac for Keyed {
        fn mac(&self, bytes: &[u8]) -> [u8; 32] {
            Sha256::digest(bytes).into()
        }
    }

    #[test]
    fn a_place_opens_in_its_own_list_alone() {
        let text = seal(&Keyed, "by day", &vec!["2026-11-27"]);
        assert_eq!(open::<Vec<String>>(&Keyed, "by day", &text), Some(vec!["2026-11-27".to_owned()]));
        assert_eq!(open::<Vec<String>>(&Keyed, "by user", &text), None);
        for garbage in ["", "AAAA", "%", "ÄÖÜ"] {
            assert_eq!(open::<Vec<String>>(&Keyed, "by day", garbage), None, "{garbage}");
        }
    }
}
