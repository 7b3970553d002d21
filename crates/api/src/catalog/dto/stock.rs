//! Stock as JSON: a change of it, and what is on hand.

use domain::{
    catalog::{STOCK_MAX, StockChange},
    text,
};
use serde::Serialize;
use utoipa::{
    ToSchema,
    openapi::schema::{Object, OneOf, Schema, Type},
};
use uuid::Uuid;

use crate::body::Fields;

/// A change of stock.
#[derive(Debug, ToSchema)]
#[schema(as = StockAdjustment)]
pub struct StockBody {
    /// Pieces that came (positive) or went (negative).
    #[schema(schema_with = delta)]
    pub delta: i64,
    /// Only if exactly so many are on hand now.
    #[schema(example = 12, minimum = 0, maximum = 2_147_483_647)]
    pub expected: Option<i64>,
    /// Why, for the audit log.
    #[schema(example = "damaged", max_length = 200, format = "line")]
    pub reason: Option<String>,
}

/// A number of pieces that changes something.
fn delta() -> Schema {
    let came = Object::builder().schema_type(Type::Integer).minimum(Some(1)).maximum(Some(i32::MAX));
    let went = Object::builder().schema_type(Type::Integer).minimum(Some(i32::MIN)).maximum(Some(-1));
    OneOf::builder()
        .item(came)
        .item(went)
        .description(Some("Pieces that came (positive) or went (negative)."))
        .examples([serde_json::Value::from(-1)])
        .into()
}

/// Reads a [`StockBody`].
pub fn stock_change(fields: &mut Fields<'_>) -> Option<StockChange> {
    let delta = fields.integer("delta");
    if delta.is_none() {
        fields.violations.missing::<()>("/delta");
    }
    if delta.is_some_and(|delta| delta == 0 || i32::try_from(delta).is_err()) {
        fields.violations.add("/delta", "range", "must be a whole number other than 0 that 32 bits hold");
    }
    let expected = fields.integer("expected");
    if expected.is_some_and(|pieces| !(0..=STOCK_MAX).contains(&pieces)) {
        fields.violations.add("/expected", "range", format!("must be a whole number from 0 to {STOCK_MAX}"));
    }
    let reason = fields.text("reason");
    if let Some(reason) = &reason {
        fields.violations.check("/reason", text::line(reason, 0, 200));
    }
    Some(StockChange { delta: delta?, expected, reason })
}

/// What is on hand.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Stock)]
#[serde(rename_all = "camelCase")]
pub struct StockView {
    /// The product.
    pub product_id: Uuid,
    /// Pieces on hand.
    #[schema(example = 11, minimum = 0)]
    pub stock: i64,
}
