//! Codes of apps that anybody can make.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use crate::{error::Result, identity::factors::ports::OneTimeCodes};

/// Six digits that tell secrets and counters apart.
#[derive(Debug, Default, Clone, Copy)]
pub struct PlainCodes;

impl OneTimeCodes for PlainCodes {
    fn code(&self, secret: &[u8], counter: u64) -> Result<u32> {
        let mut hasher = DefaultHasher::new();
        (secret, counter).hash(&mut hasher);
        Ok(u32::try_from(hasher.finish() % 1_000_000).unwrap_or_default())
    }
}
