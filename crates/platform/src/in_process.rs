//! Tiers that another configuration would have as servers of their own, and this one has in the process.

use domain::health::Probe;

/// A tier that lives in this process, so it is there whenever somebody asks (ruling R5).
#[derive(Debug, Clone, Copy)]
pub struct InProcess {
    name: &'static str,
}

impl InProcess {
    /// The tier that is called so in `/ready`.
    pub fn new(name: &'static str) -> Self {
        Self { name }
    }
}

#[async_trait::async_trait]
impl Probe for InProcess {
    fn name(&self) -> &'static str {
        self.name
    }

    fn required(&self) -> bool {
        false
    }

    fn embedded(&self) -> bool {
        true
    }

    async fn check(&self) -> bool {
        true
    }
}
