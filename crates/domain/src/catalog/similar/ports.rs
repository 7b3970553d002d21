//! What keeping vectors needs from outside.

use async_trait::async_trait;
use uuid::Uuid;

use super::VectorBytes;
use crate::{clock::Timestamp, error::Result, id::ProductId};

/// How far the vectors are kept.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Progress {
    /// Counts the steps; who writes a step must know the one before.
    pub head: u64,
    /// The step in which the vectors of the present model began. Older ones are of another model.
    pub began: u64,
    /// The model that makes them; empty before the first.
    pub model: String,
    /// Whether the catalogue is walked.
    pub walking: bool,
    /// The last product of the walk so far.
    pub after: Option<ProductId>,
    /// Up to where events were heeded.
    pub seq: u64,
}

/// What is stored of a product.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredVector {
    /// The product.
    pub product: ProductId,
    /// A digest of the text and of the model that the vector is made of and by.
    pub source: i64,
    /// The vector; `None` when there is none any more.
    pub vector: Option<VectorBytes>,
}

/// A vector that was stored or taken away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changed {
    /// The product.
    pub product: ProductId,
    /// The step in which it was.
    pub head: u64,
    /// The vector; `None` when there is none any more.
    pub vector: Option<VectorBytes>,
}

/// Where vectors are stored.
#[async_trait]
pub trait VectorStore: Send + Sync {
    /// How far they are kept.
    async fn progress(&self) -> Result<Progress>;

    /// Whether this node keeps them until then: nobody else does, or did not say so for too long. What two nodes do nevertheless is
    /// stored once; this only saves doing it twice.
    async fn lease(&self, node: Uuid, now: Timestamp, until: Timestamp) -> Result<bool>;

    /// Stores a step: these vectors, and that one is at `to` now, one head further than `from`. `false`, and nothing is stored,
    /// when somebody else was faster. Products that are gone are left out. Steps become visible in their order.
    async fn keep(&self, from: &Progress, to: &Progress, vectors: &[StoredVector]) -> Result<bool>;

    /// The digests of what is stored of these products since step `began`.
    async fn sources(&self, products: &[ProductId], began: u64) -> Result<Vec<(ProductId, i64)>>;

    /// What changed after this step, and after this product of it, in order, at most `limit`.
    async fn changed(&self, head: u64, product: Option<ProductId>, limit: u32) -> Result<Vec<Changed>>;

    /// How many products have a vector made since step `began`.
    async fn count(&self, began: u64) -> Result<u64>;
}
