//! Decoding a JPEG, CMYK too, at a half, a quarter or an eighth of its size where that is enough.

use jpeg_decoder::{Decoder, PixelFormat};

use super::{Decoded, Pixels, Refused};
use crate::image::pixels::area;

/// Decodes to at least the size that is `wanted`, or to the whole size where that is less.
pub(super) fn decode(file: &[u8], size: (u32, u32), wanted: (u32, u32)) -> Result<Decoded, Refused> {
    let mut decoder = Decoder::new(file);
    // What is decoded at once, and the planes it is put together from, with four colours.
    decoder.set_max_decoding_buffer_size(area(size.0, size.1).saturating_mul(4).saturating_add(1 << 20));
    decoder.read_info().map_err(|_| "its header cannot be read")?;
    let info = decoder.info().ok_or("it has no size")?;
    if (u32::from(info.width), u32::from(info.height)) != size {
        return Err("it is of another size than it says");
    }
    let most = |pixels: u32| u16::try_from(pixels).unwrap_or(u16::MAX);
    let (width, height) = decoder.scale(most(wanted.0), most(wanted.1)).map_err(|_| "it has no size")?;
    let bytes = decoder.decode().map_err(|_| "its pixels cannot be read")?;
    let (rgb, profile) = match info.pixel_format {
        PixelFormat::RGB24 => (bytes, decoder.icc_profile()),
        PixelFormat::L8 => (bytes.iter().flat_map(|grey| [*grey; 3]).collect(), None),
        // What a profile says of four colours means nothing for the three that are made of them.
        PixelFormat::CMYK32 => (bytes.chunks_exact(4).flat_map(printed).collect(), None),
        PixelFormat::L16 => return Err("it has more than 8 bits a colour"),
    };
    Ok(Decoded { pixels: Pixels { width: width.into(), height: height.into(), rgb }, profile })
}

/// The light that is left where that much ink lies: cyan, magenta, yellow and black.
fn printed(ink: &[u8]) -> [u8; 3] {
    let &[cyan, magenta, yellow, black] = ink else { return [0; 3] };
    [cyan, magenta, yellow].map(|ink| {
        let left = u32::from(255 - ink) * u32::from(255 - black);
        u8::try_from((left + 127) / 255).unwrap_or(u8::MAX)
    })
}
