//! Deleting a review.

use super::{events, policy};
use crate::{
    clock::Timestamp,
    error::{Error, Result},
    id::ReviewId,
    permission::{Authorized, WriteReviews},
    shop::Shop,
};

/// Deletes a review of the caller's, or any as a moderator; its stars count no more. With `expected`, only if it was
/// last changed at one of those moments.
///
/// # Errors
/// [`Error::NotFound`], [`Error::Forbidden`] for a review of somebody else, [`Error::Stale`].
pub async fn delete_review(
    shop: &Shop,
    by: Authorized<WriteReviews>,
    id: ReviewId,
    expected: Option<&[Timestamp]>,
) -> Result<()> {
    let principal = by.principal();
    shop.write("delete_review", |mut tx| async move {
        let review = tx.reviews().find(id).await?.ok_or(Error::NotFound("Review"))?;
        policy::may_change_review(principal, &review)?;
        if expected.is_some_and(|any| !any.contains(&review.updated_at)) {
            return Err(Error::Stale("Review"));
        }
        tx.reviews().delete(id).await?;
        if !review.hidden {
            tx.products().add_rating(review.product, -i64::from(review.stars), -1).await?;
        }
        shop.record(&mut *tx, Some(principal.user), events::review::deleted(&review)).await?;
        tx.commit(()).await
    })
    .await
}
