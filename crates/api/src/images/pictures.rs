//! The list of a product's pictures: read, described, ordered, and taken from.

use actix_web::{delete, get, patch, put};
use domain::{
    Error, Rules,
    assets::image,
    catalog::{Image, Product, policy::Scope},
    id::{ImageId, ProductId},
    permission::WriteProducts,
};

use super::dto::{
    ImageDetailView, ImageListView, ImageOrderBody, ImageParam, ImagePatchBody, image_order, image_patch,
};
use crate::{
    Answer, Services, Shared,
    auth::{Auth, MaybeAuth},
    body::{Given, JsonBody},
    catalog::dto::product::ProductFull,
    etag::{self, IfMatch, IfNoneMatch},
    path::Id,
};

/// Lists the pictures of a product, in order.
#[utoipa::path(
    tag = "images",
    params(Id<ProductId>, IfNoneMatch),
    responses(
        (status = 200, description = "The pictures", body = ImageListView),
        (status = 404, description = "No such product, or not for you to see"),
        IfNoneMatch,
    ),
    security((), ("bearer" = []))
)]
#[get("/api/v1/products/{id}/images")]
pub async fn list_images(caller: MaybeAuth, services: Shared, id: Id<ProductId>, known: IfNoneMatch) -> Answer {
    let product = product(&services, &caller, id.0).await?;
    etag::read(&known, Some(product.version), &ImageListView::new(&product, &services.shop.rules))
}

/// Reads a picture of a product.
#[utoipa::path(
    tag = "images",
    params(Id<ProductId>, ImageParam, IfNoneMatch),
    responses(
        (status = 200, description = "The picture", body = ImageDetailView),
        (status = 404, description = "No such product or picture, or not for you to see"),
        IfNoneMatch,
    ),
    security((), ("bearer" = []))
)]
#[get("/api/v1/products/{id}/images/{imageId}")]
pub async fn get_image(
    caller: MaybeAuth,
    services: Shared,
    id: Id<ProductId>,
    image: ImageParam,
    known: IfNoneMatch,
) -> Answer {
    let product = product(&services, &caller, id.0).await?;
    let image = find(&product, image.0).ok_or(Error::NotFound("Image"))?;
    etag::read(&known, Some(product.version), &ImageDetailView::new(&product, image, &services.shop.rules))
}

/// Says what a picture shows. Linked pictures can be described as uploaded ones can.
#[utoipa::path(
    tag = "images",
    request_body = ImagePatchBody,
    params(Id<ProductId>, ImageParam, IfMatch),
    responses(
        (status = 200, description = "The picture", body = ImageDetailView, headers(("ETag" = String, description = "The version of the product, for If-Match"))),
        (status = 404, description = "No such product or picture, or not for you to see"),
        (status = 409, description = "The product was modified by another user"),
        IfMatch,
    ),
    security(("bearer" = ["products:write"]))
)]
#[patch("/api/v1/products/{id}/images/{imageId}")]
pub async fn update_image(
    auth: Auth<WriteProducts>,
    services: Shared,
    id: Id<ProductId>,
    image: ImageParam,
    if_match: IfMatch,
    body: JsonBody,
) -> Answer {
    let expected = if_match.expected(None)?;
    let alt = match body.read(|fields| Some(image_patch(fields)))? {
        Given::Absent => {
            let product = services.products.get(id.0, Scope::of_principal(auth.0.principal())).await?;
            let product = product.ok_or(Error::NotFound("Product"))?.product;
            domain::catalog::policy::may_change(auth.0.principal(), &product)?;
            return shown(&product, image.0, &services.shop.rules);
        }
        Given::Null => None,
        Given::Value(alt) => Some(alt),
    };
    let (shop, versions) = (&services.shop, expected.versions());
    let changed = image::describe_image(shop, auth.0, id.0, image.0, alt, versions).await;
    shown(&changed.map_err(|error| expected.problem(error))?, image.0, &shop.rules)
}

/// Puts the pictures of a product into an order. The first one is shown in lists.
#[utoipa::path(
    tag = "images",
    request_body = ImageOrderBody,
    params(Id<ProductId>, IfMatch),
    responses(
        (status = 200, description = "The pictures", body = ImageListView, headers(("ETag" = String, description = "The version of the product, for If-Match"))),
        (status = 404, description = "No such product, or not for you to see"),
        (status = 409, description = "The product was modified by another user"),
        IfMatch,
    ),
    security(("bearer" = ["products:write"]))
)]
#[put("/api/v1/products/{id}/images")]
pub async fn order_images(
    auth: Auth<WriteProducts>,
    services: Shared,
    id: Id<ProductId>,
    if_match: IfMatch,
    body: JsonBody,
) -> Answer {
    let expected = if_match.expected(None)?;
    let order = body.read(image_order)?;
    let changed = image::order_images(&services.shop, auth.0, id.0, &order, expected.versions()).await;
    let product = changed.map_err(|error| expected.problem(error))?;
    etag::changed(product.version, &ImageListView::new(&product, &services.shop.rules))
}

/// Takes a picture from a product. Of an uploaded one nothing is kept.
#[utoipa::path(
    tag = "images",
    params(Id<ProductId>, ImageParam, IfMatch),
    responses(
        (status = 200, description = "The product without it", body = ProductFull, headers(("ETag" = String, description = "The version of the product, for If-Match"))),
        (status = 404, description = "No such product or picture, or not for you to see"),
        (status = 409, description = "The product was modified by another user"),
        IfMatch,
    ),
    security(("bearer" = ["products:write"]))
)]
#[delete("/api/v1/products/{id}/images/{imageId}")]
pub async fn delete_image(
    auth: Auth<WriteProducts>,
    services: Shared,
    id: Id<ProductId>,
    image: ImageParam,
    if_match: IfMatch,
) -> Answer {
    let expected = if_match.expected(None)?;
    let changed = image::delete_image(&services.shop, auth.0, id.0, image.0, expected.versions()).await;
    let product = changed.map_err(|error| expected.problem(error))?;
    etag::changed(product.version, &ProductFull::new(&product, &services.shop.rules))
}

async fn product(services: &Services, caller: &MaybeAuth, id: ProductId) -> domain::Result<Product> {
    let found = services.products.get(id, Scope::of(&caller.0)).await?;
    found.map(|found| found.product).ok_or(Error::NotFound("Product"))
}

fn find(product: &Product, id: ImageId) -> Option<&Image> {
    product.images.iter().find(|image| image.id == id)
}

fn shown(product: &Product, id: ImageId, rules: &Rules) -> Answer {
    let image = find(product, id).ok_or(Error::NotFound("Image"))?;
    etag::changed(product.version, &ImageDetailView::new(product, image, rules))
}
