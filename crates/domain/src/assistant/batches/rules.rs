//! What an operator may set about batches.

use std::time::Duration;

/// The bounds of batches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BatchRules {
    /// Most bytes of a file that somebody brings.
    pub file_bytes: u64,
    /// Most lines of a batch.
    pub lines: u64,
    /// Most bytes of a line.
    pub line_bytes: usize,
    /// Most lines of one batch that are asked at once.
    pub at_once: usize,
    /// How long files and batches are kept; `None` for ever.
    pub keep: Option<Duration>,
}

impl Default for BatchRules {
    fn default() -> Self {
        Self {
            file_bytes: 32 << 20,
            lines: 10_000,
            line_bytes: 16 << 20,
            at_once: 4,
            keep: Some(Duration::from_hours(30 * 24)),
        }
    }
}
