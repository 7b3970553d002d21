//! Server-sent events as they come, and lines of JSON: cut into events wherever the pieces end.

use bytes::{Bytes, BytesMut};

/// The most bytes of one event.
const LONGEST: usize = 8 * 1024 * 1024;

/// An event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Event {
    /// Its data.
    pub(super) data: Bytes,
}

/// An event that has no end.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct TooLong;

/// Cuts a stream of bytes into events.
#[derive(Debug, Default)]
pub(super) struct Parser {
    bytes: BytesMut,
    /// So many of them have no end of a line.
    looked: usize,
    data: Option<Bytes>,
    /// Whether each line is an event, as Ollama has it.
    is_lines: bool,
}

impl Parser {
    /// One to which each line is an event.
    pub(super) fn of_lines() -> Self {
        Self { is_lines: true, ..Self::default() }
    }

    /// Takes a piece.
    pub(super) fn push(&mut self, piece: &[u8]) {
        self.bytes.extend_from_slice(piece);
    }

    /// The next event that is whole.
    pub(super) fn next(&mut self) -> Result<Option<Event>, TooLong> {
        while let Some(line) = self.line() {
            if self.is_lines {
                if line.is_empty() {
                    continue;
                }
                return Ok(Some(Event { data: line }));
            }
            if line.is_empty() {
                if let Some(data) = self.data.take() {
                    return Ok(Some(Event { data }));
                }
            } else if let Some(data) = after(&line, b"data:") {
                self.data = Some(match self.data.take() {
                    None => data,
                    Some(before) if before.len() + data.len() <= LONGEST => {
                        [&before[..], b"\n", &data[..]].concat().into()
                    }
                    Some(_) => return Err(TooLong),
                });
            }
        }
        if self.bytes.len() > LONGEST { Err(TooLong) } else { Ok(None) }
    }

    fn line(&mut self) -> Option<Bytes> {
        let rest = self.bytes.get(self.looked..)?;
        let Some(end) = rest.iter().position(|byte| *byte == b'\n') else {
            self.looked = self.bytes.len();
            return None;
        };
        let mut line = self.bytes.split_to(self.looked + end + 1);
        self.looked = 0;
        line.truncate(line.len() - 1);
        if line.last() == Some(&b'\r') {
            line.truncate(line.len() - 1);
        }
        Some(line.freeze())
    }
}

/// What comes after a field's name, and the one space that may follow it.
fn after(line: &Bytes, name: &[u8]) -> Option<Bytes> {
    let rest = line.strip_prefix(name)?;
    let rest = rest.strip_prefix(b" ").unwrap_or(rest);
    Some(line.slice_ref(rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    const STREAM: &str =
        ": hello\n\nevent: a\ndata: one\n\ndata:two\r\ndata: lines\r\n\r\nid: 7\n\ndata: [DONE]\n\ndata: cut";

    fn all(pieces: &[&[u8]]) -> Vec<String> {
        let (mut parser, mut found) = (Parser::default(), Vec::new());
        for piece in pieces {
            parser.push(piece);
            while let Some(event) = parser.next().unwrap() {
                found.push(String::from_utf8(event.data.to_vec()).unwrap());
            }
        }
        found
    }

    #[test]
    fn events_are_the_same_wherever_the_pieces_end() {
        let bytes = STREAM.as_bytes();
        for first in 0..bytes.len() {
            for second in first..bytes.len() {
                let pieces = [&bytes[..first], &bytes[first..second], &bytes[second..]];
                assert_eq!(all(&pieces), ["one", "two\nlines", "[DONE]"], "{first} {second}");
            }
        }
    }

    #[test]
    fn lines_are_the_same_wherever_the_pieces_end() {
        let bytes = b"{\"a\":1}\n\n{\"b\":2}\r\n{\"cut\":";
        for end in 0..bytes.len() {
            let (mut parser, mut found) = (Parser::of_lines(), Vec::new());
            for piece in [&bytes[..end], &bytes[end..]] {
                parser.push(piece);
                while let Some(event) = parser.next().unwrap() {
                    found.push(event.data);
                }
            }
            assert_eq!(found, ["{\"a\":1}", "{\"b\":2}"], "{end}");
        }
    }

    #[test]
    fn an_event_without_an_end_is_refused() {
        let mut parser = Parser::default();
        for _ in 0..=LONGEST / 1_000_000 {
            parser.push(&vec![b'x'; 1_000_000]);
        }
        assert_eq!(parser.next(), Err(TooLong));
        let mut parser = Parser::default();
        let line = [b"data: ".to_vec(), vec![b'x'; LONGEST / 2], b"\n".to_vec()].concat();
        let ended = (0..4).find_map(|_| {
            parser.push(&line);
            parser.next().err()
        });
        assert_eq!(ended, Some(TooLong));
    }
}
