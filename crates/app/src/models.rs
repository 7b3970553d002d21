//! The examination of 3D models: files out of the store, on threads that may wait, by the pure half in `media`.

use std::{
    io::{self, Read, Seek, SeekFrom},
    sync::Arc,
};

use async_trait::async_trait;
use bytes::Bytes;
use domain::{
    Error, Result,
    assets::{
        Chunks, Storeroom,
        models::{
            self, Declared, Fault, Findings, ModelFormat, Shape, Warning, Workshop,
            ports::{Analysis, Depiction, Gate, Source, Verdict},
        },
    },
};
use media::mesh;
use tokio::runtime::Handle;

use crate::config::Config;

/// What models are brought to and examined by.
pub(crate) fn workshop(config: &Config, room: &Storeroom) -> Workshop {
    let models = &config.models;
    Workshop { room: room.clone(), analysis: Arc::new(Meshes { limits: models.limits }), most: models.file_max }
}

/// Examines models within these limits.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Meshes {
    pub(crate) limits: mesh::Limits,
}

#[async_trait]
impl Analysis for Meshes {
    fn gate(&self, declared: Declared) -> Box<dyn Gate> {
        let declared = match declared {
            Declared::Stl => mesh::Declared::Stl,
            Declared::Obj => mesh::Declared::Obj,
            Declared::ThreeMf => mesh::Declared::ThreeMf,
        };
        Box::new(Admission(Some(mesh::Gate::new(declared, self.limits.triangles))))
    }

    async fn measure(&self, source: Source) -> Result<Verdict<Findings>> {
        let limits = self.limits;
        examined(source, move |file, format| mesh::analyse(file, format, limits).map(|report| findings(&report))).await
    }

    async fn depict(&self, source: Source, found: &Findings) -> Result<Verdict<Depiction>> {
        let (limits, measures) = (self.limits, measures(found));
        let drawn = examined(source, move |file, format| mesh::depict(file, format, limits, &measures)).await?;
        Ok(drawn.map(|drawn| {
            let [large, medium, small] = drawn.previews;
            Depiction { renditions: [large, medium, small, drawn.glb], overhang: drawn.overhang }
        }))
    }
}

/// A file on its way in; nothing is left of the gate once it has said what the file is.
struct Admission(Option<mesh::Gate>);

impl Gate for Admission {
    fn push(&mut self, piece: &[u8]) -> Verdict<()> {
        self.0.as_mut().map_or(Ok(()), |gate| gate.push(piece)).map_err(|fault| told(&fault))
    }

    fn finish(&mut self) -> Verdict<ModelFormat> {
        let gate = self.0.take().ok_or(mesh::Fault::Unknown).and_then(mesh::Gate::finish);
        gate.map(format).map_err(|fault| told(&fault))
    }
}

/// Does `work` with a file on a thread that may wait. A fault that may pass is an error, so that it is tried again; a file that
/// makes `work` panic is no model.
async fn examined<T: Send + 'static>(
    source: Source,
    work: impl FnOnce(&mut Stored, mesh::Format) -> Result<T, mesh::Fault> + Send + 'static,
) -> Result<Verdict<T>> {
    let format = match source.format {
        ModelFormat::StlBinary => mesh::Format::StlBinary,
        ModelFormat::StlAscii => mesh::Format::StlAscii,
        ModelFormat::Obj => mesh::Format::Obj,
        ModelFormat::ThreeMf => mesh::Format::ThreeMf,
    };
    let mut file = Stored { handle: Handle::current(), source, at: 0, chunks: None, piece: Bytes::new() };
    match tokio::task::spawn_blocking(move || work(&mut file, format)).await {
        Ok(Ok(value)) => Ok(Ok(value)),
        Ok(Err(fault)) if fault.may_pass() => Err(Error::Unavailable { what: "File store", source: Box::new(fault) }),
        Ok(Err(fault)) => Ok(Err(told(&fault))),
        Err(error) if error.is_panic() => {
            tracing::error!("the examination of a model panicked");
            Ok(Err(Fault { code: "NOT_EXAMINED".to_owned(), message: "The model could not be examined".to_owned() }))
        }
        Err(error) => Err(Error::internal(error)),
    }
}

/// A stored file as the standard library reads files. It holds one piece of it.
struct Stored {
    handle: Handle,
    source: Source,
    at: u64,
    chunks: Option<Box<dyn Chunks>>,
    piece: Bytes,
}

impl Stored {
    fn next(&mut self) -> Result<Option<Bytes>> {
        let Self { handle, source, at, chunks, .. } = self;
        if *at >= source.held.size {
            return Ok(None);
        }
        handle.block_on(async {
            let open = match chunks {
                Some(open) => open,
                None => chunks.insert(source.room.open(&source.held, Some(*at..source.held.size)).await?),
            };
            open.next().await
        })
    }
}

impl Read for Stored {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.piece.is_empty() {
            self.piece = self.next().map_err(io::Error::other)?.unwrap_or_default();
        }
        let count = buffer.len().min(self.piece.len());
        let (filled, _) = buffer.split_at_mut(count);
        filled.copy_from_slice(&self.piece.split_to(count));
        self.at += u64::try_from(count).map_err(io::Error::other)?;
        Ok(count)
    }
}

