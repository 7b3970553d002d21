//! Which of two forms of a picture somebody would rather have.

use actix_web::http::header::{self, HeaderMap};

const WEBP: &str = "image/webp";

/// Whether a client says by name that it takes WebP: one that only takes anything may be a program that knows JPEG alone.
pub fn takes_webp(headers: &HeaderMap) -> bool {
    let lines = headers.get_all(header::ACCEPT).filter_map(|line| line.to_str().ok());
    lines.flat_map(|line| line.split(',')).any(|range| {
        let mut parts = range.split(';').map(str::trim);
        let named = parts.next().is_some_and(|name| name.eq_ignore_ascii_case(WEBP));
        named && !parts.filter_map(|part| part.split_once('=')).any(|(name, weight)| name == "q" && none(weight))
    })
}

/// Whether a weight is zero: `0`, `0.0` and so on.
fn none(weight: &str) -> bool {
    weight.starts_with('0') && weight.bytes().all(|byte| matches!(byte, b'0' | b'.'))
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::HeaderValue;

    use super::*;

    #[test]
    fn webp_is_for_those_who_name_it() {
        for (accept, takes) in [
            ("image/avif,image/webp,image/apng,*/*;q=0.8", true),
            ("Image/WebP;q=0.1", true),
            ("image/webp;q=0", false),
            ("image/webp; q=0.000", false),
            ("*/*", false),
            ("image/*", false),
            ("image/webpx", false),
            ("", false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT, HeaderValue::from_static(accept));
            assert_eq!(takes_webp(&headers), takes, "{accept}");
        }
    }
}
