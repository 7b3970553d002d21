//! Signs that a file is something else beside a picture.

/// What a page, a program or a document begins with, as it could stand in a comment of a picture.
const MARKUP: &[(&[u8], &str)] = &[
    (b"<script", "a web page"),
    (b"<html", "a web page"),
    (b"<!doctype html", "a web page"),
    (b"<iframe", "a web page"),
    (b"<svg", "an SVG"),
    (b"<?php", "a PHP program"),
    (b"%pdf-", "a PDF"),
];

/// The record at the end of a ZIP archive: its signature, how long it is, and how far from the end a comment may push it.
const END_OF_ARCHIVE: &[u8] = b"PK\x05\x06";
const RECORD: usize = 22;
const REACH: usize = RECORD + 0xffff;

/// What stands in a piece of metadata and belongs into no picture.
pub(super) fn in_metadata(metadata: &[u8]) -> Option<&'static str> {
    let begins = |rest: &[u8], sign: &[u8]| rest.get(..sign.len()).is_some_and(|text| text.eq_ignore_ascii_case(sign));
    (0..metadata.len()).find_map(|at| {
        let rest = metadata.get(at..)?;
        if !matches!(rest.first(), Some(b'<' | b'%')) {
            return None;
        }
        MARKUP.iter().find(|(sign, _)| begins(rest, sign)).map(|(_, name)| *name)
    })
}

/// Whether a program that unpacks archives would take the file for one: they look for the record from the end.
pub(super) fn is_archive(file: &[u8]) -> bool {
    let tail = file.get(file.len().saturating_sub(REACH)..).unwrap_or_default();
    (0..tail.len().saturating_sub(RECORD - 1)).any(|at| {
        let Some(record) = tail.get(at..at + RECORD) else { return false };
        // A comment that ends where the file does: four bytes alone would be found in noise now and then.
        record.starts_with(END_OF_ARCHIVE)
            && record.get(20..).and_then(|bytes| bytes.try_into().ok()).map(u16::from_le_bytes).map(usize::from)
                <= Some(tail.len() - at - RECORD)
            && record.get(4..8) == Some(&[0; 4])
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_and_programs_are_found_in_any_case() {
        assert_eq!(in_metadata(b"GIF comment <SCRIPT>alert(1)</script>"), Some("a web page"));
        assert_eq!(in_metadata(b"<?PHP system('x');"), Some("a PHP program"));
        assert_eq!(in_metadata(b"x:xmpmeta <rdf:RDF> 100 % of < all"), None);
    }

    #[test]
    fn an_archive_is_found_by_its_end() {
        let mut file = vec![7; 100];
        assert!(!is_archive(&file));
        file.extend_from_slice(b"PK\x05\x06\0\0\0\0\x01\0\x01\0\x30\0\0\0\x10\0\0\0\x02\0hi");
        assert!(is_archive(&file));
        file.truncate(file.len() - 10);
        assert!(!is_archive(&file));
    }
}
