//! Changing a review.

use super::{Review, ReviewPatch, events, policy};
use crate::{
    clock::{Timestamp, later},
    error::{Error, Result},
    id::ReviewId,
    permission::{Authorized, WriteReviews},
    shop::Shop,
};

/// Changes a review of the caller's, or any as a moderator, and keeps the rating in step. With `expected`, only if it
/// was last changed at one of those moments.
///
/// # Errors
/// [`Error::NotFound`], [`Error::Forbidden`] for a review of somebody else, [`Error::Stale`].
pub async fn update_review(
    shop: &Shop,
    by: Authorized<WriteReviews>,
    id: ReviewId,
    patch: ReviewPatch,
    expected: Option<&[Timestamp]>,
) -> Result<Review> {
    let principal = by.principal();
    let patch = &patch;
    shop.write("update_review", |mut tx| async move {
        let before = tx.reviews().find(id).await?.ok_or(Error::NotFound("Review"))?;
        policy::may_change_review(principal, &before)?;
        if expected.is_some_and(|any| !any.contains(&before.updated_at)) {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Principal, Violations,
        catalog::{NewReview, Rating, delete_review, moderate_review, write_review},
        id::ProductId,
        idempotency::Once,
        permission::Role,
        testing::{Fixtures, memory::MemoryStore},
    };

    struct Given {
        fixtures: Fixtures,
        store: MemoryStore,
        author: Principal,
        admin: Principal,
        product: ProductId,
        review: Review,
    }

    async fn reviewed() -> Given {
        let (fixtures, store) = Fixtures::in_memory();
        let product = fixtures.stored_product(fixtures.seller().await.seller.unwrap(), |_| ()).await.id;
        let (author, admin) = (fixtures.person(Role::User).await, fixtures.person(Role::Admin).await);
        let new = NewReview { stars: 4, comment: "Fine".to_owned() };
        let by = fixtures.authorized(&author);
        let review = write_review(&fixtures.shop, by, product, new, &Once::always()).await.unwrap().fresh().unwrap();
        Given { fixtures, store, author, admin, product, review }
    }

    fn stars(stars: i32) -> ReviewPatch {
        let mut patch = ReviewPatch::default();
        patch.stars(stars, &mut Violations::default());
        patch
    }

    impl Given {
        fn rating(&self) -> (i64, i64) {
            let Rating { sum, count } = self.store.product(self.product).unwrap().rating;
            (sum, count)
        }

        async fn update(&self, who: &Principal, patch: ReviewPatch, expected: Option<&[Timestamp]>) -> Result<Review> {
            let by = self.fixtures.authorized(who);
            update_review(&self.fixtures.shop, by, self.review.id, patch, expected).await
        }

        async fn hide(&self, hidden: bool) -> Result<Review> {
            let by = self.fixtures.authorized(&self.admin);
            moderate_review(&self.fixtures.shop, by, self.review.id, hidden).await
        }

        async fn delete(&self, who: &Principal, expected: Option<&[Timestamp]>) -> Result<()> {
            delete_review(&self.fixtures.shop, self.fixtures.authorized(who), self.review.id, expected).await
        }
    }

    #[tokio::test]
    async fn the_rating_follows_every_change() {
        let given = reviewed().await;
        assert_eq!(given.rating(), (4, 1));
        let after = given.update(&given.author, stars(1), Some(&[given.review.updated_at])).await.unwrap();
        assert_eq!((after.stars, after.comment.as_str(), given.rating()), (1, "Fine", (1, 1)));
        given.update(&given.admin, stars(3), None).await.unwrap();
        assert_eq!(given.rating(), (3, 1));
        given.hide(true).await.unwrap();
        given.hide(true).await.unwrap();
        assert_eq!(given.rating(), (0, 0));
        given.update(&given.author, stars(5), None).await.unwrap();
        assert_eq!(given.rating(), (0, 0), "a hidden review does not count, whatever it says");
        given.hide(false).await.unwrap();
        assert_eq!(given.rating(), (5, 1));
        given.delete(&given.author, None).await.unwrap();
        assert_eq!(given.rating(), (0, 0));
        let kinds: Vec<_> = given.store.traces().into_iter().map(|(_, kind)| kind).collect();
        let told = ["created", "updated", "updated", "hidden", "updated", "shown", "deleted"];
        assert_eq!(kinds, told.map(|verb| format!("review.{verb}")), "hiding what is hidden leaves no trace");
    }

    #[tokio::test]
    async fn a_hidden_review_is_deleted_without_counting_twice() {
        let given = reviewed().await;
        given.hide(true).await.unwrap();
        given.delete(&given.admin, None).await.unwrap();
        assert_eq!(given.rating(), (0, 0));
        assert!(matches!(given.hide(false).await, Err(Error::NotFound("Review"))));
        assert!(matches!(given.delete(&given.admin, None).await, Err(Error::NotFound("Review"))));
    }

    #[tokio::test]
    async fn strangers_and_stale_readers_are_refused() {
        let given = reviewed().await;
        let stranger = given.fixtures.person(Role::User).await;
        assert!(matches!(given.update(&stranger, stars(1), None).await, Err(Error::Forbidden(_))));
        assert!(matches!(given.delete(&stranger, None).await, Err(Error::Forbidden(_))));
        given.hide(true).await.unwrap();
        let old = [given.review.updated_at];
        assert!(matches!(given.update(&given.author, stars(1), Some(&old)).await, Err(Error::Stale("Review"))));
        assert!(matches!(given.delete(&given.author, Some(&old)).await, Err(Error::Stale("Review"))));
        assert!(matches!(given.update(&stranger, stars(1), None).await, Err(Error::NotFound("Review"))));
        assert_eq!(given.store.traces().len(), 2);
    }
}
