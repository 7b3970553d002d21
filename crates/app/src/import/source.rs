//! Records of a file, whatever its format: NDJSON or CSV, plain or compressed, told by the content and not the name.

use std::{
    fs::File,
    io::{self, BufRead, BufReader, Read},
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use flate2::bufread::MultiGzDecoder;
use serde_json::{Map, Value};

use super::Failure;

/// Most bytes of one row; a longer one is refused before it fills the memory.
const ROW_MAX: usize = 1024 * 1024;
const BUFFER: usize = 64 * 1024;

/// One row as read.
#[derive(Debug)]
pub struct Record {
    /// Its line, counted from 1; the header of a CSV file is line 1.
    pub line: u64,
    /// Its fields, or why it is none.
    pub fields: Result<Map<String, Value>, String>,
}

/// The rows of a file.
pub struct Source {
    rows: Box<dyn Iterator<Item = io::Result<Record>> + Send>,
    read: Arc<AtomicU64>,
    /// Bytes of the file as it lies there; `None` for the standard input.
    pub size: Option<u64>,
}

impl Source {
    /// Opens a file; `-` is the standard input.
    pub fn open(path: &Path) -> Result<Self, Failure> {
        if path == Path::new("-") {
            return Self::of(io::stdin(), None).map_err(|error| format!("the standard input: {error}").into());
        }
        let named = |error: io::Error| format!("{}: {error}", path.display());
        let file = File::open(path).map_err(named)?;
        let size = file.metadata().map_err(named)?.len();
        Self::of(file, Some(size)).map_err(|error| named(error).into())
    }

    fn of(input: impl Read + Send + 'static, size: Option<u64>) -> io::Result<Self> {
        let read = Arc::new(AtomicU64::new(0));
        let mut input = BufReader::with_capacity(BUFFER, Counted { input, read: Arc::clone(&read) });
        // Two bytes begin every gzip file (RFC 1952).
        let compressed = input.fill_buf()?.starts_with(&[0x1f, 0x8b]);
        let mut text: Box<dyn BufRead + Send> = if compressed {
            Box::new(BufReader::with_capacity(BUFFER, MultiGzDecoder::new(input)))
        } else {
            Box::new(input)
        };
        if text.fill_buf()?.starts_with("\u{feff}".as_bytes()) {
            text.consume(3);
        }
        let first = text.fill_buf()?.iter().copied().find(|byte| !byte.is_ascii_whitespace());
        let rows: Box<dyn Iterator<Item = _> + Send> = match first {
            Some(b'{') => Box::new(Lines { text, line: 0 }),
            Some(b'[') => {
                let remedy = "is one JSON array; write one object per line, such as with jq -c '.[]'";
                return Err(io::Error::new(io::ErrorKind::InvalidData, remedy));
            }
            _ => Box::new(csv_rows(text)?),
        };
        Ok(Self { rows, read, size })
    }

    /// Bytes of the file read so far.
    pub fn read(&self) -> u64 {
        self.read.load(Ordering::Relaxed)
    }
}

impl Iterator for Source {
    type Item = io::Result<Record>;

    fn next(&mut self) -> Option<Self::Item> {
        self.rows.next()
    }
}

struct Counted<R> {
    input: R,
    read: Arc<AtomicU64>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.input.read(buffer)?;
        self.read.fetch_add(u64::try_from(n).unwrap_or_default(), Ordering::Relaxed);
        Ok(n)
    }
}

/// One JSON object per line; blank lines are skipped.
struct Lines {
    text: Box<dyn BufRead + Send>,
    line: u64,
}

impl Iterator for Lines {
    type Item = io::Result<Record>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let mut bytes = Vec::new();
            let most = u64::try_from(ROW_MAX).unwrap_or(u64::MAX) + 1;
            match (&mut self.text).take(most).read_until(b'\n', &mut bytes) {
                Ok(0) => return None,
                Ok(_) => {}
                Err(error) => return Some(Err(error)),
            }
            self.line += 1;
            if bytes.len() > ROW_MAX {
                let rest = if bytes.ends_with(b"\n") { Ok(()) } else { self.skip_line() };
                let fields = Err(format!("must have at most {ROW_MAX} bytes"));
                return Some(rest.map(|()| Record { line: self.line, fields }));
            }
            if bytes.trim_ascii().is_empty() {
                continue;
            }
            let fields = serde_json::from_slice(&bytes).map_err(|error| format!("must be one JSON object: {error}"));
            return Some(Ok(Record { line: self.line, fields }));
        }
    }
}

