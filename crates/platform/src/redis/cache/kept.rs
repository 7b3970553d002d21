//! Entries as they lie in Redis.

use std::{sync::Arc, time::Duration};

use domain::{cache::Entry, clock::Timestamp};

use super::check::Token;
use crate::cache::Life;

/// The form of what follows; what has another is not read.
const FORM: u8 = 1;
/// Stands in the place of a coding when there is no such thing.
const ABSENT: u8 = u8::MAX;
/// The codings of answers, by their numbers.
const CODINGS: [Option<&str>; 3] = [None, Some("gzip"), Some("br")];

/// The bytes of an entry, with the tokens it was made under and the moment from which it is old by time.
pub(super) fn write(entry: &Entry, tokens: &[Token], fresh_until: Timestamp) -> Option<Vec<u8>> {
    let mut bytes = vec![FORM, u8::try_from(tokens.len()).ok()?];
    bytes.extend(tokens.iter().flatten());
    bytes.extend(fresh_until.timestamp_micros().to_be_bytes());
    match entry {
        Entry::Absent => bytes.push(ABSENT),
        Entry::Present { tag, coding, body } => {
            let coding = CODINGS.iter().position(|known| known == coding)?;
            bytes.push(u8::try_from(coding).ok()?);
            bytes.extend(u16::try_from(tag.len()).ok()?.to_be_bytes());
            bytes.extend(tag.as_bytes());
            bytes.extend(&**body);
        }
    }
    Some(bytes)
}

/// The entry, when it was made under these tokens, and for how long it is fresh.
pub(super) fn read(bytes: &[u8], tokens: &[Token], now: Timestamp) -> Option<(Entry, Duration)> {
    let ([FORM, count], rest) = bytes.split_first_chunk()? else { return None };
    let (mut rest, mut under) = (rest, Vec::with_capacity(tokens.len()));
    for _ in 0..*count {
        let (token, after) = rest.split_first_chunk()?;
        under.push(*token);
        rest = after;
    }
    if under != tokens {
        return None;
    }
    let (until, rest) = rest.split_first_chunk()?;
    let left = (Timestamp::from_timestamp_micros(i64::from_be_bytes(*until))? - now).to_std().unwrap_or_default();
    let (coding, rest) = rest.split_first()?;
    if *coding == ABSENT {
        return Some((Entry::Absent, left));
    }
    let coding = *CODINGS.get(usize::from(*coding))?;
    let (length, rest) = rest.split_first_chunk()?;
    let (tag, body) = rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
    let tag = std::str::from_utf8(tag).ok()?.to_owned();
    Some((Entry::Present { tag, coding, body: Arc::from(body) }, left))
}

/// For how much longer what was found is served: the clocks of two nodes may differ, so never longer than a new one.
pub(super) fn life(left: Duration, new: Life) -> Life {
    Life { fresh: left.min(new.fresh), stale: new.stale }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_reads_back_under_the_same_tokens_only() {
        let (now, tokens) = (Timestamp::UNIX_EPOCH + Duration::from_hours(1_000), [[1; 16], [2; 16]]);
        let body: Arc<[u8]> = (0..=u8::MAX).collect::<Vec<_>>().into();
        let present = |tag: &str, coding| Entry::Present { tag: tag.to_owned(), coding, body: Arc::clone(&body) };
        for entry in [
            Entry::Absent,
            present("", None),
            present("\"7-abc\"", Some("gzip")),
            present("é", Some("br")),
            Entry::Present { tag: "t".to_owned(), coding: None, body: Arc::default() },
        ] {
            let bytes = write(&entry, &tokens, now + Duration::from_secs(5)).unwrap();
            assert_eq!(read(&bytes, &tokens, now), Some((entry.clone(), Duration::from_secs(5))));
            assert_eq!(read(&bytes, &tokens, now + Duration::from_secs(9)), Some((entry, Duration::ZERO)));
            for other in [&[[1; 16], [3; 16]][..], &[[2; 16], [1; 16]], &[[1; 16]], &[[1; 16], [2; 16], [3; 16]]] {
                assert_eq!(read(&bytes, other, now), None);
            }
        }
        assert!(write(&present("", Some("zstd")), &tokens, now).is_none());
    }

    #[test]
    fn what_is_no_entry_is_none() {
        let (now, tokens) = (Timestamp::UNIX_EPOCH, [[1; 16]]);
        let entry = Entry::Present { tag: "tag".to_owned(), coding: None, body: Arc::from(&b""[..]) };
        let bytes = write(&entry, &tokens, now).unwrap();
        for length in 0..bytes.len() {
            assert_eq!(read(&bytes[..length], &tokens, now), None, "{length}");
        }
        for broken in [&[2, 0][..], &[1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9, 0, 0], b"nothing of ours"] {
            assert_eq!(read(broken, &[], now), None);
        }
    }
}
