//! A picture in memory.

/// A picture in memory: three bytes a pixel, red, green and blue, row by row.
#[derive(Clone, PartialEq, Eq)]
pub struct Pixels {
    /// How wide, at least 1.
    pub width: u32,
    /// How high, at least 1.
    pub height: u32,
    /// `width * height * 3` bytes.
    pub rgb: Vec<u8>,
}

impl std::fmt::Debug for Pixels {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pixels").field("width", &self.width).field("height", &self.height).finish_non_exhaustive()
    }
}

impl Pixels {
    /// None yet, with room for as many as that.
    pub(super) fn sized(width: u32, height: u32) -> Self {
        Self { width, height, rgb: Vec::with_capacity(area(width, height) * 3) }
    }

    /// The three bytes of a pixel; none outside of the picture.
    pub(super) fn at(&self, x: u32, y: u32) -> &[u8] {
        let first = usize::try_from(u64::from(y) * u64::from(self.width) + u64::from(x)).unwrap_or(usize::MAX / 4) * 3;
        self.rgb.get(first..first + 3).unwrap_or_default()
    }
}

/// How many pixels that is; `usize` is wide enough wherever this is built, since what is decoded was checked before.
pub(super) fn area(width: u32, height: u32) -> usize {
    usize::try_from(u64::from(width) * u64::from(height)).unwrap_or(usize::MAX / 8)
}
