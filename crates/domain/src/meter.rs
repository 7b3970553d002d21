//! What operators count, as a port, so that the domain depends on no metrics library.

/// Counts what happens. MUST be quick and MUST NOT fail: it is told in the middle of use cases.
pub trait Meter: Send + Sync {
    /// A transaction of this use case runs once more, because the database said that would help.
    fn transaction_retried(&self, use_case: &'static str);

    /// What was said in other conversations could not be looked up; the talk goes on without it.
    fn memory_recall_failed(&self) {}

    /// What was said in other conversations was looked up by its words alone, since nobody could say what it means.
    fn memory_recalled_by_words(&self) {}
}

/// Counts nothing, for whoever does not care.
impl Meter for () {
    fn transaction_retried(&self, _: &'static str) {}
}
