//! From a clean file to pixels: red, green and blue, with what is transparent laid on a colour.

mod gif;
mod jpeg;
mod png;
mod webp;

use super::{Clean, Fault, Format, Pixels, pixels::area};

/// A picture as it lies in its file.
pub(super) struct Decoded {
    pub(super) pixels: Pixels,
    /// How its colours are meant, when the file says so.
    pub(super) profile: Option<Vec<u8>>,
}

/// Why it could not be decoded.
type Refused = &'static str;

/// Decodes the first picture of a clean file. Where the format allows it to be decoded smaller than it is, it is, but not
/// smaller than what is `wanted`.
pub(super) fn decode(clean: &Clean, wanted: (u32, u32), background: [u8; 3]) -> Result<Decoded, Fault> {
    let (width, height) = clean.lying();
    let decoded = match clean.format {
        Format::Jpeg => jpeg::decode(&clean.bytes, (width, height), wanted),
        Format::Png => png::decode(&clean.bytes, background),
        Format::Gif => gif::decode(&clean.bytes, background),
        Format::WebP => webp::decode(&clean.bytes, background),
    };
    let decoded = decoded.map_err(|why| Fault::Damaged(clean.format, why))?;
    let Pixels { width: across, height: down, ref rgb } = decoded.pixels;
    let same = clean.format == Format::Jpeg || (across, down) == (width, height);
    if !same || rgb.len() != area(across, down) * 3 {
        return Err(Fault::Damaged(clean.format, "it is of another size than it says"));
    }
    Ok(decoded)
}

/// Lays pixels with transparency on a colour, within the memory they are in.
fn flatten(mut rgba: Vec<u8>, background: [u8; 3]) -> Vec<u8> {
    let pixels = rgba.len() / 4;
    for pixel in 0..pixels {
        let Some(&[red, green, blue, alpha]) = rgba.get(pixel * 4..).and_then(|rest| rest.first_chunk()) else { break };
        let over = |colour: u8, behind: u8| {
            let mixed = u32::from(colour) * u32::from(alpha) + u32::from(behind) * u32::from(255 - alpha);
            u8::try_from((mixed + 127) / 255).unwrap_or(u8::MAX)
        };
        let [behind_red, behind_green, behind_blue] = background;
        let flat = [over(red, behind_red), over(green, behind_green), over(blue, behind_blue)];
        if let Some(place) = rgba.get_mut(pixel * 3..pixel * 3 + 3) {
            place.copy_from_slice(&flat);
        }
    }
    rgba.truncate(pixels * 3);
    rgba
}
