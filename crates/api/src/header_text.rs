//! Headers whose text is made for one answer.

use std::{fmt, io::Write as _};

use actix_web::http::header::HeaderValue;

/// Most bytes of one.
const ROOM: usize = 256;

/// A short text as the value of a header, made with no memory but its own; `None` when it is no such text, or too long.
pub fn written(text: fmt::Arguments<'_>) -> Option<HeaderValue> {
    let mut room = [0; ROOM];
    let mut rest = room.as_mut_slice();
    rest.write_fmt(text).ok()?;
    let length = ROOM - rest.len();
    HeaderValue::from_bytes(room.get(..length)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_becomes_a_value_unless_it_cannot() {
        assert_eq!(written(format_args!("total;dur={}", 7)).unwrap(), "total;dur=7");
        assert_eq!(written(format_args!("a\nb")), None);
        assert_eq!(written(format_args!("{}", "x".repeat(ROOM))).unwrap().len(), ROOM);
        assert_eq!(written(format_args!("{}", "x".repeat(ROOM + 1))), None);
    }
}