impl Lines {
    fn skip_line(&mut self) -> io::Result<()> {
        loop {
            let buffer = self.text.fill_buf()?;
            if buffer.is_empty() {
                return Ok(());
            }
            let end = buffer.iter().position(|byte| *byte == b'\n');
            let seen = end.map_or(buffer.len(), |end| end + 1);
            self.text.consume(seen);
            if end.is_some() {
                return Ok(());
            }
        }
    }
}

/// Rows under a header. An empty cell is an absent field.
fn csv_rows(mut text: Box<dyn BufRead + Send>) -> io::Result<impl Iterator<Item = io::Result<Record>> + Send> {
    let delimiter = delimiter(text.fill_buf()?);
    let mut reader = csv::ReaderBuilder::new().delimiter(delimiter).trim(csv::Trim::Headers).from_reader(text);
    let header: Vec<String> = reader.headers()?.iter().map(str::to_owned).collect();
    Ok(reader.into_records().map(move |row| match row {
        Ok(row) => {
            let line = row.position().map_or(0, csv::Position::line);
            let cells = header.iter().zip(&row).filter(|(_, cell)| !cell.is_empty());
            let fields = cells.map(|(name, cell)| (name.clone(), Value::String(cell.to_owned()))).collect();
            Ok(Record { line, fields: Ok(fields) })
        }
        Err(error) if error.is_io_error() => Err(error.into()),
        Err(error) => {
            let line = error.position().map_or(0, csv::Position::line);
            Ok(Record { line, fields: Err(format!("must be a row of the table: {error}")) })
        }
    }))
}

/// What separates the names of the header: a comma, or whichever of semicolon and tab there are more of.
fn delimiter(beginning: &[u8]) -> u8 {
    let header = beginning.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let count = |delimiter: &u8| header.split(|byte| byte == delimiter).count();
    [b'\t', b';', b','].into_iter().max_by_key(count).unwrap_or(b',')
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn records(bytes: &[u8]) -> Vec<Record> {
        Source::of(io::Cursor::new(bytes.to_vec()), None).unwrap().map(Result::unwrap).collect()
    }

    fn field<'a>(record: &'a Record, name: &str) -> &'a Value {
        &record.fields.as_ref().unwrap()[name]
    }

    #[test]
    fn ndjson_is_read_line_by_line_and_a_broken_line_is_told() {
        let read = records(b"\xef\xbb\xbf{\"sku\":\"1\"}\n\n{oops\n{\"sku\":\"2\"}");
        assert_eq!(read.iter().map(|record| record.line).collect::<Vec<_>>(), [1, 3, 4]);
        assert_eq!(field(&read[2], "sku"), "2");
        assert!(read[1].fields.is_err());
    }

    #[test]
    fn csv_is_read_with_the_separator_of_its_header() {
        for separator in [",", ";", "\t"] {
            let text = format!("sku{separator}name\n1{separator}\"a\nb\"\n2{separator}x{separator}y\n3{separator}\n");
            let read = records(text.as_bytes());
            assert_eq!(field(&read[0], "name"), "a\nb");
            assert!(read[1].fields.as_ref().unwrap_err().contains("row of the table"));
            assert_eq!(read[2].fields.as_ref().unwrap().len(), 1, "an empty cell is absent");
        }
    }

    #[test]
    fn gzip_is_told_by_its_content_also_in_several_members() {
        let mut packed = Vec::new();
        for line in ["{\"sku\":\"1\"}\n", "{\"sku\":\"2\"}\n"] {
            let mut member = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            member.write_all(line.as_bytes()).unwrap();
            packed.extend(member.finish().unwrap());
        }
        assert_eq!(records(&packed).len(), 2);
    }

    #[test]
    fn a_file_that_ends_early_is_an_error_and_a_huge_line_is_not_kept() {
        let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        packer.write_all("{\"sku\":\"1\"}\n".repeat(10_000).as_bytes()).unwrap();
        let whole = packer.finish().unwrap();
        let cut = whole[..whole.len() - 20].to_vec();
        assert!(Source::of(io::Cursor::new(cut), None).unwrap().any(|row| row.is_err()));

        let long = format!("{{\"sku\":\"{}\"}}\n{{\"sku\":\"2\"}}\n", "x".repeat(3 * ROW_MAX));
        let read = records(long.as_bytes());
        assert!(read[0].fields.as_ref().unwrap_err().contains("bytes"));
        assert_eq!((read.len(), read[1].line), (2, 2));
    }

    #[test]
    fn an_array_is_refused_with_a_remedy() {
        let refused = Source::of(io::Cursor::new(b"[{}]".to_vec()), None).err().unwrap();
        assert!(refused.to_string().contains("jq -c"));
    }
}
