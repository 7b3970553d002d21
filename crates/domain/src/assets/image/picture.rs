//! What is kept of an uploaded picture.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{assets::Digest, clock::Entropy, id::ProductId};

/// The letters of a key: those of a nanoid.
const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
/// How many letters a key has: 126 bits, so that nobody finds a picture they were not shown.
const LENGTH: usize = 21;
/// Where all pictures are.
const BELOW: &str = "/media/products/";
/// What the file of a thumbnail begins with.
const THUMBNAIL: &str = "thumb_";

/// What a picture is named by in its address (MED-04).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Key(String);

impl Key {
    /// A new one.
    pub fn new(entropy: &dyn Entropy) -> Self {
        let mut bytes = [0; LENGTH];
        entropy.fill(&mut bytes);
        Self(bytes.iter().filter_map(|byte| LETTERS.get(usize::from(byte % 64))).copied().map(char::from).collect())
    }

    /// Its letters.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Which rendition of a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum View {
    /// The picture.
    Main,
    /// The square for lists.
    Thumbnail,
}

impl View {
    /// Which rendition of which key a file name such as `thumb_V1StGXR8_Z5jdHi6B-myT.jpg` means.
    pub fn of_file(name: &str) -> Option<(Self, Key)> {
        let name = name.strip_suffix(".jpg")?;
        let (view, key) = name.strip_prefix(THUMBNAIL).map_or((Self::Main, name), |key| (Self::Thumbnail, key));
        let fits = key.len() == LENGTH && key.bytes().all(|letter| LETTERS.contains(&letter));
        fits.then(|| (view, Key(key.to_owned())))
    }
}

/// Bytes in the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Piece {
    /// What they are.
    pub digest: Digest,
    /// How many.
    pub size: u64,
}

/// What was uploaded, without its metadata: of it everything else can be made anew.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Source {
    /// Its bytes. Nobody is shown them.
    #[serde(flatten)]
    pub piece: Piece,
    /// What it is, such as `image/png`.
    pub media_type: String,
    /// How wide it is, the right way up.
    pub width: u32,
    /// How high.
    pub height: u32,
    /// Which way up it lies, by the numbers of Exif.
    pub orientation: u8,
}

/// A picture in one size, in both formats.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rendition {
    /// How wide.
    pub width: u32,
    /// How high.
    pub height: u32,
    /// For everybody.
    pub jpeg: Piece,
    /// For those who take it.
    pub webp: Piece,
}

/// What is kept of an uploaded picture.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Picture {
    /// What it is named by.
    pub key: Key,
    /// Counts how often its renditions were made, from 1.
    pub revision: u32,
    /// How they were made.
    pub recipe: String,
    /// What was uploaded.
    pub source: Source,
    /// The picture.
    pub main: Rendition,
    /// The square for lists.
    pub thumbnail: Rendition,
    /// A blur to show before the picture is there: a `ThumbHash` in base64.
    pub placeholder: String,
    /// The colour most of it is near to, as `#rrggbb`.
    pub colour: String,
}

impl Picture {
    /// Where a rendition is, without the origin. What lies at this address never changes: another revision has another one.
    pub fn address(&self, product: ProductId, view: View) -> String {
        format!("{}?v={}", self.path(product, view), self.revision)
    }

    /// The address without its revision.
    pub fn path(&self, product: ProductId, view: View) -> String {
        let prefix = if view == View::Thumbnail { THUMBNAIL } else { "" };
        format!("{BELOW}{product}/{prefix}{}.jpg", self.key)
    }

    /// A rendition.
    pub fn rendition(&self, view: View) -> &Rendition {
        match view {
            View::Main => &self.main,
            View::Thumbnail => &self.thumbnail,
        }
    }

    /// What is shown of it to anybody.
    pub fn shown(&self) -> [Piece; 4] {
        [self.main.jpeg, self.main.webp, self.thumbnail.jpeg, self.thumbnail.webp]
    }

    /// How many bytes are kept for it.
    pub fn bytes(&self) -> u64 {
        self.source.piece.size + self.shown().iter().map(|piece| piece.size).sum::<u64>()
    }
}

/// Whether a text is meant as the address of an uploaded picture, without an origin.
pub(crate) fn is_address(text: &str) -> bool {
    text.starts_with(BELOW)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Fixtures;

    #[test]
    fn a_file_name_says_which_rendition_of_which_picture() {
        let (given, _) = Fixtures::in_memory();
        let (product, key) = (given.shop.id::<ProductId>(), Key::new(&*given.shop.entropy));
        let picture = Picture { key: key.clone(), ..given.picture() };
        for view in [View::Main, View::Thumbnail] {
            let path = picture.path(product, view);
            assert_eq!(View::of_file(path.rsplit_once('/').unwrap().1), Some((view, key.clone())));
            assert_eq!(picture.address(product, view), format!("{path}?v=1"));
        }
        for other in ["", ".jpg", "x.jpg", &format!("{key}.png"), &format!("{key}x.jpg"), &format!("../{key}.jpg")] {
            assert_eq!(View::of_file(other), None, "{other}");
        }
    }
}
