//! Decoding a WebP, or the first frame of an animated one.

use std::io::Cursor;

use image_webp::WebPDecoder;

use super::{Decoded, Pixels, Refused, flatten};

/// Most bytes of a profile.
const PROFILE: usize = 4 << 20;

pub(super) fn decode(file: &[u8], background: [u8; 3]) -> Result<Decoded, Refused> {
    let mut decoder = WebPDecoder::new(Cursor::new(file)).map_err(|_| "its header cannot be read")?;
    let (width, height) = decoder.dimensions();
    let size = decoder.output_buffer_size().ok_or("it has no size")?;
    decoder.set_memory_limit(size.saturating_mul(4).max(PROFILE));
    let mut bytes = vec![0; size];
    let pixels = if decoder.is_animated() {
        // What a frame leaves out is transparent, as it is for other formats.
        decoder.set_background_color([0; 4]).map_err(|_| "its header cannot be read")?;
        decoder.read_frame(&mut bytes).map(|_| ())
    } else {
        decoder.read_image(&mut bytes)
    };
    pixels.map_err(|_| "its pixels cannot be read")?;
    let rgb = if decoder.has_alpha() { flatten(bytes, background) } else { bytes };
    let profile = decoder.icc_profile().ok().flatten();
    Ok(Decoded { pixels: Pixels { width, height, rgb }, profile })
}
