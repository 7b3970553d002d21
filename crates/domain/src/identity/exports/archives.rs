//! Reading archives, and the end of those that are old.

use std::sync::Arc;

use super::{DataExport, ports::DataExportQueries};
use crate::{
    clock::Timestamp,
    error::{Error, Result},
    secrets::Sealer,
};

/// Archives removed in one transaction, so that writers are not held up.
const PORTION: u32 = 20;

/// What reading archives stands on.
#[derive(Clone)]
pub struct Archives {
    /// Reads them.
    pub queries: Arc<dyn DataExportQueries>,
    /// Opens them.
    pub sealer: Arc<dyn Sealer>,
}

impl std::fmt::Debug for Archives {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Archives(..)")
    }
}

impl Archives {
    /// A chunk of an archive that is made.
    ///
    /// # Errors
    /// [`Error::NotFound`] when it went meanwhile; [`Error::Internal`] when it was sealed by another key, or tampered with.
    pub async fn chunk(&self, export: &DataExport, n: u32) -> Result<Vec<u8>> {
        let sealed = self.queries.chunk(export.id, n).await?.ok_or(Error::NotFound("Data export"))?;
        self.sealer.open(&export.context(n), &sealed)
    }
}

/// Removes archives that have ended, in small transactions, and gives how many.
///
/// # Errors
/// Those of the database.
pub async fn purge_exports(exports: &dyn DataExportQueries, now: Timestamp) -> Result<u64> {
    let mut total = 0;
    loop {
        let gone = exports.purge(now, PORTION).await?;
        total += gone;
        if gone < u64::from(PORTION) {
            return Ok(total);
        }
    }
}
