//! What passkeys stand on.

use std::sync::Arc;

use super::ports::Ceremonies;
use crate::{
    error::{Error, Result},
    secrets::{Mac, Sealer},
};

/// What passkeys stand on. Cheap to clone.
#[derive(Clone)]
pub struct Passkeys {
    /// Carries ceremonies out; none where the shop has no public address that passkeys could be bound to.
    pub ceremonies: Option<Arc<dyn Ceremonies>>,
    /// Seals what a client keeps between the two halves of a ceremony.
    pub sealer: Arc<dyn Sealer>,
    /// Makes what a used ceremony is remembered by.
    pub mac: Arc<dyn Mac>,
}

impl std::fmt::Debug for Passkeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Passkeys").field("open", &self.ceremonies.is_some()).finish_non_exhaustive()
    }
}

impl Passkeys {
    /// # Errors
    /// [`Error::Unavailable`] when this installation has no passkeys.
    pub(super) fn ceremonies(&self) -> Result<&dyn Ceremonies> {
        let none = || Error::Unavailable {
            what: "Passkeys",
            source: "no public address to bind them to; set public.url".into(),
        };
        self.ceremonies.as_deref().ok_or_else(none)
    }

    /// What a used ceremony is remembered by.
    pub(super) fn digest(&self, ceremony: &str) -> [u8; 32] {
        self.mac.mac(format!("ceremony\0{}", ceremony.to_ascii_lowercase()).as_bytes())
    }
}
