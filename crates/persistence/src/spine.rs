//! The logs every mutation writes to, the relay that numbers and chains them, and idempotency keys.

mod audit;
mod chain;
mod feed;
mod keys;
mod numbering;
mod outbox;
mod purge;
mod relay;
mod rows;
mod set_aside;
mod tickets;
mod told;

pub(crate) use told::Told;
