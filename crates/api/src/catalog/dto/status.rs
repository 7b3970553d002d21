//! The life of a product as JSON.

use serde::Serialize;
use utoipa::ToSchema;

/// The life of a product.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[schema(as = ProductStatus, example = "published")]
#[serde(rename_all = "lowercase")]
pub enum StatusView {
    /// Seen by its seller only.
    Draft,
    /// Seen by everybody.
    Published,
    /// Taken out of the lists by its seller.
    Archived,
}

/// The names of [`StatusView`].
pub const STATUS_NAMES: &str = "draft, published, archived";
