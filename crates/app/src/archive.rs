//! Archives as ZIP files.

use std::io::{Cursor, Write as _};

use domain::{
    Error, Result,
    identity::exports::ports::{Pack, Packer},
};
use zip::{CompressionMethod, ZipWriter, write::SimpleFileOptions};

/// Makes ZIP files.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Zips;

impl Packer for Zips {
    fn begin(&self) -> Result<Box<dyn Pack>> {
        Ok(Box::new(Zip(ZipWriter::new(Cursor::new(Vec::new())))))
    }
}

/// One, compressed as it is written.
struct Zip(ZipWriter<Cursor<Vec<u8>>>);

impl Pack for Zip {
    fn file(&mut self, name: &str) -> Result<()> {
        let options = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
        self.0.start_file(name, options).map_err(Error::internal)
    }

    fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.0.write_all(bytes).map_err(Error::internal)
    }

    fn finish(self: Box<Self>) -> Result<Vec<u8>> {
        self.0.finish().map(Cursor::into_inner).map_err(Error::internal)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;

    #[test]
    fn what_was_written_reads_back_and_is_smaller() {
        let mut pack = Zips.begin().unwrap();
        let long = b"[1,2,3]".repeat(10_000);
        for (name, bytes) in [("a.json", long.as_slice()), ("empty.json", b""), ("z.json", b"\0\xff")] {
            pack.file(name).unwrap();
            for part in bytes.chunks(999) {
                pack.write(part).unwrap();
            }
        }
        let made = pack.finish().unwrap();
        assert!(made.len() < 2_000, "{}", made.len());
        let mut archive = zip::ZipArchive::new(Cursor::new(made)).unwrap();
        let names: Vec<_> = archive.file_names().map(|name| name.unwrap().into_owned()).collect();
        assert_eq!(names, ["a.json", "empty.json", "z.json"]);
        let mut read = Vec::new();
        archive.by_name("a.json").unwrap().read_to_end(&mut read).unwrap();
        assert_eq!(read, long);
    }
}
