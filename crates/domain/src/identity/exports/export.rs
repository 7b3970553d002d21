//! What is known of an archive.

use std::time::Duration;

use crate::{
    clock::Timestamp,
    id::{ExportId, UserId},
};

/// How long an archive is kept from when it was asked for.
pub const KEPT: Duration = Duration::from_hours(7 * 24);

/// Most archives kept of one person.
pub const AT_MOST: usize = 3;

/// An archive of all that is kept of a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataExport {
    /// Its id.
    pub id: ExportId,
    /// Whose.
    pub user: UserId,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// When it goes.
    pub expires_at: Timestamp,
    /// What is known when it is made.
    pub ready: Option<Ready>,
}

/// An archive that is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ready {
    /// Since when.
    pub at: Timestamp,
    /// How long it is.
    pub bytes: u64,
    /// In how many chunks it is kept.
    pub chunks: u32,
}

impl DataExport {
    /// What a chunk is sealed for: it opens in no other place.
    pub(super) fn context(&self, chunk: u32) -> String {
        format!("data_export:{}:{chunk}", self.id)
    }
}
