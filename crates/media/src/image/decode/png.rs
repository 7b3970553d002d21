//! Decoding a PNG of any depth.

use std::io::Cursor;

use png::{ColorType, Decoder, Limits, Transformations};

use super::{Decoded, Pixels, Refused, flatten};

/// Most bytes that a profile unfolds to, and what else the decoder keeps beside the pixels.
const BESIDE: usize = 16 << 20;

pub(super) fn decode(file: &[u8], background: [u8; 3]) -> Result<Decoded, Refused> {
    let mut decoder = Decoder::new_with_limits(Cursor::new(file), Limits { bytes: BESIDE });
    decoder.set_transformations(Transformations::normalize_to_color8());
    let mut reader = decoder.read_info().map_err(|_| "its header cannot be read")?;
    let size = reader.output_buffer_size().ok_or("it has no size")?;
    let mut bytes = vec![0; size];
    let info = reader.next_frame(&mut bytes).map_err(|_| "its pixels cannot be read")?;
    // Up to its end, so that what is cut off or damaged behind the pixels is noticed as well.
    reader.finish().map_err(|_| "its end cannot be read")?;
    bytes.truncate(info.buffer_size());
    let rgb = match info.color_type {
        ColorType::Rgb => bytes,
        ColorType::Rgba => flatten(bytes, background),
        ColorType::Grayscale => bytes.iter().flat_map(|grey| [*grey; 3]).collect(),
        ColorType::GrayscaleAlpha => {
            let rgba = bytes.chunks_exact(2).flat_map(|pair| match pair {
                [grey, alpha] => [*grey, *grey, *grey, *alpha],
                _ => [0; 4],
            });
            flatten(rgba.collect(), background)
        }
        ColorType::Indexed => return Err("its palette cannot be read"),
    };
    let grey = matches!(info.color_type, ColorType::Grayscale | ColorType::GrayscaleAlpha);
    let profile = reader.info().icc_profile.as_ref().filter(|_| !grey).map(|profile| profile.to_vec());
    Ok(Decoded { pixels: Pixels { width: info.width, height: info.height, rgb }, profile })
}
