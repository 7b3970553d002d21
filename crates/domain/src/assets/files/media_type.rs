//! What a file is said to be, and whether its first bytes agree.

use std::fmt;

use async_trait::async_trait;
use bytes::Bytes;

use crate::{
    assets::Chunks,
    error::{Breach, Error, Result},
};

/// Most characters of a media type.
const MOST: usize = 127;

/// First bytes that are looked at.
const LOOKED_AT: usize = 16;

/// How files of these types begin. What is not here is believed: nothing is ever shown as a page, whatever it says it is.
const BEGINNINGS: &[(&str, &[&[u8]])] = &[
    ("image/png", &[b"\x89PNG\r\n\x1a\n"]),
    ("image/jpeg", &[b"\xff\xd8\xff"]),
    ("image/gif", &[b"GIF87a", b"GIF89a"]),
    ("image/webp", &[b"RIFF"]),
    ("application/pdf", &[b"%PDF-"]),
    ("application/zip", &[b"PK\x03\x04", b"PK\x05\x06"]),
    ("model/3mf", &[b"PK\x03\x04"]),
    ("application/gzip", &[b"\x1f\x8b"]),
    ("model/gltf-binary", &[b"glTF"]),
];

/// A media type without parameters, in small letters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MediaType(String);

impl MediaType {
    /// The type of bytes nothing is said of.
    pub const ANY: &'static str = "application/octet-stream";

    /// The type of a `Content-Type`; parameters are left away.
    ///
    /// # Errors
    /// The rule that it breaks.
    pub fn new(text: &str) -> Result<Self, Breach> {
        let essence = text.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        let token = |part: &str| {
            let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$&-^_.+".contains(&byte);
            !part.is_empty() && part.bytes().all(fits)
        };
        match essence.split_once('/') {
            Some((kind, subtype)) if essence.len() <= MOST && token(kind) && token(subtype) => Ok(Self(essence)),
            _ => Err(Breach::new("media_type", "must be a media type, such as model/stl")),
        }
    }

    /// A type that was checked when it was stored.
    pub fn stored(text: String) -> Self {
        Self(text)
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether a file of this type may begin so.
    fn may_begin(&self, first: &[u8]) -> bool {
        let known = BEGINNINGS.iter().find(|(name, _)| *name == self.0);
        known.is_none_or(|(_, beginnings)| beginnings.iter().any(|one| first.starts_with(one)))
    }
}

impl Default for MediaType {
    fn default() -> Self {
        Self(Self::ANY.to_owned())
    }
}

impl fmt::Display for MediaType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A source that breaks off when its first bytes are not of the type it is said to be.
pub struct Sniffed<'a> {
    source: &'a mut dyn Chunks,
    media_type: &'a MediaType,
    /// The first bytes, until they were looked at.
    first: Option<Vec<u8>>,
}

impl fmt::Debug for Sniffed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sniffed").field("media_type", &self.media_type).finish_non_exhaustive()
    }
}

impl<'a> Sniffed<'a> {
    /// This source, said to be of this type.
    pub fn new(source: &'a mut dyn Chunks, media_type: &'a MediaType) -> Self {
        Self { source, media_type, first: Some(Vec::new()) }
    }

    fn look(&mut self, piece: Option<&Bytes>) -> Result<()> {
        let Some(first) = &mut self.first else { return Ok(()) };
        let more = LOOKED_AT.saturating_sub(first.len());
        first.extend(piece.into_iter().flatten().take(more));
        if first.len() < LOOKED_AT && piece.is_some() {
            return Ok(());
        }
        let fits = self.media_type.may_begin(first);
        self.first = None;
        if fits {
            Ok(())
        } else {
            Err(Error::invalid("mediaType", "mismatch", "the bytes are not of the type they are said to be"))
        }
    }
}

#[async_trait]
impl Chunks for Sniffed<'_> {
    async fn next(&mut self) -> Result<Option<Bytes>> {
        let piece = self.source.next().await?;
        self.look(piece.as_ref())?;
        Ok(piece)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::assets::Whole;

    #[test]
    fn a_type_is_read_without_its_parameters() {
        assert_eq!(MediaType::new("Text/Plain; charset=utf-8").unwrap().as_str(), "text/plain");
        for bad in [
            "",
            "text",
            "text/",
            "/plain",
            "te xt/plain",
            "text/pl\u{e4}in",
            "a/b/c",
            "*/*",
            &format!("a/{}", "b".repeat(126)),
        ] {
            assert!(MediaType::new(bad).is_err(), "{bad}");
        }
    }

    /// The same bytes, one by one.
    struct Dripping(std::slice::Iter<'static, u8>);

    #[async_trait]
    impl Chunks for Dripping {
        async fn next(&mut self) -> Result<Option<Bytes>> {
            Ok(self.0.next().map(|byte| vec![*byte].into()))
        }
    }

    async fn passes(kind: &str, bytes: &'static [u8]) -> bool {
        let kind = MediaType::new(kind).unwrap();
        let mut verdicts = Vec::new();
        let sources: [Box<dyn Chunks>; 2] = [Box::new(Whole::new(bytes)), Box::new(Dripping(bytes.iter()))];
        for mut source in sources {
            let mut sniffed = Sniffed::new(&mut *source, &kind);
            verdicts.push(loop {
                match sniffed.next().await {
                    Ok(Some(_)) => {}
                    Ok(None) => break true,
                    Err(_) => break false,
                }
            });
        }
        assert_eq!(verdicts[0], verdicts[1], "pieces make no difference");
        verdicts[0]
    }

    #[tokio::test]
    async fn what_is_said_must_agree_with_how_it_begins() {
        assert!(passes("image/png", b"\x89PNG\r\n\x1a\nand so on and on").await);
        assert!(passes("application/pdf", b"%PDF-1.7").await);
        assert!(!passes("image/png", b"<svg xmlns=\"http://www.w3.org/2000/svg\">").await);
        assert!(!passes("image/jpeg", b"\xff\xd8").await, "too short to be one");
        assert!(!passes("image/gif", b"").await);
        assert!(passes("text/html", b"anything").await, "what has no such beginning is believed");
    }
}
