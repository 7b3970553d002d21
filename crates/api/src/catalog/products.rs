//! One product: create, read, change, delete, restore.

use actix_web::{HttpResponse, delete, get, patch, post, web::Path};
use domain::{
    Error,
    cache::Tag,
    catalog::{
        self, Product, Slug,
        policy::Scope,
        queries::{BySlug, ProductDetail},
    },
    id::ProductId,
    permission::WriteProducts,
};

use super::dto::{
    new_product::{NewProductBody, new_product},
    product::{ProductDetailView, ProductFull},
    product_patch::{ProductPatchBody, product_patch},
};
use crate::{
    Answer, Services, Shared,
    acting::ActingFor,
    auth::{Auth, MaybeAuth},
    body::JsonBody,
    done::Done,
    etag::{self, IfMatch, IfNoneMatch},
    idempotency::{Keyed, created},
    kept::{self, Made, Question},
    path::Id,
};

/// Creates a product of one's seller account.
#[utoipa::path(
    tag = "products",
    request_body = NewProductBody,
    params(Keyed, ActingFor),
    responses(
        (status = 201, description = "The product", body = ProductFull, headers(("ETag" = String, description = "Its version, for If-Match"))),
        (status = 409, description = "The seller uses the sku already"),
        Keyed,
    ),
    security(("bearer" = ["products:write"]))
)]
#[post("/api/v1/products")]
pub async fn create_product(
    auth: Auth<WriteProducts>,
    services: Shared,
    keyed: Keyed,
    _acting: ActingFor,
    body: JsonBody,
) -> Answer {
    let rules = &services.shop.rules;
    let new = body.read(|fields| new_product(fields).check(rules, &mut fields.violations))?;
    let render =
        |one: &Product| created(format!("/api/v1/products/{}", one.id), one.version, &ProductFull::new(one, rules));
    keyed
        .run(&services, "create_product", &body, render, async |once| {
            catalog::create_product(&services.shop, auth.0, new, once).await
        })
        .await
}

/// Reads a product with its pictures, its category and its newest reviews.
#[utoipa::path(
    tag = "products",
    params(Id<ProductId>, IfNoneMatch),
    responses(
        (status = 200, description = "The product", body = ProductDetailView),
        (status = 404, description = "No such product, or not for you to see"),
        IfNoneMatch,
    ),
    security((), ("bearer" = []))
)]
#[get("/api/v1/products/{id}")]
pub async fn get_product(caller: MaybeAuth, services: Shared, id: Id<ProductId>, known: IfNoneMatch) -> Answer {
    let scope = Scope::of(&caller.0);
    let question = Question {
        text: format_args!("get_product|{scope:?}|{}", id.0),
        tags: vec![Tag::Product(id.0), Tag::Categories],
        policy: services.settings.cache.products,
        open: false,
        seen: Some(id.0),
        lasting: true,
    };
    let answer = kept::answered(&services, &caller.0, &known, question, async || {
        let Some(found) = services.products.get(id.0, scope).await? else { return Ok(None) };
        let body = etag::json(&ProductDetailView::new(&found, &services.shop.rules))?;
        Ok(Some(Made { tag: etag::tag(Some(found.product.version), &body), body }))
    })
    .await?;
    Ok(answer.ok_or(Error::NotFound("Product"))?)
}

