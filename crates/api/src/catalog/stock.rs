//! The stock of a product.

use actix_web::{http::StatusCode, post};
use domain::{catalog, id::ProductId, permission::WriteProducts};

use super::dto::stock::{StockBody, StockView, stock_change};
use crate::{
    Answer, Shared,
    auth::Auth,
    body::JsonBody,
    idempotency::{Keyed, reply},
    path::Id,
};

/// Adds to or takes from the stock of a product.
#[utoipa::path(
    tag = "products",
    request_body = StockBody,
    params(Id<ProductId>, Keyed),
    responses(
        (status = 200, description = "What is on hand now", body = StockView),
        (status = 404, description = "No such product, or not for you to see"),
        (status = 409, description = "The stock would leave its range or is not what was expected"),
        Keyed,
    ),
    security(("bearer" = ["products:write"]))
)]
#[post("/api/v1/products/{id}/stock-adjustments")]
pub async fn adjust_stock(
    auth: Auth<WriteProducts>,
    services: Shared,
    id: Id<ProductId>,
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
