//! How renditions are made.

use std::fmt;

/// Counts what this module changed in how it makes renditions, so that older ones are known to be older.
const GENERATION: u32 = 1;

/// How renditions are made. Its text tells whether one was made as another would be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Recipe {
    /// The edge of the square that the picture fits into, in pixels. It is never enlarged.
    pub edge: u32,
    /// The quality of its JPEG, 1 to 100.
    pub quality: u8,
    /// The edge of the thumbnail, which is a filled square.
    pub thumbnail_edge: u32,
    /// The quality of its JPEG.
    pub thumbnail_quality: u8,
    /// The quality of both as WebP.
    pub webp_quality: u8,
    /// What lies behind transparent places: red, green, blue.
    pub background: [u8; 3],
}

impl Default for Recipe {
    fn default() -> Self {
        Self {
            edge: 1200,
            quality: 90,
            thumbnail_edge: 300,
            thumbnail_quality: 80,
            webp_quality: 80,
            background: [255; 3],
        }
    }
}

/// A recipe that nothing can be made by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("edges are 16 to 8192 pixels, qualities 1 to 100")]
pub struct InvalidRecipe;

impl Recipe {
    /// The recipe, if something can be made by it.
    pub fn checked(self) -> Result<Self, InvalidRecipe> {
        let edges = [self.edge, self.thumbnail_edge].iter().all(|edge| (16..=8192).contains(edge));
        let qualities = [self.quality, self.thumbnail_quality, self.webp_quality].iter().all(|q| (1..=100).contains(q));
        if edges && qualities { Ok(self) } else { Err(InvalidRecipe) }
    }
}

impl fmt::Display for Recipe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { edge, quality, thumbnail_edge, thumbnail_quality, webp_quality, background: [red, green, blue] } =
            self;
        write!(
            f,
            "g{GENERATION} {edge}q{quality} {thumbnail_edge}q{thumbnail_quality} webp{webp_quality} \
             #{red:02x}{green:02x}{blue:02x}"
        )
    }
}
