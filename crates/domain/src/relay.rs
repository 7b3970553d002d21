//! The relay: gives committed events their gap-free number and chains the audit log, on one node at a time.
//!
//! Numbers taken before a commit become visible out of order, so that a reader who goes on "after the last one I saw"
//! would skip rows. Therefore events are committed without a number, and one relay numbers what it sees committed.

mod lease;
mod plan;
mod ports;
mod set_aside;
mod step;

pub use lease::Lease;
pub use plan::{Plan, plan};
pub use ports::{Batch, Entry, Numbered, Opened, Pending, Position, RelayLog};
pub use set_aside::{Failed, SetAside};
pub use step::{Done, Relay, Step, step};

/// The topic on the bus that tells the relay of commits on other nodes. No payload: there is something to number.
pub const COMMITTED: &str = "events.committed";
/// The topic on the bus that tells who follows the log that it goes further. No payload: the log says what there is.
pub const NUMBERED: &str = "events.numbered";
