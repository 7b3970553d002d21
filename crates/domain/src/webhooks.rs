//! Webhooks: events of the shop are told to addresses that people, seller accounts and the operator gave.

mod change_endpoint;
mod circuit;
mod create_endpoint;
mod delete_endpoint;
mod disable_endpoint;
mod endpoint;
mod endpoint_input;
mod event_type;
mod events;
mod fan_out;
mod hearing;
mod message;
mod pace;
pub mod policy;
pub mod ports;
mod purge;
mod recover;
mod schedule;
mod secret;
mod send_test;
#[cfg(test)]
mod tests;

pub use change_endpoint::{change_endpoint, rotate_secret};
pub use circuit::{Circuit, OPEN, PROBES, Verdict as CircuitVerdict};
pub use create_endpoint::{Keyring, MadeEndpoint, create_endpoint};
pub use delete_endpoint::delete_endpoint;
pub use disable_endpoint::disable_endpoint;
pub use endpoint::{Endpoint, Filter, Form, Off, Order, Owner};
pub use endpoint_input::{EndpointChange, EndpointInput, NewEndpoint};
pub use event_type::EventType;
pub use fan_out::{FanOut, Fanned, QUEUED, Wording, fan_out};
pub use hearing::{Hearer, Told, told};
pub use message::{Attempt, Cause, Fault, Message, MessageState, NewMessage};
pub use pace::{Rate, Window};
pub use purge::purge_webhooks;
pub use recover::{RECOVERABLE, recover_messages, resend_message};
pub use schedule::{Answered, ENDURED, Finished, Outcome, PAUSES, Settled, TIMEOUT, conclude};
pub use secret::{Algorithm, OLD_SECRETS, OVERLAP, SecretText, Signer, StoredSecret, seal_context};
pub use send_test::send_test;

/// The rules an operator may set for webhooks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WebhookRules {
    /// The most endpoints of one owner.
    pub most: u64,
    /// After failing for so long an endpoint is switched off.
    pub endured: std::time::Duration,
}

impl Default for WebhookRules {
    fn default() -> Self {
        Self { most: 50, endured: ENDURED }
    }
}
