//! Whether the things we stand on are there.

/// One thing that may be away.
#[async_trait::async_trait]
pub trait Probe: Send + Sync {
    /// Its name in `/ready`, such as `database`.
    fn name(&self) -> &'static str;

    /// Without it we cannot serve.
    fn required(&self) -> bool;

    /// It is not a server of its own in this configuration but lives in this process.
    fn embedded(&self) -> bool {
        false
    }

    /// Whether it answers. MUST end within a second.
    async fn check(&self) -> bool;
}
