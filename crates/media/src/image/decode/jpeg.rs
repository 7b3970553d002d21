//! Decoding a JPEG, CMYK too.

use zune_jpeg::{
    JpegDecoder,
    zune_core::{bytestream::ZCursor, colorspace::ColorSpace, options::DecoderOptions},
};

use super::{Decoded, Pixels, Refused};

pub(super) fn decode(file: &[u8]) -> Result<Decoded, Refused> {
    // The largest the format can say; how many pixels there may be was looked at before.
    let side = usize::from(u16::MAX);
    let options = DecoderOptions::default()
        .jpeg_set_out_colorspace(ColorSpace::RGB)
        .set_strict_mode(true)
        .set_max_width(side)
        .set_max_height(side);
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(file), options);
    let rgb = decoder.decode().map_err(|_| "its pixels cannot be read")?;
    let (width, height) = decoder.dimensions().ok_or("it has no size")?;
    // What a profile says of four colours means nothing for the three that were made of them.
    let four = matches!(decoder.input_colorspace(), Some(ColorSpace::CMYK | ColorSpace::YCCK));
    let profile = if four { None } else { decoder.icc_profile() };
    let side = |pixels| u32::try_from(pixels).map_err(|_| "it has no size");
    Ok(Decoded { pixels: Pixels { width: side(width)?, height: side(height)?, rgb }, profile })
}
