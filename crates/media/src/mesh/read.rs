//! One way to read every format: facet by facet, in batches that fit a processor's cache.

use std::io::{BufReader, Read, Seek, SeekFrom};

use super::{Facet, Fault, Format, obj, stl_ascii, stl_binary, three_mf};

/// Facets handed on at once.
const AT_ONCE: usize = 1024;
/// Bytes of text read at once.
const BUFFER: usize = 1 << 18;

/// What a file may cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Most triangles.
    pub triangles: u64,
    /// Most triangles of which it is found out how they hang together; more are measured only.
    pub connected: u64,
    /// Most corners that a format which lists them may have.
    pub vertices: u64,
    /// Most bytes that a package may unpack to.
    pub unpacked: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { triangles: 50_000_000, connected: 2_000_000, vertices: 8_000_000, unpacked: 1 << 30 }
    }
}

/// What a file says beside its facets.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Contents {
    /// Solids or objects that it names.
    pub solids: u64,
    /// What a unit of it is, in millimetres, where it says so. Facets are given in millimetres then.
    pub unit: Option<f64>,
}

/// Reads a file from its beginning and hands on its facets.
///
/// # Errors
/// What is wrong with the file, and what `sink` refuses.
pub fn each<S: Read + Seek>(
    mut source: S,
    format: Format,
    limits: Limits,
    sink: &mut dyn FnMut(&[Facet]) -> Result<(), Fault>,
) -> Result<Contents, Fault> {
    source.seek(SeekFrom::Start(0))?;
    let mut batch = Batch { limits, facets: Vec::with_capacity(AT_ONCE), count: 0, solids: 1, unit: None, sink };
    match format {
        Format::StlBinary => stl_binary::read(&mut source, &mut batch)?,
        Format::StlAscii => stl_ascii::read(BufReader::with_capacity(BUFFER, &mut source), &mut batch)?,
        Format::Obj => obj::read(BufReader::with_capacity(BUFFER, &mut source), &mut batch)?,
        Format::ThreeMf => three_mf::read(&mut source, &mut batch)?,
    }
    batch.flush()?;
    if batch.count == 0 {
        return Err(Fault::NoFacets);
    }
    Ok(Contents { solids: batch.solids, unit: batch.unit })
}

/// Facets on their way from a reader to whoever wants them.
pub(super) struct Batch<'a> {
    pub(super) limits: Limits,
    facets: Vec<Facet>,
    count: u64,
    pub(super) solids: u64,
    pub(super) unit: Option<f64>,
    sink: &'a mut dyn FnMut(&[Facet]) -> Result<(), Fault>,
}

impl Batch<'_> {
    /// So many will come.
    pub(super) fn announce(&self, count: u64) -> Result<(), Fault> {
        if count > self.limits.triangles { Err(self.too_many()) } else { Ok(()) }
    }

    pub(super) fn push(&mut self, facet: Facet) -> Result<(), Fault> {
        self.facets.push(facet);
        if self.facets.len() >= AT_ONCE { self.flush() } else { Ok(()) }
    }

    pub(super) fn extend(&mut self, facets: impl Iterator<Item = Facet>) -> Result<(), Fault> {
        self.facets.extend(facets);
        self.flush()
    }

    fn flush(&mut self) -> Result<(), Fault> {
        self.count += u64::try_from(self.facets.len()).unwrap_or(u64::MAX);
        if self.count > self.limits.triangles {
            return Err(self.too_many());
        }
        if !self.facets.is_empty() {
            (self.sink)(&self.facets)?;
            self.facets.clear();
        }
        Ok(())
    }

    fn too_many(&self) -> Fault {
        Fault::TooManyTriangles { most: self.limits.triangles }
    }
}
