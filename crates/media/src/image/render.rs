//! Making what is shown of a picture.

use std::thread;

use super::{Clean, Fault, Pixels, Recipe, colours, decode, encode, impression, resize};

/// A picture in one size, in both formats.
#[derive(Clone, PartialEq, Eq)]
pub struct Rendition {
    /// How wide.
    pub width: u32,
    /// How high.
    pub height: u32,
    /// For everybody.
    pub jpeg: Vec<u8>,
    /// For those who take it: smaller.
    pub webp: Vec<u8>,
}

impl std::fmt::Debug for Rendition {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Rendition").field("width", &self.width).field("height", &self.height).finish_non_exhaustive()
    }
}

/// What is shown of a picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rendered {
    /// The picture.
    pub main: Rendition,
    /// The square for lists.
    pub thumbnail: Rendition,
    /// A blur of some 25 bytes, in the form of `ThumbHash`.
    pub blur: Vec<u8>,
    /// The colour most of it is near to, as `#rrggbb`.
    pub colour: String,
}

/// Makes what is shown of a picture. It keeps two threads busy towards the end: the formats are written beside each other.
///
/// # Errors
/// [`Fault`] when the pixels cannot be read.
pub fn render(clean: &Clean, recipe: &Recipe) -> Result<Rendered, Fault> {
    let failed = || Fault::Damaged(clean.format, "nothing can be made of it");
    let (main, thumbnail) = sized(clean, recipe)?;
    thread::scope(|scope| {
        let webps = scope.spawn(|| {
            Some((encode::webp(&main, recipe.webp_quality)?, encode::webp(&thumbnail, recipe.webp_quality)?))
        });
        let jpegs = (encode::jpeg(&main, recipe.quality), encode::jpeg(&thumbnail, recipe.thumbnail_quality));
        let (blur, colour) = (impression::blur(&main), impression::dominant(&thumbnail));
        let (Some((main_webp, thumbnail_webp)), (Some(main_jpeg), Some(thumbnail_jpeg)), Some(blur)) =
            (webps.join().ok().flatten(), jpegs, blur)
        else {
            return Err(failed());
        };
        let rendition = |of: &Pixels, jpeg, webp| Rendition { width: of.width, height: of.height, jpeg, webp };
        Ok(Rendered {
            main: rendition(&main, main_jpeg, main_webp),
            thumbnail: rendition(&thumbnail, thumbnail_jpeg, thumbnail_webp),
            blur,
            colour,
        })
    })
}

/// Makes the picture and its thumbnail as JPEGs alone, on this thread: what is measured beside others.
///
/// # Errors
/// Those of [`render`].
pub fn jpegs(clean: &Clean, recipe: &Recipe) -> Result<(Vec<u8>, Vec<u8>), Fault> {
    let (main, thumbnail) = sized(clean, recipe)?;
    let made = encode::jpeg(&main, recipe.quality).zip(encode::jpeg(&thumbnail, recipe.thumbnail_quality));
    made.ok_or(Fault::Damaged(clean.format, "nothing can be made of it"))
}

/// The picture and its thumbnail, the right way up.
fn sized(clean: &Clean, recipe: &Recipe) -> Result<(Pixels, Pixels), Fault> {
    let failed = || Fault::Damaged(clean.format, "nothing can be made of it");
    let (lying, least) = (clean.lying(), recipe.thumbnail_edge);
    let (width, height) = resize::inside(lying.0, lying.1, recipe.edge);
    // Of a long and narrow picture too little is left in the smaller one to fill a square with.
    let narrow = width.min(height) < least && (width, height) != lying;
    let wanted = if narrow { resize::around(lying.0, lying.1, least) } else { (width, height) };
    let decode::Decoded { pixels, profile } = decode::decode(clean, wanted, recipe.background)?;
    let mut thumbnail = if narrow { Some(resize::cover(&pixels, least).ok_or_else(failed)?) } else { None };
    let mut main = resize::resized(pixels, width, height).ok_or_else(failed)?;
    if let Some(profile) = profile {
        for picture in [Some(&mut main), thumbnail.as_mut()].into_iter().flatten() {
            colours::to_srgb(picture, &profile);
        }
    }
    let thumbnail = match thumbnail {
        Some(thumbnail) => thumbnail,
        None => resize::cover(&main, least).ok_or_else(failed)?,
    };
    Ok((clean.orientation.upright(main), clean.orientation.upright(thumbnail)))
}
