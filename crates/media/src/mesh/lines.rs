//! Lines of a text that nobody vouches for: of any encoding, bounded in length, ended as any system does.

use std::io::BufRead;

use super::Fault;

/// Longest line that is read.
const LONGEST: usize = 1 << 20;

pub(super) struct Lines<R> {
    from: R,
    line: Vec<u8>,
    pub(super) number: u64,
}

impl<R: BufRead> Lines<R> {
    pub(super) fn new(from: R) -> Self {
        Self { from, line: Vec::new(), number: 0 }
    }

    /// The next line, without what ends it; `None` at the end of the text.
    pub(super) fn next(&mut self) -> Result<Option<&[u8]>, Fault> {
        self.line.clear();
        self.number += 1;
        loop {
            let ready = self.from.fill_buf()?;
            if ready.is_empty() {
                return Ok((!self.line.is_empty()).then_some(&self.line));
            }
            let end = ready.iter().position(|byte| matches!(byte, b'\n' | b'\r'));
            let (part, _) = ready.split_at(end.unwrap_or(ready.len()));
            if self.line.len() + part.len() > LONGEST {
                return Err(Fault::Syntax { line: self.number, what: "the line is too long" });
            }
            self.line.extend_from_slice(part);
            let taken = end.map_or(part.len(), |at| at + 1);
            self.from.consume(taken);
            if end.is_some() {
                return Ok(Some(&self.line));
            }
        }
    }
}

/// The words of a line.
pub(super) fn words(line: &[u8]) -> impl Iterator<Item = &[u8]> {
    line.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty())
}

/// Three numbers, in single precision.
pub(super) fn point<'a>(words: &mut impl Iterator<Item = &'a [u8]>) -> Option<[f32; 3]> {
    let mut next = || std::str::from_utf8(words.next()?).ok()?.parse::<f32>().ok();
    Some([next()?, next()?, next()?])
}
