//! Headers whose text is made for one answer.

use std::fmt::{self, Write as _};

use actix_web::http::header::HeaderValue;

/// Most bytes of one.
const ROOM: usize = 256;

/// A short text as the value of a header, made with no memory but its own; `None` when it is no such text, or too long.
pub fn written(text: fmt::Arguments<'_>) -> Option<HeaderValue> {
    let mut place = Place { room: [0; ROOM], length: 0 };
    place.write_fmt(text).ok()?;
    HeaderValue::from_bytes(place.room.get(..place.length)?).ok()
}

/// Where it is made.
struct Place {
    room: [u8; ROOM],
    length: usize,
}

impl fmt::Write for Place {
    fn write_str(&mut self, piece: &str) -> fmt::Result {
        let end = self.length + piece.len();
        self.room.get_mut(self.length..end).ok_or(fmt::Error)?.copy_from_slice(piece.as_bytes());
        self.length = end;
        Ok(())
    }
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
