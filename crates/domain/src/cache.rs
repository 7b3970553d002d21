//! What may be kept of answers, and what makes them old: never served once a write they should show was acknowledged
//! (ruling R28).
//!
//! An entry belongs to tags. A write names the tags it makes old, in [`tags`], and they are old before the write is
//! answered. So nothing is cached that has no path of invalidation (CA-08), and that path is the event every change
//! leaves anyway.

mod epochs;
mod ports;
mod store;
mod tag;

pub use epochs::{Epochs, Standing};
pub use ports::{Cache, Entry, Key, Lead, Looked, NoCache, Policy};
pub use store::InvalidatingStore;
pub use tag::{Tag, tags};
