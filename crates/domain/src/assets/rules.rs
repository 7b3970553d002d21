//! The rules of assets that an operator may set.

use std::time::Duration;

use super::Quotas;

/// The rules of assets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AssetRules {
    /// Most bytes of one file.
    pub file_max: u64,
    /// Most bytes that are kept for each.
    pub quotas: Quotas,
    /// How long bytes that nobody holds are left where they are: longer than any upload takes from its end to its row.
    pub grace: Duration,
    /// How long an upload in portions waits for the next one, and how long what became of it is told.
    pub upload_life: Duration,
}

impl Default for AssetRules {
    fn default() -> Self {
        Self {
            file_max: 1 << 30,
            quotas: Quotas::default(),
            grace: Duration::from_hours(24),
            upload_life: Duration::from_hours(24),
        }
    }
}
