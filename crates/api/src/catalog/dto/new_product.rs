//! A new product as JSON.

use domain::{
    catalog::{ProductInput, ProductStatus},
    id::CategoryId,
};
use serde_json::{Map, Value};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    metadata::Metadata,
    status::{STATUS_NAMES, StatusView},
};
use crate::body::Fields;

/// A product of a new kind.
#[derive(Debug, ToSchema)]
#[schema(as = NewProduct)]
#[serde(rename_all = "camelCase")]
pub struct NewProductBody {
    /// Its name; how long it may be is a setting, 3 to 100 characters by default.
    #[schema(example = "Reading lamp", format = "product-name")]
    pub name: String,
    /// What it is.
    #[schema(example = "Brass, with a green shade", max_length = 1000, format = "paragraph")]
    pub description: Option<String>,
    /// What it costs in major units of the shop's currency, exact to the minor unit.
    #[schema(example = 19.95, format = "price")]
    pub price: f64,
    /// Pieces on hand; 0 when absent.
    #[schema(example = 12, minimum = 0, maximum = 2_147_483_647)]
    pub stock: Option<i64>,
    /// The category.
    pub category_id: Option<Uuid>,
    /// The seller's own number for it, unique within the seller.
    #[schema(example = "LAMP-1", min_length = 1, max_length = 64, format = "name")]
    pub sku: Option<String>,
    /// Addresses of pictures, in order.
    #[schema(example = json!(["https://example.com/lamp.jpg"]), max_items = 10, max_length = 2048, format = "web-address")]
    pub images: Option<Vec<String>>,
    /// What else there is to say of it.
    #[schema(value_type = Option<Metadata>)]
    pub metadata: Option<Map<String, Value>>,
    /// Where it stands in its life; published when absent.
    pub status: Option<StatusView>,
}

/// Reads a [`NewProductBody`].
pub fn new_product(fields: &mut Fields<'_>) -> ProductInput {
    ProductInput {
        name: fields.text("name"),
        description: fields.text("description"),
        price: fields.number("price").map(ToOwned::to_owned),
        stock: fields.integer("stock"),
        category: fields.uuid("categoryId").map(CategoryId),
        sku: fields.text("sku"),
        images: fields.texts("images").unwrap_or_default(),
        metadata: fields.object("metadata").unwrap_or_default(),
        status: fields.choice("status", ProductStatus::named, STATUS_NAMES),
    }
}
