//! `Range` and `If-Range` (RFC 9110, 14).

use std::ops::Range;

use actix_web::http::header::{self, HeaderMap};

/// What of a file is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Asked {
    /// All of it: also for several ranges, which nobody has to be given, and for what is no range.
    Whole,
    /// A part, from its first byte to behind its last.
    Part(Range<u64>),
    /// Nothing that is there.
    Nowhere,
}

/// What is asked for of a file of that size with that tag.
pub(super) fn asked(headers: &HeaderMap, size: u64, tag: &str) -> Asked {
    let mut given = headers.get_all(header::RANGE);
    let (Some(one), None) = (given.next(), given.next()) else { return Asked::Whole };
    // Only the same bytes go on where they stopped. A moment, or a weak tag, says nothing of bytes.
    if headers.get(header::IF_RANGE).is_some_and(|known| known.as_bytes() != tag.as_bytes()) {
        return Asked::Whole;
    }
    one.to_str().ok().and_then(|text| part(text, size)).unwrap_or(Asked::Whole)
}

/// The part that a value means; `None` for none that we know.
fn part(text: &str, size: u64) -> Option<Asked> {
    let (unit, ranges) = text.split_once('=')?;
    if !unit.trim().eq_ignore_ascii_case("bytes") || ranges.contains(',') {
        return None;
    }
    let (first, last) = ranges.trim().split_once('-')?;
    let range = match (first, last) {
        ("", last) => {
            let last = number(last)?;
            if last == 0 {
                return Some(Asked::Nowhere);
            }
            size.saturating_sub(last)..size
        }
        (first, "") => number(first)?..size,
        (first, last) => {
            let (first, last) = (number(first)?, number(last)?);
            if last < first {
                return None;
            }
            first..last.saturating_add(1).min(size)
        }
    };
    Some(if range.start < size { Asked::Part(range) } else { Asked::Nowhere })
}

/// A number however long; none is greater than all files.
fn number(digits: &str) -> Option<u64> {
    if digits.is_empty() || !digits.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    Some(digits.parse().unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::HeaderValue;

    use super::*;

    fn of(range: &str, if_range: Option<&str>) -> Asked {
        let mut headers = HeaderMap::new();
        headers.insert(header::RANGE, HeaderValue::from_str(range).unwrap());
        if let Some(tag) = if_range {
            headers.insert(header::IF_RANGE, HeaderValue::from_str(tag).unwrap());
        }
        asked(&headers, 10, "\"abc\"")
    }

    #[test]
    fn one_range_is_a_part() {
        for (text, expected) in [
            ("bytes=0-0", 0..1),
            ("bytes=0-", 0..10),
            ("bytes=3-5", 3..6),
            ("Bytes= 9-9", 9..10),
            ("bytes=5-99999999999999999999999", 5..10),
            ("bytes=-3", 7..10),
            ("bytes=-30", 0..10),
        ] {
            assert_eq!(of(text, None), Asked::Part(expected), "{text}");
        }
    }

    #[test]
    fn what_is_not_there_is_nowhere_and_what_is_no_range_is_nothing() {
        for text in ["bytes=10-", "bytes=99999999999999999999999-", "bytes=-0"] {
            assert_eq!(of(text, None), Asked::Nowhere, "{text}");
        }
        for text in ["bytes=", "bytes=-", "bytes=5-3", "bytes=+1-2", "bytes=a-b", "items=0-1", "bytes=0-1,3-4", "0-1"] {
            assert_eq!(of(text, None), Asked::Whole, "{text}");
        }
        assert_eq!(asked(&HeaderMap::new(), 10, "\"abc\""), Asked::Whole);
        let mut empty = HeaderMap::new();
        empty.insert(header::RANGE, HeaderValue::from_static("bytes=0-"));
        assert_eq!(asked(&empty, 0, "\"abc\""), Asked::Nowhere);
    }

    #[test]
    fn only_the_same_bytes_are_gone_on_with() {
        assert_eq!(of("bytes=3-5", Some("\"abc\"")), Asked::Part(3..6));
        for other in ["\"abd\"", "W/\"abc\"", "Sat, 29 Oct 1994 19:43:31 GMT"] {
            assert_eq!(of("bytes=3-5", Some(other)), Asked::Whole, "{other}");
        }
    }
}
