//! The stock of a product.

use actix_web::{http::StatusCode, post};
use domain::{
    catalog::{self, StockChange},
    id::ProductId,
    permission::WriteProducts,
    text,
};

use super::dto::{StockBody, StockView};
use crate::{
    Answer, Shared,
    auth::Auth,
    body::{Fields, JsonBody},
    idempotency::{Keyed, reply},
    path::Id,
    query::{None_, Params},
};

/// Adds to or takes from the stock of a product.
#[utoipa::path(
    tag = "products",
    request_body = StockBody,
    params(
        ("id" = uuid::Uuid, Path, description = "The product"),
        ("Idempotency-Key" = Option<String>, Header, description = "Makes a repetition safe", min_length = 1, max_length = 255),
    ),
    responses(
        (status = 200, description = "What is on hand now", body = StockView),
        (status = 404, description = "No such product, or not for you to see"),
        (status = 409, description = "The stock would leave its range or is not what was expected, or a request with this key is in flight"),
        (status = 422, description = "The key was used with a different request"),
    ),
    security(("bearer" = ["products:write"]))
)]
#[post("/api/v1/products/{id}/stock-adjustments")]
pub async fn adjust_stock(
    auth: Auth<WriteProducts>,
    services: Shared,
    id: Id<ProductId>,
    _none: Params<None_>,
    keyed: Keyed,
    body: JsonBody,
) -> Answer {
    let change = body.read(stock_change)?;
    let render = |stock: &i64| reply(StatusCode::OK, Vec::new(), &StockView { product_id: id.0.0, stock: *stock });
    keyed
        .run(&services, "adjust_stock", &body, render, async |once| {
            catalog::adjust_stock(&services.shop, auth.0, id.0, change, once).await
        })
        .await
}

/// Reads a [`StockBody`].
fn stock_change(fields: &mut Fields<'_>) -> Option<StockChange> {
    let delta = fields.integer("delta");
    if delta.is_none() {
        fields.violations.missing::<()>("/delta");
    }
    if delta.is_some_and(|delta| delta == 0 || i32::try_from(delta).is_err()) {
        fields.violations.add("/delta", "range", "must be a whole number other than 0 that 32 bits hold");
    }
    let expected = fields.integer("expected");
    let reason = fields.text("reason");
    if let Some(reason) = &reason {
        fields.violations.check("/reason", text::line(reason, 0, 200));
    }
    Some(StockChange { delta: delta?, expected, reason })
}
