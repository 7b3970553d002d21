//! What webhooks need from outside.

use async_trait::async_trait;

use super::{
    Algorithm, Attempt, Endpoint, EventType, Finished, Message, MessageState, NewMessage, Outcome, Owner, StoredSecret,
};
use crate::{
    clock::Timestamp,
    error::Result,
    id::{EndpointId, UserId, WebhookMessageId},
    page::{Page, PageRequest},
};

/// Looks at addresses that somebody gave, before anything is sent there.
pub trait Addresses: Send + Sync {
    /// Whether a webhook may be sent to this address; the reason is fit for whoever gave it. What its name leads to is looked at
    /// when it is called.
    ///
    /// # Errors
    /// Why not, such as `must begin with https:// or http://`.
    fn check(&self, url: &str) -> Result<(), &'static str>;
}

/// A message in the form it is sent in. `Debug` shows neither address nor body.
#[derive(Clone, Copy)]
pub struct Parcel<'a> {
    /// Where to.
    pub url: &'a str,
    /// The `webhook-id`.
    pub id: &'a str,
    /// When this attempt is made, in seconds.
    pub timestamp: i64,
    /// The `webhook-signature`.
    pub signature: &'a str,
    /// The body.
    pub body: &'a str,
}

impl std::fmt::Debug for Parcel<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Parcel").field("id", &self.id).finish_non_exhaustive()
    }
}

/// Sends messages.
#[async_trait]
pub trait Courier: Send + Sync {
    /// Sends one, once. MUST end within the time that receivers have, MUST NOT follow where an answer leads, and MUST NOT reach
    /// what is inside.
    async fn send(&self, parcel: Parcel<'_>) -> Outcome;
}

/// The write side of endpoints.
#[async_trait]
pub trait WebhookRepo: Send {
    /// Stores an endpoint with its first secret.
    async fn insert(&mut self, endpoint: &Endpoint, secret: &StoredSecret) -> Result<()>;

    /// The endpoint of that id. Until the transaction ends nobody else changes it.
    async fn find(&mut self, id: EndpointId) -> Result<Option<Endpoint>>;

    /// Stores what changed of an endpoint: everything but its id, its owner and who made it.
    async fn update(&mut self, endpoint: &Endpoint) -> Result<()>;

    /// Removes an endpoint with its secrets, its messages and what is known of them.
    async fn delete(&mut self, id: EndpointId) -> Result<()>;

    /// How many endpoints an owner has.
    async fn count(&mut self, owner: Owner) -> Result<u64>;

    /// Its secrets, the present one first.
    async fn secrets(&mut self, id: EndpointId) -> Result<Vec<StoredSecret>>;

    /// Puts these secrets in the place of all it has.
    async fn put_secrets(&mut self, id: EndpointId, secrets: &[StoredSecret]) -> Result<()>;

    /// Who is to hear that something is wrong with it: its person, the owners of its seller account, or who made it.
    async fn keepers(&mut self, endpoint: &Endpoint) -> Result<Vec<UserId>>;

    /// Gives up all its messages that wait, and gives how many.
    async fn give_up(&mut self, id: EndpointId, now: Timestamp) -> Result<u64>;

    /// Stores a message that no event made.
    async fn add(&mut self, message: &NewMessage) -> Result<()>;

    /// Makes a message that arrived or was given up wait again, due at `now`, from the begin of the schedule; `false` when it is
    /// on its way, and `None` when there is none of this id.
    async fn revive(&mut self, id: EndpointId, message: WebhookMessageId, now: Timestamp) -> Result<Option<bool>>;

    /// The same for those that were given up and made at `since` or after, at most `limit`; gives how many.
    async fn recover(&mut self, id: EndpointId, since: Timestamp, now: Timestamp, limit: u32) -> Result<u64>;
}

/// Which messages to list; every part given must match.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct MessageFilter {
    /// In this state.
    pub state: Option<MessageState>,
    /// Of this type.
    pub kind: Option<EventType>,
}

/// How an endpoint is doing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Stats {
    /// Messages that wait or are being sent.
    pub open: u64,
    /// Those that arrived, of what is kept.
    pub delivered: u64,
    /// Those that were given up.
    pub failed: u64,
    /// When the oldest that waits was made.
    pub waiting_since: Option<Timestamp>,
    /// Attempts of the last day.
    pub attempts: u64,
    /// Those of them that failed.
    pub failures: u64,
    /// How long they took on average, in milliseconds.
    pub mean_millis: Option<u64>,
}

/// The read side of webhooks.
#[async_trait]
pub trait WebhookQueries: Send + Sync {
    /// The endpoint of that id.
    async fn get(&self, id: EndpointId) -> Result<Option<Endpoint>>;

    /// Those of an owner, the newest first.
    async fn list(&self, owner: Owner, page: PageRequest) -> Result<Page<Endpoint>>;

    /// The secrets of one, the present one first.
    async fn secrets(&self, id: EndpointId) -> Result<Vec<StoredSecret>>;

