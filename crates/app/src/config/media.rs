//! `[media]`: pictures that are uploaded, and how they are shown.

use media::image::Recipe;

use super::{Reader, Setting};

pub(crate) const SETTINGS: &[Setting] = &[
    Setting::new(
        "media.url",
        "",
        "What stands before the addresses of pictures, such as that of a CDN; public.url in production when not set.",
    ),
    Setting::new("media.image_size", "1200", "The square that pictures are made to fit into, in pixels."),
    Setting::new("media.image_quality", "90", "The quality of their JPEG, 1 to 100."),
    Setting::new("media.thumbnail_size", "300", "The square that thumbnails fill, in pixels."),
    Setting::new("media.thumbnail_quality", "80", "The quality of their JPEG."),
    Setting::new("media.webp_quality", "80", "The quality of both as WebP."),
    Setting::new("media.background", "#ffffff", "The colour that transparent places are shown in."),
    Setting::new("media.megapixels", "50", "Most million pixels of a picture that is uploaded."),
    Setting::new(
        "media.at_once",
        "2",
        "How many pictures a node makes at a time; each takes some bytes for every pixel that is decoded.",
    ),
];

/// Uploaded pictures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Media {
    /// How renditions are made.
    pub(crate) recipe: Recipe,
    /// Most million pixels.
    pub(crate) megapixels: u32,
    /// How many are made at a time.
    pub(crate) at_once: usize,
}

impl Media {
    pub(crate) fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let edge = reader.number("media.image_size", 16..=8192);
        let quality = reader.number("media.image_quality", 1..=100);
        let thumbnail_edge = reader.number("media.thumbnail_size", 16..=2048);
        let thumbnail_quality = reader.number("media.thumbnail_quality", 1..=100);
        let webp_quality = reader.number("media.webp_quality", 1..=100);
        let background = colour(reader);
        let megapixels = reader.number("media.megapixels", 1..=500);
        let at_once = reader.number("media.at_once", 1..=64);
        let recipe = Recipe {
            edge: edge?,
            quality: quality?,
            thumbnail_edge: thumbnail_edge?,
            thumbnail_quality: thumbnail_quality?,
            webp_quality: webp_quality?,
            background: background?,
        };
        Some(Self { recipe, megapixels: megapixels?, at_once: at_once? })
    }
}

/// What stands before the addresses of pictures: nothing in development, where whoever reaches the shop reaches them.
pub(super) fn base(reader: &mut Reader<'_>) -> Option<String> {
    const KEY: &str = "media.url";
    let text = reader.text(KEY);
    if text.is_empty() {
        let public = if reader.strict() { reader.text("public.url") } else { String::new() };
        return Some(public.trim_end_matches('/').to_owned());
    }
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://")).unwrap_or_default();
    let odd = text.contains(|c: char| c.is_whitespace() || c.is_control() || "?#\\@\"<>".contains(c));
    if odd || rest.is_empty() || rest.starts_with('/') {
        reader.fault(KEY, "must be an address without query, such as https://cdn.example");
        return None;
    }
    Some(text.trim_end_matches('/').to_owned())
}

fn colour(reader: &mut Reader<'_>) -> Option<[u8; 3]> {
    const KEY: &str = "media.background";
    let text = reader.text(KEY);
    let digits = text.strip_prefix('#').filter(|digits| digits.len() == 6 && digits.is_ascii());
    let part = |at: usize| u8::from_str_radix(digits?.get(at..at + 2)?, 16).ok();
    let plain = digits.is_some_and(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()));
    if let (true, Some(red), Some(green), Some(blue)) = (plain, part(0), part(2), part(4)) {
        Some([red, green, blue])
    } else {
        reader.fault(KEY, format!("must be a colour such as #ffffff, is {text:?}"));
        None
    }
}
