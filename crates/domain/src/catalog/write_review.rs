//! Writing a review of a product.

use super::{NewReview, Review, events, policy::Scope};
use crate::{
    error::{Error, Result},
    id::{ProductId, ReviewId},
    idempotency::{Once, Outcome},
    permission::{Authorized, WriteReviews},
    shop::Shop,
};

/// Writes the caller's review of a product and counts its stars.
///
/// # Errors
/// [`Error::NotFound`] when the caller may not know of the product, [`Error::Forbidden`] for one's own product,
/// [`Error::Conflict`] when the caller has reviewed it already.
pub async fn write_review(
    shop: &Shop,
    by: Authorized<WriteReviews>,
    product: ProductId,
    new: NewReview,
    once: &Once<'_, Review>,
) -> Result<Outcome<Review>> {
    let principal = by.principal();
    let new = &new;
    shop.write_once("write_review", once, |mut tx| async move {
        let scope = Scope::of_principal(principal);
        let found = tx.products().find(product).await?.filter(|product| product.deleted.is_none());
        let found = found.filter(|product| scope.shows(product.seller, product.status));
        let found = found.ok_or(Error::NotFound("Product"))?;
        if principal.seller == Some(found.seller) {
            return Err(Error::forbidden("You cannot review your own product"));
        }
        let now = tx.now();
        let review = Review {
            id: shop.id::<ReviewId>(),
            product,
            author: principal.user,
            stars: new.stars,
            comment: new.comment.clone(),
            hidden: false,
            created_at: now,
            updated_at: now,
        };
        if !tx.reviews().insert(&review).await? {
            return Err(Error::conflict("You have reviewed this product already; change that review instead"));
        }
        tx.products().add_rating(product, i64::from(review.stars), 1).await?;
        shop.record(&mut *tx, Some(principal.user), events::review::created(&review)).await?;
        tx.commit(review).await
    })
    .await
}
