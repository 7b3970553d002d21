//! Which part of a file is asked for (RFC 9110, section 14).

use std::ops::Range;

/// What a `Range` header asks of a file of so many bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Asked {
    /// All of it: nothing was asked, or something that is not understood or several parts, which may be left out of account.
    Whole,
    /// A part.
    Part(Range<u64>),
    /// A part that is not there.
    Nothing,
}

/// Reads a `Range` header.
pub fn asked(header: Option<&str>, size: u64) -> Asked {
    let Some((low, high)) = header.and_then(|text| text.strip_prefix("bytes=")).and_then(|part| part.split_once('-'))
    else {
        return Asked::Whole;
    };
    let number = |text: &str| {
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        // What does not fit is past the end of any file.
        digits.then(|| text.parse().unwrap_or(u64::MAX))
    };
    let (low, high) = (low.trim(), high.trim());
    let range = match (number(low), number(high)) {
        (Some(low), Some(high)) if low <= high => low..high.saturating_add(1).min(size),
        (Some(low), None) if high.is_empty() => low..size,
        (None, Some(last)) if low.is_empty() => size.saturating_sub(last)..size,
        _ => return Asked::Whole,
    };
    if range.start < range.end { Asked::Part(range) } else { Asked::Nothing }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_part_is_understood_and_everything_else_is_the_whole() {
        for (header, expected) in [
            ("bytes=0-0", Asked::Part(0..1)),
            ("bytes=2-", Asked::Part(2..10)),
            ("bytes=-3", Asked::Part(7..10)),
            ("bytes=-30", Asked::Part(0..10)),
            ("bytes=5-99999999999999999999999", Asked::Part(5..10)),
            ("bytes=10-", Asked::Nothing),
            ("bytes=-0", Asked::Nothing),
            ("bytes=4-2", Asked::Whole),
            ("bytes=0-1,3-4", Asked::Whole),
            ("bytes=+1-2", Asked::Whole),
            ("items=0-1", Asked::Whole),
        ] {
            assert_eq!(asked(Some(header), 10), expected, "{header}");
        }
        assert_eq!(asked(None, 10), Asked::Whole);
    }
}
