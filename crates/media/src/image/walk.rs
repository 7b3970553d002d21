//! What a file is, whether it is whole, and what is left of it without its metadata.
//!
//! Each format is walked from its first byte to its last. What is kept is copied piece by piece, so whatever is not known to
//! belong to the picture is gone.

mod gif;
mod jpeg;
mod png;
mod webp;

use std::fmt;

use super::{Fault, Orientation, foreign};

/// The formats that are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// JPEG, baseline or progressive.
    Jpeg,
    /// PNG; of an animated one the picture that stands for it.
    Png,
    /// GIF; the first frame.
    Gif,
    /// WebP; the first frame.
    WebP,
}

impl Format {
    /// Every format.
    pub const ALL: [Self; 4] = [Self::Jpeg, Self::Png, Self::Gif, Self::WebP];

    /// Its media type.
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Jpeg => "image/jpeg",
            Self::Png => "image/png",
            Self::Gif => "image/gif",
            Self::WebP => "image/webp",
        }
    }

    /// The format of a file, by what it begins with.
    pub fn sniff(file: &[u8]) -> Option<Self> {
        match file {
            [0xff, 0xd8, 0xff, ..] => Some(Self::Jpeg),
            [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', ..] => Some(Self::Png),
            [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => Some(Self::Gif),
            [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some(Self::WebP),
            _ => None,
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Jpeg => "JPEG",
            Self::Png => "PNG",
            Self::Gif => "GIF",
            Self::WebP => "WebP",
        })
    }
}

/// A picture that is whole and nothing but a picture: its pixels and colours as they were, without what was said of them.
#[derive(Clone, PartialEq, Eq)]
pub struct Clean {
    /// What it is.
    pub format: Format,
    /// How wide it is, the right way up.
    pub width: u32,
    /// How high.
    pub height: u32,
    /// Which way up it lies in `bytes`.
    pub orientation: Orientation,
    /// The file without metadata.
    pub bytes: Vec<u8>,
}

impl Clean {
    /// The same picture, where it is known from elsewhere which way up it lies.
    #[must_use]
    pub fn lying_as(mut self, orientation: Orientation) -> Self {
        let (width, height) = self.lying();
        self.orientation = orientation;
        (self.width, self.height) = if orientation.on_its_side() { (height, width) } else { (width, height) };
        self
    }

    /// Width and height as it lies in `bytes`.
    pub(super) fn lying(&self) -> (u32, u32) {
        if self.orientation.on_its_side() { (self.height, self.width) } else { (self.width, self.height) }
    }
}

impl fmt::Debug for Clean {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let size = format_args!("{} x {}", self.width, self.height);
        f.debug_struct("Clean").field("format", &self.format).field("size", &size).finish_non_exhaustive()
    }
}

/// What a walk finds.
struct Walked {
    width: u32,
    height: u32,
    orientation: Orientation,
    /// The pieces that are kept, in order.
    bytes: Vec<u8>,
}

/// How a walk ends early.
enum Stop {
    Damaged(&'static str),
    Unsupported(&'static str),
    Trailing,
    Foreign(&'static str),
    TooManyPixels(u32, u32),
}

/// For a piece that is not there.
const CUT: Stop = Stop::Damaged("it breaks off");

/// Looks at a file without decoding it.
///
/// # Errors
/// [`Fault`] says why it is refused. A picture of more than `most` million pixels is refused by what its header says.
pub fn inspect(file: &[u8], most: u32) -> Result<Clean, Fault> {
    let format = Format::sniff(file).ok_or(Fault::NotAPicture)?;
    let fits = |width: u32, height: u32| {
        if width == 0 || height == 0 {
            return Err(Stop::Damaged("it has no pixels"));
        }
        let most = u64::from(most) * 1_000_000;
        if u64::from(width) * u64::from(height) > most { Err(Stop::TooManyPixels(width, height)) } else { Ok(()) }
    };
    let walked = match format {
        Format::Jpeg => jpeg::walk(file, &fits),
        Format::Png => png::walk(file, &fits),
        Format::Gif => gif::walk(file, &fits),
        Format::WebP => webp::walk(file, &fits),
    };
    let walked = walked.map_err(|stop| match stop {
        Stop::Damaged(why) => Fault::Damaged(format, why),
        Stop::Unsupported(what) => Fault::Unsupported(format, what),
        Stop::Trailing => Fault::Trailing(format),
        Stop::Foreign(what) => Fault::Foreign(format, what),
        Stop::TooManyPixels(width, height) => Fault::TooManyPixels { width, height, most },
    })?;
    if foreign::is_archive(file) {
        return Err(Fault::Foreign(format, "an archive"));
    }
    let Walked { width, height, orientation, bytes } = walked;
    let (width, height) = if orientation.on_its_side() { (height, width) } else { (width, height) };
    Ok(Clean { format, width, height, orientation, bytes })
}

/// Refuses metadata that are something else as well.
fn look_through(metadata: &[u8]) -> Result<(), Stop> {
    foreign::in_metadata(metadata).map_or(Ok(()), |what| Err(Stop::Foreign(what)))
}

/// Refuses what lies behind the end of a picture, unless it is padding.
fn at_end(rest: &[u8]) -> Result<(), Stop> {
    if rest.iter().all(|byte| *byte == 0) { Ok(()) } else { Err(Stop::Trailing) }
}
