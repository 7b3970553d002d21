//! Reviews over HTTP.

use actix_web::{HttpRequest, HttpResponse, delete, get, http::StatusCode, patch, post, put};
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
    etag::{self, IfMatch},
    idempotency::{Keyed, reply},
    page::{PageParams, PageView},
    path::Id,
    query::{None_, Params},
};

/// Lists the reviews of a product that are shown, newest first.
#[utoipa::path(
    tag = "reviews",
    params(("id" = uuid::Uuid, Path, description = "The product"), PageParams),
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
    params(("id" = uuid::Uuid, Path, description = "The product"), ("Idempotency-Key" = Option<String>, Header, description = "Makes a repetition safe", min_length = 1, max_length = 255)),
    responses(
        (status = 201, description = "The review", body = ReviewView, headers(
            ("Location" = String, description = "Where to read it"),
            ("ETag" = String, description = "Its version, for If-Match"),
        )),
        (status = 404, description = "No such product, or not for you to see"),
        (status = 409, description = "You reviewed it already, or a request with this key is in flight"),
        (status = 422, description = "The key was used with a different request"),
    ),
    security(("bearer" = ["reviews:write"]))
)]
#[post("/api/v1/products/{id}/reviews")]
pub async fn create_review(
    auth: Auth<WriteReviews>,
    services: Shared,
    id: Id<ProductId>,
    _none: Params<None_>,
    keyed: Keyed,
    body: JsonBody,
) -> Answer {
    let new = body.read(|fields| new_review(fields).check(&mut fields.violations))?;
    let render = |review: &Review| {
        let mut reply = reply(StatusCode::CREATED, Vec::new(), &ReviewView::from(review));
        reply.headers = vec![
            ("Location".to_owned(), format!("/api/v1/reviews/{}", review.id)),
            ("ETag".to_owned(), etag::tag(Some(etag::version_at(review.updated_at)), &reply.body)),
        ];
        reply
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
    params(
        ("id" = uuid::Uuid, Path, description = "The review"),
        ("If-None-Match" = Option<String>, Header, description = "Answers 304 when nothing changed"),
    ),
    responses(
        (status = 200, description = "The review", body = ReviewView, headers(("ETag" = String, description = "Its version, for If-Match"))),
        (status = 304, description = "Nothing changed"),
        (status = 404, description = "No such review, or not for you to see"),
    ),
    security((), ("bearer" = []))
)]
#[get("/api/v1/reviews/{id}")]
pub async fn get_review(
    caller: MaybeAuth,
    services: Shared,
    id: Id<ReviewId>,
    _none: Params<None_>,
    request: HttpRequest,
) -> Answer {
    let unknown = || Error::NotFound("Review");
    let review = services.reviews.get(id.0).await?.ok_or_else(unknown)?;
    let own = caller.0.principal().is_some_and(|principal| principal.is_admin() || principal.user == review.author);
    if review.hidden && !own {
        return Err(unknown().into());
    }
    if !own && known_product(&services, &caller.0, review.product).await.is_err() {
        return Err(unknown().into());
    }
    etag::read(&request, Some(etag::version_at(review.updated_at)), &ReviewView::from(&review))
}

/// Changes one's own review.
#[utoipa::path(
    tag = "reviews",
    request_body = ReviewPatchBody,
    params(
        ("id" = uuid::Uuid, Path, description = "The review"),
        ("If-Match" = Option<String>, Header, description = "The ETag of the version the change was made for, or `*` for any. A tag that was never given is 412"),
    ),
    responses(
        (status = 200, description = "The review", body = ReviewView, headers(("ETag" = String, description = "Its version, for If-Match"))),
        (status = 404, description = "No such review, or not for you to see"),
        (status = 409, description = "It was changed meanwhile"),
        (status = 412, description = "If-Match names another version than it has now"),
        (status = 428, description = "This installation demands If-Match"),
    ),
    security(("bearer" = ["reviews:write"]))
)]
#[patch("/api/v1/reviews/{id}")]
pub async fn update_review(
    auth: Auth<WriteReviews>,
    services: Shared,
    id: Id<ReviewId>,
    _none: Params<None_>,
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
    params(
        ("id" = uuid::Uuid, Path, description = "The review"),
        ("If-Match" = Option<String>, Header, description = "The ETag of the version to delete"),
    ),
    responses(
        (status = 200, description = "It is deleted", body = Done),
        (status = 404, description = "No such review, or not for you to see"),
        (status = 412, description = "If-Match names another version than it has now"),
        (status = 428, description = "This installation demands If-Match"),
    ),
    security(("bearer" = ["reviews:write"]))
)]
#[delete("/api/v1/reviews/{id}")]
pub async fn delete_review(
    auth: Auth<WriteReviews>,
    services: Shared,
    id: Id<ReviewId>,
    _none: Params<None_>,
    if_match: IfMatch,
) -> Answer {
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
    params(("id" = uuid::Uuid, Path, description = "The review")),
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
    _none: Params<None_>,
    body: JsonBody,
) -> Answer {
    let hidden = body.read(|fields| fields.boolean("hidden").or_else(|| fields.violations.missing("/hidden")))?;
    let review = catalog::moderate_review(&services.shop, auth.0, id.0, hidden).await?;
    etag::changed(etag::version_at(review.updated_at), &ReviewView::from(&review))
}
