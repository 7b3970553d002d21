//! The category tree over HTTP.

use actix_web::{HttpResponse, delete, get, patch, post};
use domain::{
    Error,
    catalog::{self, Category, ProductsWithin},
    id::CategoryId,
    permission::ManageCatalog,
};
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};

use super::dto::category::{
    CategoryCountView, CategoryPatchBody, CategoryView, NewCategoryBody, TreeView, category_patch, new_category,
};
use crate::{
    Answer, Shared,
    auth::Auth,
    body::JsonBody,
    done::Done,
    etag::{self, IfMatch, IfNoneMatch},
    idempotency::{Keyed, created},
    path::Id,
    query::{Params, Query, Read},
};

/// Lists the whole category tree.
#[utoipa::path(
    tag = "categories",
    params(IfNoneMatch),
    responses(
        (status = 200, description = "The tree", body = TreeView),
        IfNoneMatch,
    )
)]
#[get("/api/v1/categories")]
pub async fn list_categories(services: Shared, known: IfNoneMatch) -> Answer {
    let tree = services.categories.tree().await?;
    etag::read(&known, None, &TreeView { items: tree.iter().map(CategoryCountView::from).collect() })
}

/// Creates a category.
#[utoipa::path(
    tag = "categories",
    request_body = NewCategoryBody,
    params(Keyed),
    responses(
        (status = 201, description = "The category", body = CategoryView, headers(("ETag" = String, description = "Its version, for If-Match"))),
        (status = 409, description = "A sibling has this name"),
        Keyed,
    ),
    security(("bearer" = ["catalog:manage"]))
)]
#[post("/api/v1/categories")]
pub async fn create_category(auth: Auth<ManageCatalog>, services: Shared, keyed: Keyed, body: JsonBody) -> Answer {
    let new = body.read(|fields| new_category(fields).check(&mut fields.violations))?;
    let render = |one: &Category| {
        created(format!("/api/v1/categories/{}", one.id), etag::version_at(one.updated_at), &CategoryView::from(one))
    };
    keyed
        .run(&services, "create_category", &body, render, async |once| {
            catalog::create_category(&services.shop, auth.0, new, once).await
        })
        .await
}

/// Reads a category.
#[utoipa::path(
    tag = "categories",
    params(Id<CategoryId>, IfNoneMatch),
    responses(
        (status = 200, description = "The category", body = CategoryCountView),
        (status = 404, description = "No such category"),
        IfNoneMatch,
    )
)]
#[get("/api/v1/categories/{id}")]
pub async fn get_category(services: Shared, id: Id<CategoryId>, known: IfNoneMatch) -> Answer {
    let found = services.categories.get(id.0).await?.ok_or(Error::NotFound("Category"))?;
    etag::read(&known, Some(etag::version_at(found.category.updated_at)), &CategoryCountView::from(&found))
}

/// Renames, ranks or moves a category with all below it.
#[utoipa::path(
    tag = "categories",
    request_body = CategoryPatchBody,
    params(Id<CategoryId>, IfMatch),
    responses(
        (status = 200, description = "The category", body = CategoryView, headers(("ETag" = String, description = "Its version, for If-Match"))),
        (status = 404, description = "No such category"),
        (status = 409, description = "A sibling has this name"),
        IfMatch,
    ),
    security(("bearer" = ["catalog:manage"]))
)]
#[patch("/api/v1/categories/{id}")]
pub async fn update_category(
    auth: Auth<ManageCatalog>,
    services: Shared,
    id: Id<CategoryId>,
    if_match: IfMatch,
    body: JsonBody,
) -> Answer {
    let patch = body.read(|fields| Some(category_patch(fields)))?;
    let expected = if_match.expected(None)?;
    let category = catalog::update_category(&services.shop, auth.0, id.0, patch, expected.moments().as_deref())
        .await
        .map_err(|error| expected.problem(error))?;
    etag::changed(etag::version_at(category.updated_at), &CategoryView::from(&category))
}

/// What becomes of the products of a category that is deleted.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct DeleteParams {
    /// Refused by default while products are in it; `moveUp` puts them into the category above.
    #[param(value_type = Option<ProductsWithinView>)]
    products: Option<ProductsWithin>,
}

/// What becomes of products.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ProductsWithin)]
#[serde(rename_all = "camelCase")]
pub enum ProductsWithinView {
    /// The deletion is refused.
    Refuse,
    /// They move to the category above.
    MoveUp,
}

impl Read for DeleteParams {
    fn read(query: &mut Query) -> Option<Self> {
        let products = query.parsed("products", "enum", "must be one of refuse, moveUp", |text| match text {
            "refuse" => Some(ProductsWithin::Refuse),
            "moveUp" => Some(ProductsWithin::MoveUp),
            _ => None,
        });
        Some(Self { products })
    }
}

/// Deletes a category.
#[utoipa::path(
    tag = "categories",
    params(Id<CategoryId>, DeleteParams, IfMatch),
    responses(
        (status = 200, description = "It is deleted", body = Done),
        (status = 404, description = "No such category"),
        (status = 409, description = "Categories are below it, or products are in it"),
        IfMatch,
    ),
    security(("bearer" = ["catalog:manage"]))
)]
#[delete("/api/v1/categories/{id}")]
pub async fn delete_category(
    auth: Auth<ManageCatalog>,
    services: Shared,
    id: Id<CategoryId>,
    params: Params<DeleteParams>,
    if_match: IfMatch,
) -> Answer {
    let expected = if_match.expected(None)?;
    let products = params.0.products.unwrap_or(ProductsWithin::Refuse);
    catalog::delete_category(&services.shop, auth.0, id.0, products, expected.moments().as_deref())
        .await
        .map_err(|error| expected.problem(error))?;
    Ok(HttpResponse::Ok().json(Done { success: true }))
}
