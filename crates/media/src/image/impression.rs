//! What is shown of a picture before it is there: a blur of a few bytes, and one colour.

use std::fmt::Write as _;

use super::{Pixels, resize};

/// The edge of the picture that a blur is made of; the most that is allowed.
const BLURRED: u32 = 100;

/// The picture as a blur, in the form of `ThumbHash`: some 25 bytes that libraries for every platform draw.
pub(super) fn blur(picture: &Pixels) -> Option<Vec<u8>> {
    let (width, height) = resize::inside(picture.width, picture.height, BLURRED);
    let small = resize::resized(picture.clone(), width, height)?;
    let rgba: Vec<u8> = small.rgb.chunks_exact(3).flat_map(|rgb| rgb.iter().copied().chain([255])).collect();
    Some(thumbhash::rgba_to_thumb_hash(usize::try_from(width).ok()?, usize::try_from(height).ok()?, &rgba))
}

/// The colour that most of the picture is near to, as `#rrggbb`.
pub(super) fn dominant(picture: &Pixels) -> String {
    // Three bits of each colour, each place with how many there are and what they add up to.
    let mut places = [(0_u64, [0_u64; 3]); 512];
    for pixel in picture.rgb.chunks_exact(3) {
        let place = pixel.iter().fold(0, |place, colour| place << 3 | usize::from(colour >> 5));
        if let Some((count, sums)) = places.get_mut(place) {
            *count += 1;
            for (sum, colour) in sums.iter_mut().zip(pixel) {
                *sum += u64::from(*colour);
            }
        }
    }
    let (count, sums) = places.into_iter().max_by_key(|(count, _)| *count).unwrap_or_default();
    sums.iter().fold("#".to_owned(), |mut text, sum| {
        let _ = write!(text, "{:02x}", sum / count.max(1));
        text
    })
}
