//! Hiding and showing a review.

use super::{Review, events};
use crate::{
    clock::later,
    error::{Error, Result},
    id::ReviewId,
    permission::{Authorized, ModerateReviews},
    shop::Shop,
};

/// Takes a review out of sight, or brings it back. A hidden review does not count. Asking for what is so already
/// changes nothing and leaves no trace.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn moderate_review(
    shop: &Shop,
    by: Authorized<ModerateReviews>,
    id: ReviewId,
    hidden: bool,
) -> Result<Review> {
    let user = by.principal().user;
    shop.write("moderate_review", |mut tx| async move {
        let mut review = tx.reviews().find(id).await?.ok_or(Error::NotFound("Review"))?;
        if review.hidden == hidden {
            return tx.commit(review).await;
        }
        review.hidden = hidden;
        review.updated_at = later(tx.now(), review.updated_at);
        tx.reviews().update(&review).await?;
        let sign = if hidden { -1 } else { 1 };
        tx.products().add_rating(review.product, sign * i64::from(review.stars), sign).await?;
        shop.record(&mut *tx, Some(user), events::review::moderated(&review)).await?;
        tx.commit(review).await
    })
    .await
}