/// Reads a product by its name in URLs; a name it had before leads to the one it has now.
#[utoipa::path(
    tag = "products",
    params(("slug" = String, Path, description = "Its name in URLs", example = "reading-lamp"), IfNoneMatch),
    responses(
        (status = 200, description = "The product", body = ProductDetailView),
        (status = 308, description = "It has another name by now", headers(("Location" = String, description = "Where it is now"))),
        (status = 404, description = "No such product, or not for you to see"),
        IfNoneMatch,
    ),
    security((), ("bearer" = []))
)]
#[get("/api/v1/products/by-slug/{slug}")]
pub async fn get_product_by_slug(
    caller: MaybeAuth,
    services: Shared,
    slug: Path<String>,
    known: IfNoneMatch,
) -> Answer {
    let slug = slug.into_inner();
    if slug.contains('\0') {
        // No name holds it, and no database should see it.
        return Err(Error::NotFound("Product").into());
    }
    match services.products.by_slug(&Slug::stored(slug), Scope::of(&caller.0)).await? {
        None => Err(Error::NotFound("Product").into()),
        Some(BySlug::Here(found)) => shown(&services, &caller, &known, &found),
        Some(BySlug::Moved(now)) => Ok(HttpResponse::PermanentRedirect()
            .insert_header(("Location", format!("/api/v1/products/by-slug/{now}")))
            .finish()),
    }
}

fn shown(services: &Services, caller: &MaybeAuth, known: &IfNoneMatch, found: &ProductDetail) -> Answer {
    services.saw(&caller.0, found.product.id);
    let view = ProductDetailView::new(found, &services.shop.rules);
    etag::read(known, Some(found.product.version), &view)
}

/// Changes a product; what is absent stays.
#[utoipa::path(
    tag = "products",
    request_body = ProductPatchBody,
    params(Id<ProductId>, IfMatch),
    responses(
        (status = 200, description = "The product", body = ProductFull, headers(("ETag" = String, description = "Its version, for If-Match"))),
        (status = 404, description = "No such product, or not for you to see"),
        (status = 409, description = "It was modified by another user, or the seller uses the sku already"),
        IfMatch,
    ),
    security(("bearer" = ["products:write"]))
)]
#[patch("/api/v1/products/{id}")]
pub async fn update_product(
    auth: Auth<WriteProducts>,
    services: Shared,
    id: Id<ProductId>,
    if_match: IfMatch,
    body: JsonBody,
) -> Answer {
    let rules = &services.shop.rules;
    let (patch, version) = body.read(|fields| Some(product_patch(fields, rules)))?;
    let expected = if_match.expected(version)?;
    let product = catalog::update_product(&services.shop, auth.0, id.0, patch, expected.versions())
        .await
        .map_err(|error| expected.problem(error))?;
    etag::changed(product.version, &ProductFull::new(&product, &services.shop.rules))
}

/// Deletes a product so that it can be restored.
#[utoipa::path(
    tag = "products",
    params(Id<ProductId>, IfMatch),
    responses(
        (status = 200, description = "It is deleted", body = Done),
        (status = 404, description = "No such product, or not for you to see"),
        (status = 409, description = "It was modified by another user"),
        IfMatch,
    ),
    security(("bearer" = ["products:write"]))
)]
#[delete("/api/v1/products/{id}")]
pub async fn delete_product(
    auth: Auth<WriteProducts>,
    services: Shared,
    id: Id<ProductId>,
    if_match: IfMatch,
) -> Answer {
    let expected = if_match.expected(None)?;
    catalog::delete_product(&services.shop, auth.0, id.0, expected.versions())
        .await
        .map_err(|error| expected.problem(error))?;
    Ok(HttpResponse::Ok().json(Done { success: true }))
}

/// Brings a deleted product back.
#[utoipa::path(
    tag = "products",
    params(Id<ProductId>),
    responses(
        (status = 200, description = "The product", body = ProductFull, headers(("ETag" = String, description = "Its version, for If-Match"))),
        (status = 404, description = "No such product, or not for you to see"),
        (status = 409, description = "It is not deleted, or its sku is in use by now"),
    ),
    security(("bearer" = ["products:write"]))
)]
#[post("/api/v1/products/{id}/restore")]
pub async fn restore_product(auth: Auth<WriteProducts>, services: Shared, id: Id<ProductId>) -> Answer {
    let product = catalog::restore_product(&services.shop, auth.0, id.0).await?;
    etag::changed(product.version, &ProductFull::new(&product, &services.shop.rules))
}
