//! The cache as a port.

use std::{fmt, sync::Arc, time::Duration};

use async_trait::async_trait;

use super::Tag;
use crate::{error::Result, id::EventId, relay::Numbered};

/// Under what something is kept, and what makes it old.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Key {
    /// The whole question, scope and all: `list_products|..`.
    pub text: Arc<str>,
    /// What the answer depends on.
    pub tags: Vec<Tag>,
}

impl Key {
    /// A key for the answer to this question.
    pub fn new(text: impl Into<Arc<str>>, tags: impl Into<Vec<Tag>>) -> Self {
        Self { text: text.into(), tags: tags.into() }
    }
}

/// How long an entry is kept. Entries go earlier whenever one of their tags is old.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    /// For how long it is served. Each entry gets up to a tenth less, so that those made together do not end together.
    pub fresh: Duration,
    /// For how much longer it is served while one caller makes it anew.
    pub stale: Duration,
    /// For how long the absence of a thing is kept.
    pub absent: Duration,
}

/// Something kept: bytes of its maker's form, or the knowledge that there is nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry {
    /// An answer.
    Present {
        /// Its validator, such as an `ETag`.
        tag: String,
        /// How its bytes are coded, such as `br`; `None` for what is as it was made.
        coding: Option<&'static str>,
        /// Its bytes.
        body: Arc<[u8]>,
    },
    /// There is no such thing.
    Absent,
}

/// What a look into the cache gave.
#[derive(Debug)]
pub enum Looked {
    /// It is there.
    Hit(Arc<Entry>),
    /// It is there and should be made anew soon, by this caller.
    Stale(Arc<Entry>, Lead),
    /// It is not, and this caller makes it; others who ask meanwhile wait for them.
    Miss(Lead),
    /// The cache cannot say, or does not keep such things: ask the source.
    Bypass,
}

/// The duty to make an entry. Dropping it without an answer passes the duty on to one of those who wait.
pub struct Lead(Box<dyn FnOnce(Arc<Entry>) + Send>);

impl Lead {
    /// A duty that ends by this.
    pub fn new(fill: impl FnOnce(Arc<Entry>) + Send + 'static) -> Self {
        Self(Box::new(fill))
    }

    /// Keeps what was made, and gives it to those who wait.
    pub fn fill(self, entry: Arc<Entry>) {
        (self.0)(entry);
    }
}

impl fmt::Debug for Lead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Lead")
    }
}

/// Keeps answers.
///
/// A look that begins, on any node, after [`Cache::invalidate`] has returned well for a tag MUST NOT give an entry of that tag
/// whose making began before. A cache that is away is slower, never wrong (CA-11).
#[async_trait]
pub trait Cache: Send + Sync {
    /// Whether it ever keeps anything. Of one that does not nothing needs to be asked.
    fn keeps(&self) -> bool {
        true
    }

    /// Looks for an entry. Of many who miss at once, one gets the lead and the others wait for what it makes.
    async fn look(&self, key: &Key, policy: Policy) -> Looked;

    /// An entry that may be served as it is, when that is known in this process; what is not is for [`Cache::look`], which says why.
    async fn glance(&self, _: &Key) -> Option<Arc<Entry>> {
        None
    }

    /// Makes everything old that belongs to one of these tags, on every node. `events` are those that tell of the change;
    /// the log need not make it old again.
    ///
    /// # Errors
    /// [`crate::Error::Unavailable`] when it could not be made sure in time. What was written counts all the same, and will be
    /// seen everywhere soon; but it MUST NOT be acknowledged.
    async fn invalidate(&self, tags: &[Tag], events: &[EventId]) -> Result<()>;

    /// After which number the log is to be shown to this cache by a node that starts, when `last` is its last number by now.
    async fn resume(&self, last: u64) -> u64;

    /// The node has shown all that [`Cache::resume`] asked for. Before that nothing is served that others kept.
    async fn resumed(&self);

    /// Makes old what these events of the log tell of, but those that [`Cache::invalidate`] was told of. By this the cache hears of
    /// changes that were made past it, and of those whose maker was killed right after. A node shows it the whole log from
    /// some number on, in order.
    async fn follow(&self, events: &[Numbered]);
}

/// No cache at all.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoCache;

#[async_trait]
impl Cache for NoCache {
    fn keeps(&self) -> bool {
        false
    }

    async fn look(&self, _: &Key, _: Policy) -> Looked {
        Looked::Bypass
    }

    async fn invalidate(&self, _: &[Tag], _: &[EventId]) -> Result<()> {
        Ok(())
    }

    async fn resume(&self, last: u64) -> u64 {
        last
    }

    async fn resumed(&self) {}

    async fn follow(&self, _: &[Numbered]) {}
}
