//! What live streams need from outside.

use async_trait::async_trait;

use super::Ticket;
use crate::{clock::Timestamp, error::Result, event::Event, identity::ports::Session, relay::Numbered};

/// How far the log reaches.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Reach {
    /// The lowest number that is kept; one more than `last` when nothing is kept.
    pub first: u64,
    /// The last number given; 0 before the first event.
    pub last: u64,
}

/// The numbered log as streams read it.
#[async_trait]
pub trait EventFeed: Send + Sync {
    /// How far the log reaches at this moment: everything in it can be read.
    async fn reach(&self) -> Result<Reach>;

    /// Events after `seq`, in order and without gaps among what is kept, at most `limit`.
    async fn after(&self, seq: u64, limit: u32) -> Result<Vec<Numbered>>;

    /// Every committed event of things of these types whose number is above `seq`, or who has none yet, at most `limit`, in no promised
    /// order: for who must neither wait until they get one nor for what stands before them.
    async fn ahead(&self, seq: u64, types: &[&str], limit: u32) -> Result<Vec<Event>>;
}

/// Where tickets wait until they are used.
#[async_trait]
pub trait TicketBox: Send + Sync {
    /// Keeps a ticket under the digest of its secret, and forgets those that ended before `now`.
    async fn keep(&self, digest: &[u8; 32], ticket: &Ticket, now: Timestamp) -> Result<()>;

    /// Takes a ticket out: of several who come with the same one, at most one gets it. `None` when there is none that
    /// is valid at `now`.
    async fn take(&self, digest: &[u8; 32], now: Timestamp) -> Result<Option<Session>>;
}
