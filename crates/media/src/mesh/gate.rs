//! What is looked at while a file arrives: its beginning, its end, its length.
//!
//! It holds a few kilobytes however long the file is, and refuses what can be told to be no model without reading all of it. What
//! passes may still turn out to be none.

use super::{Declared, Fault, Format};

/// Bytes of the beginning that are looked at.
const HEAD: usize = 1024;
/// Bytes of the end that are looked at: the longest end of an archive.
const TAIL: usize = 66 * 1024;
/// An STL of fixed records: a header, how many, and each.
pub(super) const HEADER: u64 = 84;
pub(super) const RECORD: u64 = 50;

/// How files of other kinds begin that a header of 80 free bytes could be made to look like.
const FOREIGN: [&[u8]; 14] = [
    b"PK\x03\x04",
    b"%PDF",
    b"%!PS",
    b"\x89PNG",
    b"GIF8",
    b"\xff\xd8\xff",
    b"RIFF",
    b"MZ",
    b"\x7fELF",
    b"#!",
    b"\xca\xfe\xba\xbe",
    b"\x1f\x8b",
    b"Rar!",
    b"7z\xbc\xaf",
];

/// A file on its way in.
#[derive(Debug)]
pub struct Gate {
    declared: Declared,
    most: u64,
    head: Vec<u8>,
    tail: Vec<u8>,
    length: u64,
    zero: bool,
}

impl Gate {
    /// A file that is said to be of this kind; none of more than `most` triangles is let in.
    pub fn new(declared: Declared, most: u64) -> Self {
        Self { declared, most, head: Vec::new(), tail: Vec::new(), length: 0, zero: false }
    }

