//! Entity tags as clients send them (RFC 9110, 8.8.3), and which of them are ours.

use domain::catalog::Version;

/// Digits of the digest in a tag of ours.
pub(super) const DIGEST: usize = 16;

/// An entity tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Tag<'a> {
    pub(super) strong: bool,
    pub(super) opaque: &'a [u8],
}

/// The tags of a list; `None` when it is none. Empty elements are skipped, as the RFC asks of readers of lists.
pub(super) fn tags(list: &[u8]) -> Option<Vec<Tag<'_>>> {
    let mut tags = Vec::new();
    let mut rest = list.trim_ascii();
    while !rest.is_empty() {
        if let Some(after) = rest.strip_prefix(b",") {
            rest = after.trim_ascii_start();
            continue;
        }
        let (strong, quoted) = rest.strip_prefix(b"W/").map_or((true, rest), |quoted| (false, quoted));
        let inner = quoted.strip_prefix(b"\"")?;
        let end = inner.iter().position(|byte| *byte == b'"')?;
        let (opaque, after) = inner.split_at_checked(end)?;
        if !opaque.iter().all(|byte| matches!(byte, 0x21 | 0x23..=0x7e | 0x80..)) {
            return None;
        }
        tags.push(Tag { strong, opaque });
        rest = after.strip_prefix(b"\"")?.trim_ascii_start();
        // Between two tags there is a comma.
        if !rest.is_empty() && !rest.starts_with(b",") {
            return None;
        }
    }
    Some(tags)
}

/// The version in a tag of the form we give, `<version>-<digest>`; `None` for every other.
pub(super) fn version(opaque: &[u8]) -> Option<Version> {
    let (digits, digest) = std::str::from_utf8(opaque).ok()?.split_once('-')?;
    let canonical = digits.bytes().all(|byte| byte.is_ascii_digit()) && (digits == "0" || !digits.starts_with('0'));
    let ours = digest.len() == DIGEST && digest.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    (canonical && ours).then(|| digits.parse().ok().map(Version)).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_read_as_the_rfc_says() {
        let strong = |opaque| Tag { strong: true, opaque };
        assert_eq!(tags(b"\"a\", W/\"b\",\t\"c,d\" ,, \"\""), {
            let weak = Tag { strong: false, opaque: &b"b"[..] };
            Some(vec![strong(&b"a"[..]), weak, strong(&b"c,d"[..]), strong(&b""[..])])
        });
        assert_eq!(tags(b" "), Some(vec![]));
        assert_eq!(tags(b"\"\xc3\xa9\""), Some(vec![strong("é".as_bytes())]));
        for bad in ["3", "\"3", "3\"", "w/\"a\"", "W/ \"a\"", "\"a\" \"b\"", "\"a\"b\"", "\"a b\"", "*", "\"a\", *"] {
            assert_eq!(tags(bad.as_bytes()), None, "{bad}");
        }
    }

    #[test]
    fn only_tags_of_our_form_have_a_version() {
        assert_eq!(version(b"3-00ff00ff00ff00ff"), Some(Version(3)));
        for other in [
            "3",
            "3-",
            "3-00ff",
            "3-00ff00ff00ff00ff0",
            "3-00FF00FF00FF00FF",
            "3-00fg00ff00ff00ff",
            "03-00ff00ff00ff00ff",
            "+3-00ff00ff00ff00ff",
            "-3-00ff00ff00ff00ff",
            "-00ff00ff00ff00ff",
            "00ff00ff00ff00ff",
            "99999999999999999999-00ff00ff00ff00ff",
            "",
        ] {
            assert_eq!(version(other.as_bytes()), None, "{other}");
        }
    }
}
