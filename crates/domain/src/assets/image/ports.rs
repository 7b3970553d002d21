//! What uploaded pictures need from outside.

use async_trait::async_trait;
use bytes::Bytes;

use super::{Key, Picture};
use crate::{error::Result, id::ProductId};

/// A rendition as bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MadeRendition {
    /// How wide.
    pub width: u32,
    /// How high.
    pub height: u32,
    /// As JPEG.
    pub jpeg: Bytes,
    /// As WebP.
    pub webp: Bytes,
}

/// What was made of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Made {
    /// The file without its metadata.
    pub source: Bytes,
    /// What it is, such as `image/png`.
    pub media_type: &'static str,
    /// How wide it is, the right way up.
    pub width: u32,
    /// How high.
    pub height: u32,
    /// Which way up it lies, by the numbers of Exif.
    pub orientation: u8,
    /// The picture.
    pub main: MadeRendition,
    /// The square for lists.
    pub thumbnail: MadeRendition,
    /// A `ThumbHash` in base64.
    pub placeholder: String,
    /// The colour most of it is near to, as `#rrggbb`.
    pub colour: String,
}

/// Makes pictures of files. How many are made at once, and with that the memory it takes, is bounded: others wait.
#[async_trait]
pub trait Imaging: Send + Sync {
    /// How renditions are made at present; another text when they would be others.
    fn recipe(&self) -> &str;

    /// Looks through a file and makes its renditions. `lies` says which way up it lies where that is known from elsewhere.
    ///
    /// # Errors
    /// [`refused`](super::refused) when it is no picture that is taken.
    async fn make(&self, file: Bytes, lies: Option<u8>) -> Result<Made>;
}

/// The read side of uploaded pictures.
#[async_trait]
pub trait PictureQueries: Send + Sync {
    /// The picture of that key, while its product is not deleted.
    async fn find(&self, product: ProductId, key: &Key) -> Result<Option<Picture>>;

    /// Products behind this one, by id, at most `limit`, that have a picture that was made by another recipe. Deleted ones are
    /// left out.
    async fn outdated(&self, recipe: &str, after: Option<ProductId>, limit: u32) -> Result<Vec<ProductId>>;
}
