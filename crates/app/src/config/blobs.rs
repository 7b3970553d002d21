//! `[blobs]`: where files lie.

use std::path::PathBuf;

use super::{Reader, Setting};

pub(crate) const SETTINGS: &[Setting] =
    &[Setting::new("blobs.path", "data/blobs", "The folder in which files lie; several nodes share one.")];

/// Where files lie.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Blobs {
    pub(crate) path: PathBuf,
}

impl Blobs {
    pub(crate) fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let path = reader.text("blobs.path");
        if path.is_empty() {
            reader.fault("blobs.path", "must name a folder");
            return None;
        }
        Some(Self { path: path.into() })
    }
}
