//! Messages: an event for one endpoint, and what became of it.

use uuid::Uuid;

use super::EventType;
use crate::{
    clock::Timestamp,
    id::{EndpointId, EventId, WebhookMessageId},
};

/// Where a message stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MessageState {
    /// For its time, or for who sends it.
    Waiting,
    /// It is being sent.
    Sending,
    /// It arrived.
    Delivered,
    /// It was given up; it may be sent again.
    Failed,
}

impl MessageState {
    /// Every state.
    pub const ALL: [Self; 4] = [Self::Waiting, Self::Sending, Self::Delivered, Self::Failed];

    /// The name stored and shown.
    pub fn name(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Sending => "sending",
            Self::Delivered => "delivered",
            Self::Failed => "failed",
        }
    }

    /// The state of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }
}

/// Why a message was given up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// Every attempt failed.
    Exhausted,
    /// The receiver said that it wants this message no more.
    Aborted,
    /// The receiver said that it is gone.
    Gone,
    /// The endpoint was switched off before it arrived.
    Off,
}

impl Cause {
    /// Every cause.
    pub const ALL: [Self; 4] = [Self::Exhausted, Self::Aborted, Self::Gone, Self::Off];

    /// The name stored and shown.
    pub fn name(self) -> &'static str {
        match self {
            Self::Exhausted => "exhausted",
            Self::Aborted => "aborted",
            Self::Gone => "gone",
            Self::Off => "off",
        }
    }

    /// The cause of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|cause| cause.name() == name)
    }
}

/// A message to be stored. It is due at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewMessage {
    /// Its id, the same in every attempt.
    pub id: WebhookMessageId,
    /// Who is to get it.
    pub endpoint: EndpointId,
    /// What it tells of; `None` for a test.
    pub event: Option<EventId>,
    /// The number of that in the log; 0 for a test.
    pub seq: u64,
    /// Its type.
    pub kind: EventType,
    /// The thing whose messages come in order, where they do.
    pub key: Option<Uuid>,
    /// The body, byte for byte.
    pub body: String,
    /// When it was made.
    pub created_at: Timestamp,
}

/// A message as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Its id.
    pub id: WebhookMessageId,
    /// Who is to get it.
    pub endpoint: EndpointId,
    /// What it tells of.
    pub event: Option<EventId>,
    /// Its type.
    pub kind: EventType,
    /// Its body.
    pub body: String,
    /// Where it stands.
    pub state: MessageState,
    /// Why it was given up.
    pub cause: Option<Cause>,
    /// How often it was tried.
    pub attempts: u32,
    /// When it is tried next, if it is.
    pub next_attempt_at: Option<Timestamp>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it arrived or was given up.
    pub finished_at: Option<Timestamp>,
}

impl Message {
    /// The `webhook-id` of a message.
    pub fn webhook_id(id: WebhookMessageId) -> String {
        format!("msg_{}", id.0.simple())
    }
}

/// Why an attempt failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Fault {
    /// The receiver answered with a status that is no success.
    Status,
    /// It answered that it is elsewhere; webhooks are not led on.
    Redirect,
    /// It took too long.
    Timeout,
    /// It could not be reached, or broke off.
    Connection,
    /// Its address is inside, or its host is unknown.
    Blocked,
    /// It cannot be sent: our own fault.
    Unsendable,
}

impl Fault {
    /// Every fault.
    pub const ALL: [Self; 6] =
        [Self::Status, Self::Redirect, Self::Timeout, Self::Connection, Self::Blocked, Self::Unsendable];

    /// The name stored and shown.
    pub fn name(self) -> &'static str {
        match self {
            Self::Status => "status",
            Self::Redirect => "redirect",
            Self::Timeout => "timeout",
            Self::Connection => "connection",
            Self::Blocked => "blocked",
            Self::Unsendable => "unsendable",
        }
    }

    /// The fault of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|fault| fault.name() == name)
    }
}

/// One attempt, as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// Its number among those of the message, from 1.
    pub number: u32,
    /// When it began.
    pub at: Timestamp,
    /// How long it took, in milliseconds.
    pub millis: u64,
    /// The status that was answered, if one was.
    pub status: Option<u16>,
    /// Why it failed, if it did.
    pub fault: Option<Fault>,
    /// The beginning of what was answered.
    pub body: String,
}
