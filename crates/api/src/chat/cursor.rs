//! A place in one's list of conversations, as an opaque text. It says nothing that its owner may not know, so it is not signed.

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use chrono::DateTime;
use domain::{assistant::conversation::ports::Place, id::ConversationId};
use uuid::Uuid;

/// The text of a place.
pub(super) fn seal(place: Place) -> String {
    let moment = place.updated_at.timestamp_micros().to_be_bytes();
    BASE64_URL_SAFE_NO_PAD.encode([&moment[..], place.id.0.as_bytes()].concat())
}

/// The place of a text.
pub(super) fn open(text: &str) -> Option<Place> {
    let bytes = BASE64_URL_SAFE_NO_PAD.decode(text).ok()?;
    let (moment, id) = bytes.split_first_chunk::<8>()?;
    Some(Place {
        updated_at: DateTime::from_timestamp_micros(i64::from_be_bytes(*moment))?,
        id: ConversationId(Uuid::from_slice(id).ok()?),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_read_back_and_garbage_is_none() {
        let updated_at = DateTime::from_timestamp_micros(1_767_323_045_000_001).unwrap();
        let place = Place { updated_at, id: ConversationId(Uuid::from_u128(7)) };
        assert_eq!(open(&seal(place)), Some(place));
        for text in ["AAAA", "%", &"A".repeat(40), &seal(place)[1..]] {
            assert_eq!(open(text), None, "{text}");
        }
    }
}
