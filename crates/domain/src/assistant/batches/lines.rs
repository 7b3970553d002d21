//! The lines of a file, one after the other, with no more in memory than the one that is read.

use std::ops::Range;

use bytes::{Bytes, BytesMut};

use crate::{assets::Chunks, error::Result};

/// Cuts what a source gives into lines.
pub(super) struct Lines {
    source: Box<dyn Chunks>,
    /// What came and is not given yet.
    pending: BytesMut,
    /// Where that begins in the file.
    start: u64,
    /// How far it was looked through for the end of a line.
    looked: usize,
    /// The line given last.
    number: u64,
    longest: usize,
    is_over: bool,
}

/// A line.
pub(super) struct Line {
    /// Which one, from 1.
    pub(super) number: u64,
    /// Its bytes in the file.
    pub(super) place: Range<u64>,
    /// What stands there; `None` when it is longer than a line may be.
    pub(super) text: Option<Bytes>,
}

fn long(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}

impl Lines {
    pub(super) fn new(source: Box<dyn Chunks>, longest: usize) -> Self {
        Self { source, pending: BytesMut::new(), start: 0, looked: 0, number: 0, longest, is_over: false }
    }

    /// The next line, without its end. After one that is too long there is nothing more.
    ///
    /// # Errors
    /// Those of the source.
    pub(super) async fn next(&mut self) -> Result<Option<Line>> {
        loop {
            let fresh = self.pending.get(self.looked..).unwrap_or_default();
            if let Some(end) = fresh.iter().position(|byte| *byte == b'\n') {
                let text = self.pending.split_to(self.looked + end + 1);
                return Ok(Some(self.line(text.freeze())));
            }
            self.looked = self.pending.len();
            if self.pending.len() > self.longest {
                (self.is_over, self.looked) = (true, 0);
                self.pending.clear();
                self.number += 1;
                let place = self.start..self.start;
                return Ok(Some(Line { number: self.number, place, text: None }));
            }
            let piece = if self.is_over { None } else { self.source.next().await? };
            match piece {
                Some(piece) => self.pending.extend_from_slice(&piece),
                None if self.pending.is_empty() => return Ok(None),
                None => {
                    self.is_over = true;
                    let text = self.pending.split();
                    return Ok(Some(self.line(text.freeze())));
                }
            }
        }
    }

    fn line(&mut self, text: Bytes) -> Line {
        let place = self.start..self.start + long(text.len());
        (self.start, self.looked) = (place.end, 0);
        self.number += 1;
        let text = if text.len() > self.longest { None } else { Some(text) };
        Line { number: self.number, place, text }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use async_trait::async_trait;

    use super::*;

    struct Pieces(VecDeque<&'static str>);

    #[async_trait]
    impl Chunks for Pieces {
        async fn next(&mut self) -> Result<Option<Bytes>> {
            Ok(self.0.pop_front().map(Bytes::from))
        }
    }

    async fn read(pieces: &[&'static str], longest: usize) -> Vec<(u64, Range<u64>, Option<String>)> {
        let mut lines = Lines::new(Box::new(Pieces(pieces.iter().copied().collect())), longest);
        let mut all = Vec::new();
        while let Some(line) = lines.next().await.unwrap() {
            let text = line.text.map(|text| String::from_utf8(text.to_vec()).unwrap());
            all.push((line.number, line.place, text));
        }
        all
    }

    #[tokio::test]
    async fn lines_are_the_same_however_their_bytes_come() {
        let expected = vec![
            (1, 0..3, Some("ab\n".to_owned())),
            (2, 3..4, Some("\n".to_owned())),
            (3, 4..8, Some("cde\n".to_owned())),
            (4, 8..9, Some("f".to_owned())),
        ];
        for pieces in [&["ab\n\ncde\nf"][..], &["a", "b", "\n", "\nc", "de\nf"], &["ab\n", "\n", "cde\n", "f"]] {
            assert_eq!(read(pieces, 100).await, expected);
        }
        assert!(read(&[], 100).await.is_empty());
    }

    #[tokio::test]
    async fn one_that_is_too_long_is_the_last_and_takes_no_more_memory() {
        let long = read(&["ab\n", "0123", "4567", "89\n", "c\n"], 5).await;
        assert_eq!(long, [(1, 0..3, Some("ab\n".to_owned())), (2, 3..3, None)]);
    }
}
