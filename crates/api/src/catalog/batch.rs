//! Changing many products at once.

use actix_web::{HttpResponse, post};
use domain::{
    catalog::{self, BatchDone, BatchInput},
    id::{CategoryId, ProductId},
    permission::ManageCatalog,
};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    Answer, Shared,
    auth::Auth,
    body::{Fields, JsonBody},
    idempotency::Keyed,
};

/// A change of many products.
#[derive(Debug, ToSchema)]
#[schema(as = BatchUpdate)]
#[serde(rename_all = "camelCase")]
pub struct BatchBody {
    /// The products, each once.
    #[schema(
        value_type = std::collections::HashSet<Uuid>,
        example = json!(["0190f5fe-7c00-7a00-8000-0123456789ab"]),
        min_items = 1,
        max_items = 100
    )]
    pub ids: Vec<Uuid>,
    /// The category they move to.
    pub category_id: Option<Uuid>,
    /// The share taken off their prices, in percent, rounded half to even.
    #[schema(example = 10, minimum = 0, maximum = 100, multiple_of = 0.01)]
    pub discount: Option<f64>,
}

/// What became of them.
#[derive(Debug, Serialize, ToSchema)]
pub struct BatchResult {
    /// How many were changed.
    #[schema(example = 99, minimum = 0)]
    pub updated: u32,
    /// Those that were not, and why.
    pub failed: Vec<BatchRefusal>,
}

/// A product that was not changed.
#[derive(Debug, Serialize, ToSchema)]
pub struct BatchRefusal {
    /// The product.
    pub id: Uuid,
    /// Why.
    #[schema(example = "Product not found")]
    pub reason: String,
}

impl From<BatchDone> for BatchResult {
    fn from(done: BatchDone) -> Self {
        let failed = done.failed.into_iter().map(|one| BatchRefusal { id: one.id.0, reason: one.reason }).collect();
        Self { updated: done.updated, failed }
    }
}

/// Moves or discounts many products.
#[utoipa::path(
    tag = "products",
    request_body = BatchBody,
    params(Keyed),
    responses(
        (status = 200, description = "What became of them", body = BatchResult),
        Keyed,
    ),
    security(("bearer" = ["catalog:manage"]))
)]
#[post("/api/v1/products/batch-update")]
pub async fn batch_update_products(
    auth: Auth<ManageCatalog>,
    services: Shared,
    keyed: Keyed,
    body: JsonBody,
) -> Answer {
    let batch = body.read(|fields| batch_input(fields)?.check(&mut fields.violations))?;
    // The command keeps the key per chunk, so a repetition finishes what a crash cut.
    let key = keyed.key(&services, "batch_update", &body);
    let done = catalog::batch_update(&services.shop, auth.0, batch, key).await?;
    Ok(HttpResponse::Ok().json(BatchResult::from(done)))
}

/// Reads a [`BatchBody`]; `None` when its ids are at fault, so that they are not counted as well.
fn batch_input(fields: &mut Fields<'_>) -> Option<BatchInput> {
    let ids = fields.uuids("ids");
    let category = fields.uuid("categoryId").map(CategoryId);
    let discount = fields.number("discount").map(ToOwned::to_owned);
    if ids.is_none() && fields.violations.is_empty() {
        fields.violations.missing::<()>("/ids");
    }
    Some(BatchInput { ids: ids?.into_iter().map(ProductId).collect(), category, discount })
}
