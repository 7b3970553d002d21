//! What assets need from outside: a store of bytes, and who holds them.

use std::ops::Range;

use async_trait::async_trait;

use super::{Chunks, Digest, Edition, Holder, Kept, Place, Stored, Terms};
use crate::{clock::Timestamp, error::Result};

/// A store of bytes. Nothing shows in it before it is whole, at whatever moment the process ends.
#[async_trait]
pub trait Blobs: Send + Sync {
    /// Takes all that a source gives, where nobody sees it, through a [`Gauge`](super::Gauge). Memory does not grow with it.
    ///
    /// # Errors
    /// Those of the gauge and of the source, after which nothing is left; [`Error::Full`](crate::Error::Full) without room, and
    /// [`Error::Unavailable`](crate::Error::Unavailable) when the store does not answer.
    async fn stage(&self, source: &mut dyn Chunks, terms: &Terms) -> Result<Box<dyn Staged>>;

    /// These bytes of what lies there, from `start` up to `end`; `None` when nothing lies there. MUST break off with an error
    /// rather than end early.
    async fn read(&self, place: &Place, range: Range<u64>) -> Result<Option<Box<dyn Chunks>>>;

    /// How many bytes lie there.
    async fn size(&self, place: &Place) -> Result<Option<u64>>;

    /// Takes out what lies there; nothing there is no fault. Who reads it just now may read on.
    async fn remove(&self, place: &Place) -> Result<()>;

    /// What lies behind this place, by place, at most `limit`.
    async fn list(&self, after: Option<&Place>, limit: u32) -> Result<Vec<Listed>>;

    /// Takes out what was staged by processes that died, if nothing came to it since `before`, and gives how many.
    async fn sweep(&self, before: Timestamp) -> Result<u64>;

    /// Whether the store can be read and written.
    ///
    /// # Errors
    /// Why not.
    async fn check(&self) -> Result<()>;
}

/// Bytes that are whole but do not show yet. Dropping it takes them away.
#[async_trait]
pub trait Staged: Send {
    /// What they are.
    fn stored(&self) -> Stored;

    /// Lets them show as this edition, for good: they are there after a power cut. What lies there already is the same.
    async fn publish(self: Box<Self>, edition: Edition) -> Result<()>;
}

/// Something that lies in a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Listed {
    /// Where.
    pub place: Place,
    /// How many bytes.
    pub size: u64,
    /// Since when, by the clock of the store.
    pub since: Timestamp,
}

/// Who may take bytes away by their address alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reach {
    /// Anybody, for as long as they are held so.
    Public,
    /// Nobody.
    Private,
}

/// What is known of bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Held {
    /// Where they lie.
    pub place: Place,
    /// How many they are.
    pub size: u64,
    /// How many hold them.
    pub references: u64,
    /// How many of those publicly.
    pub public: u64,
    /// When they were last put, or nobody held them any more.
    pub touched_at: Timestamp,
}

/// The write side of who holds bytes.
#[async_trait]
pub trait BlobRepo: Send {
    /// Notes that bytes are about to be put, or are put again, and gives the edition that counts: `fresh` when nothing is known of
    /// them. Nobody holds them for it, but they are young again.
    async fn claim(&mut self, stored: &Stored, fresh: Edition, at: Timestamp) -> Result<Edition>;

    /// Holds bytes once more.
    ///
    /// # Errors
    /// [`Error::Unavailable`](crate::Error::Unavailable) when that edition was taken out since it was put; who puts again may hold.
    async fn hold(&mut self, kept: &Kept, reach: Reach) -> Result<()>;

    /// Holds bytes once more that somebody holds already; `false`, and nothing changes, when nobody does.
    async fn share(&mut self, digest: &Digest, reach: Reach) -> Result<bool>;

    /// Holds bytes once less, as they were held.
    ///
    /// # Errors
    /// [`Error::Internal`](crate::Error::Internal) when nobody held them so.
    async fn release(&mut self, digest: &Digest, reach: Reach, at: Timestamp) -> Result<()>;
}

/// The write side of how much is kept for whom.
#[async_trait]
pub trait UsageRepo: Send {
    /// Counts bytes for somebody; `false`, and nothing changes, when there would be more than `most`. Of several at once each is
    /// counted.
    async fn charge(&mut self, holder: Holder, bytes: u64, most: u64) -> Result<bool>;

    /// Counts bytes no more.
    async fn refund(&mut self, holder: Holder, bytes: u64) -> Result<()>;
}

/// The read side of who holds bytes, and how those go that nobody holds.
#[async_trait]
pub trait BlobQueries: Send + Sync {
    /// What is known of bytes, held or not.
    async fn find(&self, digest: &Digest) -> Result<Option<Held>>;

    /// What is known of bytes behind this digest, by digest, at most `limit`.
    async fn list(&self, after: Option<&Digest>, limit: u32) -> Result<Vec<Held>>;

    /// Which of these places are known.
    async fn known(&self, places: &[Place]) -> Result<Vec<Place>>;

    /// Forgets bytes that nobody holds and nothing touched since `before`, at most `limit`, and gives where they lie. Nobody can hold
    /// those editions any more.
    async fn condemn(&self, before: Timestamp, limit: u32) -> Result<Vec<Place>>;

    /// How many bytes are kept for somebody.
    async fn usage(&self, holder: Holder) -> Result<u64>;
}
