//! From pixels to files. What is written has no metadata: nothing is handed on.

use jpeg_encoder::{ColorType, Encoder, SamplingFactor};
use webp::WebPConfig;

use super::Pixels;

/// How much libwebp tries, 0 to 6. With 2 a picture takes a third of the time of the usual 4 and is some hundredths larger.
const WEBP_EFFORT: i32 = 2;

/// As a JPEG.
pub(super) fn jpeg(picture: &Pixels, quality: u8) -> Option<Vec<u8>> {
    let (width, height) = (u16::try_from(picture.width).ok()?, u16::try_from(picture.height).ok()?);
    let mut file = Vec::with_capacity(picture.rgb.len() / 8);
    let mut encoder = Encoder::new(&mut file, quality);
    encoder.set_sampling_factor(SamplingFactor::F_2_2);
    encoder.encode(&picture.rgb, width, height, ColorType::Rgb).ok()?;
    Some(file)
}

/// As a WebP.
pub(super) fn webp(picture: &Pixels, quality: u8) -> Option<Vec<u8>> {
    let mut config = WebPConfig::new().ok()?;
    config.quality = quality.into();
    config.method = WEBP_EFFORT;
    let encoder = webp::Encoder::from_rgb(&picture.rgb, picture.width, picture.height);
    encoder.encode_advanced(&config).ok().map(|file| file.to_vec())
}