    /// The next bytes.
    ///
    /// # Errors
    /// As soon as enough has come to know.
    pub fn push(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        self.length = self.length.saturating_add(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
        self.zero = self.zero || bytes.contains(&0);
        if self.head.len() < HEAD {
            let (begin, _) = bytes.split_at(bytes.len().min(HEAD - self.head.len()));
            self.head.extend_from_slice(begin);
            if self.head.len() == HEAD {
                self.early()?;
            }
        }
        let (_, end) = bytes.split_at(bytes.len().saturating_sub(TAIL));
        self.tail.extend_from_slice(end);
        if self.tail.len() > 2 * TAIL {
            self.tail.drain(..self.tail.len() - TAIL);
        }
        match self.count() {
            Some(count) if self.declared == Declared::Stl && !self.text() && self.length > expected(count) => {
                Err(Fault::TooLong { expected: expected(count), found: self.length })
            }
            _ => Ok(()),
        }
    }

    /// What the file is, now that all of it has come.
    ///
    /// # Errors
    /// Why it is no model.
    pub fn finish(self) -> Result<Format, Fault> {
        if self.length < u64::try_from(HEAD).unwrap_or(u64::MAX) {
            self.early()?;
        }
        let format = self.format()?;
        if format.declared() != self.declared {
            return Err(Fault::mismatch(self.declared, format));
        }
        Ok(format)
    }

    /// What the first bytes tell already.
    fn early(&self) -> Result<(), Fault> {
        if self.head.starts_with(b"PK\x03\x04") {
            return if self.declared == Declared::ThreeMf {
                Ok(())
            } else {
                Err(Fault::mismatch(self.declared, Format::ThreeMf))
            };
        }
        let start = self.head.trim_ascii_start();
        if FOREIGN.iter().any(|magic| self.head.starts_with(magic)) || start.starts_with(b"<") {
            return Err(Fault::Foreign);
        }
        match self.declared {
            Declared::ThreeMf => Err(Fault::Unknown),
            Declared::Obj if self.zero => Err(Fault::Unknown),
            Declared::Stl if !self.text() => match self.count() {
                Some(count) if u64::from(count) > self.most => Err(Fault::TooManyTriangles { most: self.most }),
                _ => Ok(()),
            },
            _ => Ok(()),
        }
    }

    fn format(&self) -> Result<Format, Fault> {
        if self.head.starts_with(b"PK\x03\x04") {
            return self.package().map(|()| Format::ThreeMf);
        }
        if self.declared == Declared::Obj && !self.zero && obj_word(&self.head) {
            return Ok(Format::Obj);
        }
        let count = self.count();
        if let Some(count) = count.filter(|count| expected(*count) == self.length) {
            return match count {
                0 => Err(Fault::NoFacets),
                count if u64::from(count) > self.most => Err(Fault::TooManyTriangles { most: self.most }),
                _ => Ok(Format::StlBinary),
            };
        }
        if self.text() {
            return self.ascii().map(|()| Format::StlAscii);
        }
        if self.declared != Declared::Stl {
            return Err(Fault::Unknown);
        }
        match count {
            None => Err(Fault::Truncated { expected: HEADER, found: self.length }),
            Some(count) if u64::from(count) > self.most => Err(Fault::TooManyTriangles { most: self.most }),
            Some(count) if expected(count) > self.length => {
                Err(Fault::Truncated { expected: expected(count), found: self.length })
            }
            Some(count) => Err(Fault::TooLong { expected: expected(count), found: self.length }),
        }
    }

    /// How many records an STL of fixed records says it has.
    fn count(&self) -> Option<u32> {
        let bytes = self.head.get(80..84)?;
        bytes.try_into().ok().map(u32::from_le_bytes)
    }

    /// Whether it begins as an STL that is text; headers of fixed records may say `solid` too, but have zeros then.
    fn text(&self) -> bool {
        let start = without_mark(&self.head).trim_ascii_start();
        let solid = start.get(..5).is_some_and(|word| word.eq_ignore_ascii_case(b"solid"));
        solid && !self.zero
    }

    /// A text that ends where it should and has a facet.
    fn ascii(&self) -> Result<(), Fault> {
        let end = self.tail.trim_ascii_end();
        let last = end.rsplit(|byte| matches!(byte, b'\n' | b'\r')).next().unwrap_or_default().trim_ascii_start();
        let ends = last.get(..8).is_some_and(|word| word.eq_ignore_ascii_case(b"endsolid"));
        if !ends {
            return Err(Fault::NoEnd);
        }
        let has = |part: &[u8]| part.windows(6).any(|word| word.eq_ignore_ascii_case(b"vertex"));
        if has(&self.head) || has(&self.tail) { Ok(()) } else { Err(Fault::NoFacets) }
    }

    /// An archive that begins at the first byte and ends at the last.
    fn package(&self) -> Result<(), Fault> {
        let found = self.tail.windows(4).rposition(|word| word == b"PK\x05\x06").ok_or(Fault::NoEnd)?;
        let (_, end) = self.tail.split_at(found);
        let short = |at: usize| {
            let bytes = end.get(at..at + 2)?;
            bytes.try_into().ok().map(u16::from_le_bytes)
        };
        let long = |at: usize| {
            let bytes = end.get(at..at + 4)?;
            bytes.try_into().ok().map(u32::from_le_bytes)
        };
        let (Some(size), Some(offset), Some(remark)) = (long(12), long(16), short(20)) else {
            return Err(Fault::NoEnd);
        };
        let behind = u64::try_from(end.len()).unwrap_or(u64::MAX);
        let expected = 22 + u64::from(remark);
        if behind < expected {
            return Err(Fault::NoEnd);
        }
        if behind > expected {
            return Err(Fault::TooLong { expected: self.length - (behind - expected), found: self.length });
        }
        // Where all of it is longer than these numbers say, they say so by being full.
        let directory = u64::from(offset) + u64::from(size);
        if size == u32::MAX || offset == u32::MAX || directory == self.length - behind {
            Ok(())
        } else {
            Err(Fault::Package("its directory is not where it says"))
        }
    }
}

fn expected(count: u32) -> u64 {
    HEADER + RECORD * u64::from(count)
}

/// A text without the mark of UTF-8.
fn without_mark(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes)
}

