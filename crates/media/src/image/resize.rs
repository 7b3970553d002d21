//! Making pictures smaller.

use fast_image_resize::{
    FilterType, PixelType, ResizeAlg, ResizeOptions, Resizer,
    images::{Image, ImageRef},
};

use super::Pixels;

/// The size of a picture that fits into a square: the longer side is its edge. Never larger than it is.
pub(super) fn inside(width: u32, height: u32, edge: u32) -> (u32, u32) {
    let longest = width.max(height);
    if longest <= edge {
        return (width, height);
    }
    let scaled = |side: u32| {
        let (side, edge, longest) = (u64::from(side), u64::from(edge), u64::from(longest));
        u32::try_from((side * edge + longest / 2) / longest).unwrap_or(u32::MAX).max(1)
    };
    (scaled(width), scaled(height))
}

/// The size in which the shorter side of a picture is the edge of a square that it shall fill. Never larger than it is.
pub(super) fn around(width: u32, height: u32, edge: u32) -> (u32, u32) {
    let (shortest, longest) = (width.min(height), width.max(height));
    if shortest <= edge {
        return (width, height);
    }
    let whole = u64::from(edge) * u64::from(longest) / u64::from(shortest);
    inside(width, height, u32::try_from(whole + 1).unwrap_or(longest))
}

/// The whole picture in another size.
pub(super) fn resized(picture: Pixels, width: u32, height: u32) -> Option<Pixels> {
    if (picture.width, picture.height) == (width, height) {
        return Some(picture);
    }
    run(&picture, width, height, ResizeOptions::new())
}

/// The middle of the picture, filling a square.
pub(super) fn cover(picture: &Pixels, edge: u32) -> Option<Pixels> {
    run(picture, edge, edge, ResizeOptions::new().fit_into_destination(Some((0.5, 0.5))))
}

fn run(picture: &Pixels, width: u32, height: u32, options: ResizeOptions) -> Option<Pixels> {
    let source = ImageRef::new(picture.width, picture.height, &picture.rgb, PixelType::U8x3).ok()?;
    let mut target = Image::new(width, height, PixelType::U8x3);
    let options = options.resize_alg(ResizeAlg::Convolution(FilterType::Lanczos3));
    Resizer::new().resize(&source, &mut target, &options).ok()?;
    Some(Pixels { width, height, rgb: target.into_vec() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_fits_and_is_never_enlarged() {
        assert_eq!(inside(4000, 3000, 1200), (1200, 900));
        assert_eq!(inside(3000, 4000, 1200), (900, 1200));
        assert_eq!(inside(1200, 1200, 1200), (1200, 1200));
        assert_eq!(inside(640, 480, 1200), (640, 480));
        assert_eq!(inside(30_000, 1, 1200), (1200, 1));
        assert_eq!(inside(1201, 1200, 1200), (1200, 1199));
        assert_eq!(around(6000, 400, 300), (4501, 300));
        assert_eq!(around(400, 200, 300), (400, 200));
    }
}
