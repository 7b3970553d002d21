//! The logs every mutation writes to, and idempotency keys.

mod audit;
mod keys;
mod outbox;
mod told;

pub(crate) use told::Told;
