//! Webhooks that come in: believed by their signature, stored before they are answered, and handled by jobs.
//!
//! A call is believed by a [`Source`], which is data of the operator. What was believed is stored once, however often and on how
//! many nodes it comes, in the transaction that stores its job. What it does is up to the [`ports::HookHandler`] of its source, in the
//! transaction that says so; one without a handler is kept, and told of like any other.

mod believe;
mod clerk;
mod event;
mod events;
mod find;
mod handle;
pub mod ports;
mod purge;
mod receive;
mod replay;

pub use believe::{Believed, Disbelief, Source, Sources, Vouched};
pub use clerk::Clerk;
pub use event::{Handled, HookEvent, HookReport, HookState};
pub use find::{Finds, Place};
pub use handle::{HandleHook, handle_hook};
pub use purge::purge_hooks;
pub use receive::{Received, receive_hook};
pub use replay::replay_hook;

#[cfg(test)]
mod tests;
