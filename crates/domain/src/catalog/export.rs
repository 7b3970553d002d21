//! Reading the whole catalogue, in order, for an export.

use async_trait::async_trait;

use super::Product;
use crate::{
    error::Result,
    id::{ProductId, SellerId},
};

/// Walks all products.
#[async_trait]
pub trait ProductExport: Send + Sync {
    /// The next products that are not deleted, of any status, with all their pictures, by id after `after`.
    async fn next(&self, seller: Option<SellerId>, after: Option<ProductId>, limit: u32) -> Result<Vec<Product>>;
}