impl Seek for Stored {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let target = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::End(by) => self.source.held.size.checked_add_signed(by),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
        };
        let target = target.ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))?;
        if target != self.at {
            self.chunks = None;
            self.piece = Bytes::new();
            self.at = target;
        }
        Ok(target)
    }
}

fn told(fault: &mesh::Fault) -> Fault {
    Fault { code: fault.code().to_owned(), message: fault.to_string() }
}

fn format(format: mesh::Format) -> ModelFormat {
    match format {
        mesh::Format::StlBinary => ModelFormat::StlBinary,
        mesh::Format::StlAscii => ModelFormat::StlAscii,
        mesh::Format::Obj => ModelFormat::Obj,
        mesh::Format::ThreeMf => ModelFormat::ThreeMf,
    }
}

fn findings(report: &mesh::Report) -> Findings {
    let measures = &report.measures;
    Findings {
        triangles: measures.triangles,
        low: measures.low.map(f64::from),
        high: measures.high.map(f64::from),
        area: measures.area,
        volume: measures.volume,
        solids: report.solids,
        unit: match report.unit {
            mesh::Unit::Assumed => None,
            mesh::Unit::Stated(millimetres) => Some(millimetres),
        },
        shape: report.topology.as_ref().map(|found| Shape {
            watertight: found.watertight(),
            vertices: found.vertices,
            edges: found.edges,
            boundary_edges: found.boundary,
            non_manifold_edges: found.non_manifold,
            inconsistent_edges: found.inconsistent,
            shells: found.shells,
            inverted_shells: found.inverted_shells,
            collapsed: found.collapsed,
            duplicate: found.duplicate,
        }),
        warnings: report
            .problems
            .iter()
            .map(|problem| Warning {
                code: problem.code.to_owned(),
                severity: match problem.severity {
                    mesh::Severity::Info => models::Severity::Info,
                    mesh::Severity::Warning => models::Severity::Warning,
                    mesh::Severity::Error => models::Severity::Error,
                },
                count: problem.count,
            })
            .collect(),
        overhang: None,
    }
}

/// What drawing needs of what was measured. The corners were single precision before they were stored.
fn measures(found: &Findings) -> mesh::Measures {
    mesh::Measures {
        triangles: found.triangles,
        low: found.low.map(single),
        high: found.high.map(single),
        area: found.area,
        volume: found.volume,
        ..mesh::Measures::default()
    }
}

#[expect(
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    reason = "it was single precision before it was stored"
)]
fn single(number: f64) -> f32 {
    number as f32
}

#[cfg(test)]
mod tests {
    use domain::{
        assets::{Terms, Whole, ports::Reach},
        testing::{Fixtures, MemoryBlobs},
    };

    use super::*;

    const CUBE: &[u8] = include_bytes!("../../media/tests/models/cube-invalid-unicode.stl");

    async fn stored(bytes: &'static [u8]) -> Source {
        let (given, store) = Fixtures::in_memory();
        let room = Storeroom { blobs: Arc::new(MemoryBlobs::default()), index: Arc::new(store) };
        let kept = room.put(&given.shop, &mut Whole::new(bytes), &Terms::at_most(1 << 20)).await.unwrap();
        let mut tx = given.tx().await;
        tx.blobs().hold(&kept, Reach::Private).await.unwrap();
        tx.commit().await.unwrap();
        let held = room.find(&kept.digest()).await.unwrap().unwrap();
        Source { room, held, format: ModelFormat::StlBinary }
    }

    #[tokio::test]
    async fn a_stored_cube_is_measured_and_drawn() {
        let meshes = Meshes { limits: mesh::Limits::default() };
        let source = stored(CUBE).await;
        let found = meshes.measure(source.clone()).await.unwrap().unwrap();
        assert_eq!((found.triangles, found.size(), found.volume), (12, [2.0; 3], 8.0));
        assert!(found.shape.unwrap().closed());
        let drawn = meshes.depict(source, &found).await.unwrap().unwrap();
        assert!(drawn.renditions[0].starts_with(b"\x89PNG") && drawn.renditions[3].starts_with(b"glTF"));
    }

    #[tokio::test]
    async fn a_file_is_read_from_anywhere() {
        let source = stored(b"0123456789").await;
        let handle = Handle::current();
        let mut file = Stored { handle, source, at: 0, chunks: None, piece: Bytes::new() };
        let read = tokio::task::spawn_blocking(move || {
            let mut all = String::new();
            file.seek(SeekFrom::End(-3)).unwrap();
            file.read_to_string(&mut all).unwrap();
            file.seek(SeekFrom::Start(2)).unwrap();
            file.read_exact(&mut [0; 2]).unwrap();
            file.read_to_string(&mut all).unwrap();
            assert!(file.seek(SeekFrom::Current(-11)).is_err());
            assert_eq!(file.seek(SeekFrom::Start(50)).unwrap(), 50);
            file.read_to_string(&mut all).unwrap();
            all
        });
        assert_eq!(read.await.unwrap(), "789456789");
    }

    #[tokio::test]
    async fn what_is_no_model_is_told_and_what_panics_too() {
        let meshes = Meshes { limits: mesh::Limits::default() };
        let fault = meshes.measure(stored(b"short").await).await.unwrap().unwrap_err();
        assert_eq!(fault.code, "TRUNCATED");
        let fault = examined::<()>(stored(CUBE).await, |_, _| panic!("on purpose")).await.unwrap().unwrap_err();
        assert_eq!(fault.code, "NOT_EXAMINED");
    }
}