    /// The messages of one, the newest first.
    async fn messages(&self, id: EndpointId, filter: MessageFilter, page: PageRequest) -> Result<Page<Message>>;

    /// A message of one.
    async fn message(&self, id: EndpointId, message: WebhookMessageId) -> Result<Option<Message>>;

    /// The attempts at a message, the latest first.
    async fn attempts(&self, message: WebhookMessageId, page: PageRequest) -> Result<Page<Attempt>>;

    /// How one is doing. `day` is a day ago.
    async fn stats(&self, id: EndpointId, day: Timestamp) -> Result<Stats>;
}

/// An endpoint that has messages which are due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lane {
    /// The endpoint.
    pub endpoint: EndpointId,
    /// Where to send.
    pub url: String,
    /// How often at most.
    pub per_minute: Option<u32>,
    /// Whether its circuit was opened and is not closed yet.
    pub careful: bool,
    /// Which secrets sign.
    pub signing: Signing,
}

/// Which secrets sign for an endpoint: others have another newest one, or are fewer because one came to its end.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Signing {
    /// The number of the newest.
    pub newest: u32,
    /// How many there are.
    pub many: u32,
}

/// What the dispatcher asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ask {
    /// Of whose messages.
    pub endpoint: EndpointId,
    /// How many at most.
    pub most: u32,
    /// How many a minute at most, over all nodes.
    pub per_minute: Option<u32>,
    /// The present moment.
    pub now: Timestamp,
    /// Until when it has what it takes.
    pub until: Timestamp,
}

/// A message in the hands of one node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taken {
    /// The message.
    pub id: WebhookMessageId,
    /// Whose it is.
    pub endpoint: EndpointId,
    /// Its number among all who had it in their hands: whoever has an older one says nothing any more.
    pub fence: u64,
    /// Attempts before this one.
    pub attempts: u32,
    /// The place in the schedule.
    pub place: u32,
    /// Whether later ones of the same thing wait for it.
    pub ordered: bool,
    /// Its body.
    pub body: String,
    /// When its event was.
    pub created_at: Timestamp,
}

/// Messages as the dispatcher sees them. None is in the hands of two nodes whose leases have not ended.
#[async_trait]
pub trait Dispatch: Send + Sync {
    /// The number of the last event that was looked at.
    async fn cursor(&self) -> Result<u64>;

    /// All endpoints that are on.
    async fn listeners(&self) -> Result<Vec<Endpoint>>;

    /// Moves the cursor on and stores what is to be told, in one transaction; `false`, and nothing is stored, when somebody else
    /// moved it. What is for an endpoint that is gone or off by now is left out.
    async fn fan_out(&self, from: u64, to: u64, messages: &[NewMessage]) -> Result<bool>;

    /// Endpoints that are on, have messages that are due, and are not left alone at this moment.
    async fn lanes(&self, now: Timestamp) -> Result<Vec<Lane>>;

    /// The secrets that sign for an endpoint at this moment.
    async fn signing(&self, endpoint: EndpointId, now: Timestamp) -> Result<Vec<(Algorithm, Vec<u8>)>>;

    /// Takes messages that are due, for each endpoint that is asked for those due for longest first. Of messages with one key only
    /// the first that is not at its end may be taken.
    async fn take(&self, asks: &[Ask]) -> Result<Vec<Taken>>;

    /// Keeps what is being sent for longer.
    async fn extend(&self, held: &[(WebhookMessageId, u64)], until: Timestamp) -> Result<()>;

    /// Makes messages wait again whose node was not heard of until the end of its lease; gives how many. What was lost does not
    /// count as an attempt.
    async fn take_back(&self, now: Timestamp) -> Result<u64>;

    /// Gives back what was not begun.
    async fn release(&self, held: &[(WebhookMessageId, u64)]) -> Result<()>;

    /// Stores how attempts ended, and whether their endpoints fail. Those whose fence is not the latest any more are left out. Gives
    /// the endpoints that fail, each with since when.
    async fn settle(&self, finished: &[Finished], now: Timestamp) -> Result<Vec<(EndpointId, Timestamp)>>;

    /// Leaves an endpoint alone until then.
    async fn rest(&self, endpoint: EndpointId, until: Timestamp) -> Result<()>;

    /// Opens its circuit until then, or closes it.
    async fn circuit(&self, endpoint: EndpointId, until: Option<Timestamp>) -> Result<()>;

    /// How many messages wait or are sent, how many of them are due for longer than `late`, and how many circuits are not closed.
    async fn depth(&self, late: Timestamp) -> Result<Depth>;

    /// Removes messages made before `before`, unless they wait, at most `limit`, and gives how many.
    async fn purge(&self, before: Timestamp, limit: u32) -> Result<u64>;
}

/// How much there is to send.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Depth {
    /// Messages that wait or are being sent.
    pub open: u64,
    /// Those that are late.
    pub late: u64,
    /// Circuits that are not closed.
    pub circuits: u64,
}
