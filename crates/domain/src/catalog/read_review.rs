//! Reading one review.

use super::{
    Review,
    policy::{self, Scope},
    ports::{ProductQueries, ReviewQueries},
};
use crate::{
    actor::Actor,
    error::{Error, Result},
    id::ReviewId,
};

/// Reads a review, with leave of [`policy::may_read_review`]. Open to everybody.
///
/// # Errors
/// [`Error::NotFound`] when there is no such review, or none that this caller may know of.
pub async fn read_review(
    reviews: &dyn ReviewQueries,
    products: &dyn ProductQueries,
    actor: &Actor,
    id: ReviewId,
) -> Result<Review> {
    let review = reviews.get(id).await?.ok_or(Error::NotFound("Review"))?;
    let sees = products.get(review.product, Scope::of(actor)).await?.is_some();
    policy::may_read_review(actor, &review, sees)?;
    Ok(review)
}
