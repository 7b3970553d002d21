//! Colours as screens mean them.

use moxcms::{ColorProfile, DataColorSpace, Layout, TransformOptions};

use super::Pixels;

/// Largest profile that is looked at. Those of cameras and screens have some kilobytes.
const MOST: usize = 4 << 20;

/// Turns colours that a profile gives a meaning into sRGB, which is what is meant without one. A profile that means nothing
/// changes nothing.
pub(super) fn to_srgb(pixels: &mut Pixels, profile: &[u8]) {
    if profile.len() > MOST {
        return;
    }
    let Ok(profile) = ColorProfile::new_from_slice(profile) else { return };
    if profile.color_space != DataColorSpace::Rgb {
        return;
    }
    let srgb = ColorProfile::new_srgb();
    let Ok(transform) = profile.create_transform_8bit(Layout::Rgb, &srgb, Layout::Rgb, TransformOptions::default())
    else {
        return;
    };
    let mut turned = vec![0; pixels.rgb.len()];
    if transform.transform(&pixels.rgb, &mut turned).is_ok() {
        pixels.rgb = turned;
    }
}
