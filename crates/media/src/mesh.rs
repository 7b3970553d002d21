//! 3D models: what a file of triangles holds, whether it can be printed, and what it looks like.
//!
//! A file is never held whole. [`Gate`] looks at the bytes while they arrive; [`each`] reads a stored file facet by facet. The
//! first time a file is read it is measured ([`analyse`]), the second time it is drawn and simplified ([`depict`]).

mod analyse;
#[expect(
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    clippy::indexing_slicing,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "numbers of cubes and corners are bounded by what is kept of a model"
)]
mod clusters;
#[expect(
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    reason = "constants, and the lengths of lists that are in memory"
)]
mod depict;
mod facet;
mod fault;
mod format;
mod gate;
mod glb;
mod lines;
mod measure;
mod obj;
mod png;
mod problem;
#[expect(
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    clippy::indexing_slicing,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    clippy::many_single_char_names,
    reason = "pixels are clamped to the canvas before they are looked up"
)]
mod raster;
mod read;
mod stl_ascii;
mod stl_binary;
#[expect(clippy::many_single_char_names, reason = "matrices of twelve numbers, named as in the specification")]
mod three_mf;
#[expect(
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    clippy::indexing_slicing,
    reason = "faces hold numbers of corners, and buckets numbers of faces, that were given out here"
)]
mod topology;
#[expect(
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    clippy::indexing_slicing,
    reason = "slots are masked, and corners are numbered as they are stored"
)]
mod weld;
mod xml;

pub use analyse::{Report, Unit, analyse};
pub use depict::{Depiction, PREVIEWS, depict};
pub use facet::{Facet, Point};
pub use fault::Fault;
pub use format::{Declared, Format};
pub use gate::Gate;
pub use measure::Measures;
pub use problem::{Problem, Severity};
pub use read::{Contents, Limits, each};
pub use topology::Topology;
