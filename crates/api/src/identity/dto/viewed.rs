//! A product somebody saw, as JSON.

use chrono::{DateTime, Utc};
use domain::{catalog::queries::ProductView, id::ProductId};
use serde::Serialize;
use utoipa::ToSchema;

/// A product somebody saw.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ViewedProduct {
    /// The product.
    #[schema(value_type = Uuid)]
    pub product_id: ProductId,
    /// When it was last seen.
    pub viewed_at: DateTime<Utc>,
}

impl From<ProductView> for ViewedProduct {
    fn from(view: ProductView) -> Self {
        Self { product_id: view.product, viewed_at: view.at }
    }
}
