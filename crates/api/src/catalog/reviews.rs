//! Reviews over HTTP.

use actix_web::{HttpResponse, delete, get, patch, post, put};
use domain::{
    Actor, Error,
    catalog::{self, Review, policy::Scope},
    id::{ProductId, ReviewId},
    permission::{ModerateReviews, WriteReviews},
};

use super::dto::review::{ModerationBody, NewReviewBody, ReviewPatchBody, ReviewView, new_review, review_patch};
use crate::{
    Answer, Services, Shared,
    auth::{Auth, MaybeAuth},
    body::JsonBody,
    done::Done,
    etag::{self, IfMatch, IfNoneMatch},
    idempotency::{Keyed, created},
    page::{PageParams, PageView},
    path::Id,
    query::Params,
};

/// Lists the reviews of a product that are shown, newest first.
#[utoipa::path(
    tag = "reviews",
    params(Id<ProductId>, PageParams),
    responses(
        (status = 200, description = "The reviews", body = PageView<ReviewView>),
        (status = 404, description = "No such product, or not for you to see"),
    ),
    security((), ("bearer" = []))
)]
#[get("/api/v1/products/{id}/reviews")]
pub async fn list_reviews(caller: MaybeAuth, services: Shared, id: Id<ProductId>, page: Params<PageParams>) -> Answer {
    known_product(&services, &caller.0, id.0).await?;
    let found = services.reviews.of_product(id.0, page.0.request()).await?;
    let items = found.items.iter().map(ReviewView::from).collect();
    Ok(HttpResponse::Ok().json(PageView { items, total: found.total, page: found.page, pages: found.pages }))
}

/// Whoever may not know of a product may not know of its reviews.
async fn known_product(services: &Services, actor: &Actor, id: ProductId) -> Result<(), Error> {
    let found = services.products.get(id, Scope::of(actor)).await?;
    found.map(|_| ()).ok_or(Error::NotFound("Product"))
}

/// Reviews a product; one review per person and product.
#[utoipa::path(
    tag = "reviews",
    request_body = NewReviewBody,
    params(Id<ProductId>, Keyed),
    responses(
        (status = 201, description = "The review", body = ReviewView, headers(("ETag" = String, description = "Its version, for If-Match"))),
        (status = 404, description = "No such product, or not for you to see"),
        (status = 409, description = "You reviewed it already"),
        Keyed,
    ),
    security(("bearer" = ["reviews:write"]))
)]
#[post("/api/v1/products/{id}/reviews")]
pub async fn create_review(
    auth: Auth<WriteReviews>,
    services: Shared,
    id: Id<ProductId>,
    keyed: Keyed,
    body: JsonBody,
) -> Answer {
    let new = body.read(|fields| new_review(fields).check(&mut fields.violations))?;
    let render = |one: &Review| {
        created(format!("/api/v1/reviews/{}", one.id), etag::version_at(one.updated_at), &ReviewView::from(one))
    };
    keyed
        .run(&services, "create_review", &body, render, async |once| {
            catalog::write_review(&services.shop, auth.0, id.0, new, once).await
        })
        .await
}

/// Reads a review.
#[utoipa::path(
    tag = "reviews",
    params(Id<ReviewId>, IfNoneMatch),
    responses(
        (status = 200, description = "The review", body = ReviewView),
        (status = 404, description = "No such review, or not for you to see"),
        IfNoneMatch,
    ),
    security((), ("bearer" = []))
)]
#[get("/api/v1/reviews/{id}")]
pub async fn get_review(caller: MaybeAuth, services: Shared, id: Id<ReviewId>, known: IfNoneMatch) -> Answer {
    let review = catalog::read_review(&*services.reviews, &*services.products, &caller.0, id.0).await?;
    etag::read(&known, Some(etag::version_at(review.updated_at)), &ReviewView::from(&review))
}

/// Changes one's own review.
#[utoipa::path(
    tag = "reviews",
    request_body = ReviewPatchBody,
    params(Id<ReviewId>, IfMatch),
    responses(
        (status = 200, description = "The review", body = ReviewView, headers(("ETag" = String, description = "Its version, for If-Match"))),
        (status = 404, description = "No such review, or not for you to see"),
        (status = 409, description = "It was changed meanwhile"),
        IfMatch,
    ),
    security(("bearer" = ["reviews:write"]))
)]
#[patch("/api/v1/reviews/{id}")]
pub async fn update_review(
    auth: Auth<WriteReviews>,
    services: Shared,
    id: Id<ReviewId>,
    if_match: IfMatch,
    body: JsonBody,
) -> Answer {
    let patch = body.read(|fields| Some(review_patch(fields)))?;
    let expected = if_match.expected(None)?;
    let review = catalog::update_review(&services.shop, auth.0, id.0, patch, expected.moments().as_deref())
        .await
        .map_err(|error| expected.problem(error))?;
    etag::changed(etag::version_at(review.updated_at), &ReviewView::from(&review))
}

/// Deletes one's own review.
#[utoipa::path(
    tag = "reviews",
    params(Id<ReviewId>, IfMatch),
    responses(
        (status = 200, description = "It is deleted", body = Done),
        (status = 404, description = "No such review, or not for you to see"),
        IfMatch,
    ),
    security(("bearer" = ["reviews:write"]))
)]
#[delete("/api/v1/reviews/{id}")]
pub async fn delete_review(auth: Auth<WriteReviews>, services: Shared, id: Id<ReviewId>, if_match: IfMatch) -> Answer {
    let expected = if_match.expected(None)?;
    catalog::delete_review(&services.shop, auth.0, id.0, expected.moments().as_deref())
        .await
        .map_err(|error| expected.problem(error))?;
    Ok(HttpResponse::Ok().json(Done { success: true }))
}

/// Takes a review out of sight or brings it back.
#[utoipa::path(
    tag = "reviews",
    request_body = ModerationBody,
    params(Id<ReviewId>),
    responses(
        (status = 200, description = "The review", body = ReviewView, headers(("ETag" = String, description = "Its version, for If-Match"))),
        (status = 404, description = "No such review"),
    ),
    security(("bearer" = ["reviews:moderate"]))
)]
#[put("/api/v1/reviews/{id}/moderation")]
pub async fn moderate_review(
    auth: Auth<ModerateReviews>,
    services: Shared,
    id: Id<ReviewId>,
    body: JsonBody,
) -> Answer {
    let hidden = body.read(|fields| fields.boolean("hidden").or_else(|| fields.violations.missing("/hidden")))?;
    let review = catalog::moderate_review(&services.shop, auth.0, id.0, hidden).await?;
    etag::changed(etag::version_at(review.updated_at), &ReviewView::from(&review))
}
