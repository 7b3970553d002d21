//! The right to be the relay: a row in the database that somebody holds for a while (ruling R27).

use crate::clock::Timestamp;

/// The relay's lease in one holder's hand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    /// Who holds it: a name no other start of the program ever has.
    pub holder: String,
    /// Grows with every change of hands. Each transaction of the relay compares it, so that a holder who slept through
    /// the end of its lease writes nothing.
    pub fence: u64,
    /// When it ends unless it is renewed.
    pub until: Timestamp,
}
