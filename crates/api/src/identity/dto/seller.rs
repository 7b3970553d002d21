//! A seller account as JSON.

use chrono::{DateTime, Utc};
use domain::identity::{Seller, SellerInput};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::body::Fields;

/// What opens a seller account.
#[derive(Debug, ToSchema)]
pub struct NewSeller {
    /// The name shown to buyers.
    #[schema(example = "Ada's Lamps", min_length = 1, max_length = 100, format = "name")]
    pub name: String,
}

/// Reads a [`NewSeller`].
pub fn new_seller(fields: &mut Fields<'_>) -> SellerInput {
    SellerInput { name: fields.text("name") }
}

/// A seller account.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SellerView {
    /// Its id.
    pub id: Uuid,
    /// The name shown to buyers.
    #[schema(example = "Ada's Lamps")]
    pub name: String,
    /// Its name in URLs.
    #[schema(example = "ada-s-lamps")]
    pub slug: String,
    /// When it was opened.
    pub created_at: DateTime<Utc>,
}

impl From<&Seller> for SellerView {
    fn from(seller: &Seller) -> Self {
        Self { id: seller.id.0, name: seller.name.clone(), slug: seller.slug.clone(), created_at: seller.created_at }
    }
}
