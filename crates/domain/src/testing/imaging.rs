//! Pictures for tests: what is made of a file says so, and is no picture.

use async_trait::async_trait;
use bytes::Bytes;

use crate::{
    assets::{
        Digest,
        image::{
            ports::{Imaging, Made, MadeRendition},
            refused,
        },
    },
    error::Result,
};

/// Takes files that begin as a JPEG or a PNG does.
#[derive(Debug, Clone)]
pub struct PlainImaging {
    /// Is in all it makes.
    pub recipe: String,
}

impl Default for PlainImaging {
    fn default() -> Self {
        Self { recipe: "plain".to_owned() }
    }
}

#[async_trait]
impl Imaging for PlainImaging {
    fn recipe(&self) -> &str {
        &self.recipe
    }

    async fn make(&self, file: Bytes, lies: Option<u8>) -> Result<Made> {
        let media_type = match file.as_ref() {
            [0xff, 0xd8, 0xff, ..] => "image/jpeg",
            [0x89, b'P', b'N', b'G', ..] => "image/png",
            _ => return Err(refused("is not a JPEG or PNG")),
        };
        let digest = Digest::of(&file);
        let made = |what: &str| Bytes::from(format!("{what} by {} of {digest}", self.recipe));
        let rendition = |name: &str, width, height| MadeRendition {
            width,
            height,
            jpeg: made(&format!("{name} as JPEG")),
            webp: made(&format!("{name} as WebP")),
        };
        Ok(Made {
            source: file,
            media_type,
            width: 2400,
            height: 1800,
            orientation: lies.unwrap_or(1),
            main: rendition("picture", 1200, 900),
            thumbnail: rendition("thumbnail", 300, 300),
            placeholder: "1QcSHQRnh493V4dIh4eXh1h4kJUI".to_owned(),
            colour: "#a08040".to_owned(),
        })
    }
}
