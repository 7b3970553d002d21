//! Decoding the first frame of a GIF.

use gif::{ColorOutput, DecodeOptions, MemoryLimit};

use super::{Decoded, Pixels, Refused, flatten};
use crate::image::pixels::area;

pub(super) fn decode(file: &[u8], background: [u8; 3]) -> Result<Decoded, Refused> {
    let mut options = DecodeOptions::new();
    options.set_color_output(ColorOutput::RGBA);
    // How large a frame may be was looked at before.
    options.set_memory_limit(MemoryLimit::Unlimited);
    let mut decoder = options.read_info(file).map_err(|_| "its header cannot be read")?;
    let (width, height) = (u32::from(decoder.width()), u32::from(decoder.height()));
    let frame = decoder.read_next_frame().map_err(|_| "its pixels cannot be read")?.ok_or("it has no pixels")?;
    let mut rgba = vec![0; area(width, height) * 4];
    let (left, top, across) = (usize::from(frame.left), usize::from(frame.top), usize::from(frame.width));
    let row = area(width, 1) * 4;
    // What of a frame lies beside the picture is not seen.
    let seen = across.min(area(width, 1).saturating_sub(left)) * 4;
    if across > 0 {
        for (line, y) in frame.buffer.chunks_exact(across * 4).zip(top..) {
            let first = y * row + left * 4;
            if let (Some(to), Some(from)) = (rgba.get_mut(first..first + seen), line.get(..seen)) {
                to.copy_from_slice(from);
            }
        }
    }
    Ok(Decoded { pixels: Pixels { width, height, rgb: flatten(rgba, background) }, profile: None })
}
