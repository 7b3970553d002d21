//! Bytes on their way, piece by piece.

use async_trait::async_trait;
use bytes::Bytes;

use crate::error::Result;

/// A source of bytes that is asked for each piece: who gives waits for who takes, and no more than a piece lies between them.
#[async_trait]
pub trait Chunks: Send {
    /// The next piece, never an empty one; `None` at the end, and after it.
    ///
    /// # Errors
    /// When the source breaks off: what came before is not the whole.
    async fn next(&mut self) -> Result<Option<Bytes>>;
}

/// Bytes that are in memory already, as one piece.
#[derive(Debug)]
pub struct Whole(Option<Bytes>);

impl Whole {
    /// These bytes.
    pub fn new(bytes: impl Into<Bytes>) -> Self {
        Self(Some(bytes.into()))
    }
}

#[async_trait]
impl Chunks for Whole {
    async fn next(&mut self) -> Result<Option<Bytes>> {
        Ok(self.0.take().filter(|bytes| !bytes.is_empty()))
    }
}