/// Whether the first line that says something begins with a word of OBJ.
fn obj_word(head: &[u8]) -> bool {
    let mut lines = without_mark(head).split(|byte| matches!(byte, b'\n' | b'\r')).map(<[u8]>::trim_ascii);
    let first = lines.find(|line| !line.is_empty() && !line.starts_with(b"#"));
    // A long remark says nothing yet.
    let Some(first) = first else { return head.trim_ascii_start().starts_with(b"#") };
    let word = first.split(u8::is_ascii_whitespace).next().unwrap_or_default();
    super::obj::WORDS.contains(&word)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn through(declared: Declared, bytes: &[u8], piece: usize) -> Result<Format, Fault> {
        let mut gate = Gate::new(declared, 1_000_000);
        for piece in bytes.chunks(piece.max(1)) {
            gate.push(piece)?;
        }
        gate.finish()
    }

    fn binary(header: &[u8], says: u32, has: usize) -> Vec<u8> {
        let mut bytes = header.to_vec();
        bytes.resize(80, b' ');
        bytes.extend(says.to_le_bytes());
        bytes.resize(84 + 50 * has, 1);
        bytes
    }

    fn code(declared: Declared, bytes: &[u8]) -> &'static str {
        let codes: Vec<_> = [1, 7, 83, 4096, usize::MAX]
            .into_iter()
            .map(|piece| through(declared, bytes, piece).map_or_else(|fault| fault.code(), Format::name))
            .collect();
        assert!(codes.windows(2).all(|two| two[0] == two[1]), "{codes:?}: the same in pieces of any size");
        codes[0]
    }

    #[test]
    fn a_file_is_what_it_holds_and_not_what_its_name_or_header_says() {
        let text = b"solid \xff\xfe odd\nfacet normal 0 0 1\nouter loop\nvertex 0 0 0\nvertex 1 0 0\nvertex 0 1 0\nendloop\nendfacet\nendsolid";
        for (declared, bytes, code_of) in [
            (Declared::Stl, binary(b"made by hand", 3, 3), "stl-binary"),
            (Declared::Stl, binary(b"solid but binary", 3, 3), "stl-binary"),
            (Declared::Stl, text.to_vec(), "stl-ascii"),
            (Declared::Obj, b"# a remark\n\nv 0 0 0\n".to_vec(), "obj"),
            (Declared::Obj, text.to_vec(), "FORMAT_MISMATCH"),
            (Declared::Obj, b"hello there".to_vec(), "UNKNOWN_FORMAT"),
            (Declared::ThreeMf, binary(b"", 1, 1), "UNKNOWN_FORMAT"),
        ] {
            assert_eq!(code(declared, &bytes), code_of);
        }
    }

    #[test]
    fn what_is_cut_off_too_long_or_empty_is_refused() {
        for (bytes, refused) in [
            (binary(b"", 3, 2), "TRUNCATED"),
            (binary(b"", 3, 4), "TOO_LONG"),
            (binary(b"", u32::MAX, 2), "TOO_MANY_TRIANGLES"),
            (binary(b"", u32::MAX, 100), "TOO_MANY_TRIANGLES"),
            (binary(b"", 0, 0), "NO_FACETS"),
            (Vec::new(), "TRUNCATED"),
            (b"solid x\nendsolid x\n".to_vec(), "NO_FACETS"),
            (b"solid x\nfacet normal 0 0 1\nouter loop\nvertex 0 0 0\n".to_vec(), "TRUNCATED"),
        ] {
            assert_eq!(code(Declared::Stl, &bytes), refused, "{} bytes", bytes.len());
        }
    }

    #[test]
    fn what_is_also_something_else_is_refused() {
        for magic in FOREIGN.into_iter().filter(|magic| !magic.starts_with(b"PK")) {
            assert_eq!(code(Declared::Stl, &binary(magic, 40, 40)), "FOREIGN_CONTENT", "{magic:?}");
        }
        assert_eq!(code(Declared::Stl, &binary(b" <html><script>", 40, 40)), "FOREIGN_CONTENT");
        assert_eq!(code(Declared::Obj, b"<svg xmlns='x'></svg>"), "FOREIGN_CONTENT");
        assert_eq!(code(Declared::Stl, &binary(b"PK\x03\x04", 40, 40)), "FORMAT_MISMATCH");
        assert_eq!(code(Declared::ThreeMf, b"PK\x03\x04 and no end"), "TRUNCATED");
    }

    #[test]
    fn it_holds_little_of_a_long_file() {
        let mut gate = Gate::new(Declared::Stl, u64::from(u32::MAX));
        gate.push(&binary(b"", 2_000_000, 0)).unwrap();
        let piece = vec![1; 100_000];
        for _ in 0..1000 {
            gate.push(&piece).unwrap();
        }
        assert!(gate.tail.capacity() < 8 * TAIL);
        assert_eq!(gate.finish().unwrap(), Format::StlBinary);
    }
}
