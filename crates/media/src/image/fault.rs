//! Why a file is refused.

use super::Format;

/// Why a file is refused, in words that go on from "The file".
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// It is nothing we know.
    #[error("is not a JPEG, PNG, GIF or WebP picture")]
    NotAPicture,
    /// It is a picture of a kind that is decoded nowhere.
    #[error("is a {0} of a kind that is not supported: {1}")]
    Unsupported(Format, &'static str),
    /// It breaks off, or contradicts itself.
    #[error("is a damaged {0}: {1}")]
    Damaged(Format, &'static str),
    /// It goes on behind the picture.
    #[error("goes on behind the end of the {0}")]
    Trailing(Format),
    /// It is something else as well.
    #[error("is a {0} and {1} in one")]
    Foreign(Format, &'static str),
    /// It unfolds to more than may be.
    #[error("has {width} x {height} pixels, which is more than {most} million")]
    TooManyPixels {
        /// How wide it says it is.
        width: u32,
        /// How high.
        height: u32,
        /// How many millions may be.
        most: u32,
    },
}
