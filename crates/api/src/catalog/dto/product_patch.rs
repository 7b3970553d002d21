//! A change of a product as JSON.

use domain::{
    catalog::{ProductPatch, ProductStatus, Version},
    id::CategoryId,
    shop::Rules,
};
use serde_json::{Map, Value};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    metadata::Metadata,
    status::{STATUS_NAMES, StatusView},
};
use crate::body::{Fields, Given};

/// A change of a product: what is absent stays.
#[derive(Debug, ToSchema)]
#[schema(as = ProductPatch)]
#[serde(rename_all = "camelCase")]
pub struct ProductPatchBody {
    /// A new name.
    #[schema(example = "Reading lamp, large", format = "product-name", nullable = false)]
    pub name: Option<String>,
    /// A new description.
    #[schema(max_length = 1000, format = "paragraph", nullable = false)]
    pub description: Option<String>,
    /// A new price in major units.
    #[schema(example = 24.5, format = "price", nullable = false)]
    pub price: Option<f64>,
    /// A new number of pieces on hand.
    #[schema(minimum = 0, maximum = 2_147_483_647, nullable = false)]
    pub stock: Option<i64>,
    /// Another category; null takes it out of its category.
    pub category_id: Option<Uuid>,
    /// Another number; null takes it away.
    #[schema(min_length = 1, max_length = 64, format = "name")]
    pub sku: Option<String>,
    /// Pictures in place of the old ones.
    #[schema(example = json!(["https://example.com/lamp-2.jpg"]), max_items = 10, max_length = 2048, format = "web-address", nullable = false)]
    pub images: Option<Vec<String>>,
    /// Metadata in place of the old.
    #[schema(value_type = Option<Metadata>, nullable = false)]
    pub metadata: Option<Map<String, Value>>,
    /// Another status.
    #[schema(nullable = false)]
    pub status: Option<StatusView>,
    /// The version the change was made for; another one by now is a conflict.
    #[schema(example = 3, minimum = 1, nullable = false)]
    pub version: Option<i64>,
}

/// Reads a [`ProductPatchBody`]: the change and the version it was made for.
pub fn product_patch(fields: &mut Fields<'_>, rules: &Rules) -> (ProductPatch, Option<Version>) {
    fields.of_a_change();
    let mut patch = ProductPatch::default();
    if let Some(name) = fields.text("name") {
        patch.name(&name, rules, &mut fields.violations);
    }
    if let Some(description) = fields.text("description") {
        patch.description(&description, &mut fields.violations);
    }
    if let Some(price) = fields.number("price") {
        patch.price(price, rules, &mut fields.violations);
    }
    if let Some(stock) = fields.integer("stock") {
        patch.stock(stock, &mut fields.violations);
    }
    match fields.uuid_or_null("categoryId") {
        Given::Absent => {}
        Given::Null => patch.category(None),
        Given::Value(id) => patch.category(Some(CategoryId(id))),
    }
    match fields.text_or_null("sku") {
        Given::Absent => {}
        Given::Null => patch.sku(None, &mut fields.violations),
        Given::Value(sku) => patch.sku(Some(&sku), &mut fields.violations),
    }
    if let Some(images) = fields.texts("images") {
        patch.images(images, &mut fields.violations);
    }
    if let Some(metadata) = fields.object("metadata") {
        patch.metadata(metadata, &mut fields.violations);
    }
    if let Some(status) = fields.choice("status", ProductStatus::named, STATUS_NAMES) {
        patch.status(status);
    }
    let version = fields.integer("version");
    if version.is_some_and(|version| version < 1) {
        fields.violations.add("/version", "range", "must be a whole number from 1");
    }
    (patch, version.map(Version))
}
