//! Changing a review.

use super::{Review, ReviewPatch, events, policy, update_category::later};
use crate::{
    clock::Timestamp,
    error::{Error, Result},
    id::ReviewId,
    permission::{Authorized, WriteReviews},
    shop::Shop,
};

/// Changes a review of the caller's, or any as a moderator, and keeps the rating in step. With `expected`, only if it
/// was last changed at that moment.
///
/// # Errors
/// [`Error::NotFound`], [`Error::Forbidden`] for a review of somebody else, [`Error::Stale`].
pub async fn update_review(
    shop: &Shop,
    by: Authorized<WriteReviews>,
    id: ReviewId,
    patch: ReviewPatch,
    expected: Option<Timestamp>,
) -> Result<Review> {
    let principal = by.principal();
    let patch = &patch;
    shop.write("update_review", |mut tx| async move {
        let before = tx.reviews().find(id).await?.ok_or(Error::NotFound("Review"))?;
        policy::may_change_review(principal, &before)?;
        if expected.is_some_and(|expected| expected != before.updated_at) {
            return Err(Error::Stale("Review"));
        }
        let mut after = before.clone();
        after.stars = patch.stars.unwrap_or(before.stars);
        if let Some(comment) = &patch.comment {
            after.comment.clone_from(comment);
        }
        after.updated_at = later(tx.now(), before.updated_at);
        tx.reviews().update(&after).await?;
        if !after.hidden && after.stars != before.stars {
            let more = i64::from(after.stars) - i64::from(before.stars);
            tx.products().add_rating(after.product, more, 0).await?;
        }
        shop.record(&mut *tx, Some(principal.user), events::review::updated(&before, &after)).await?;
        tx.commit(after).await
    })
    .await
}
