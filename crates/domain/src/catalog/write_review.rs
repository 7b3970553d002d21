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
        if principal.sellers.has(found.seller) {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Violations,
        catalog::{ProductStatus, Rating, ReviewInput},
        permission::Role,
        testing::Fixtures,
    };

    fn new(stars: i32) -> NewReview {
        let input = ReviewInput { stars: Some(stars), comment: Some("Bright".to_owned()) };
        input.check(&mut Violations::default()).unwrap()
    }

    #[tokio::test]
    async fn the_stars_count_once_per_buyer() {
        let (given, store) = Fixtures::in_memory();
        let product = given.stored_product(given.seller().await.seller.unwrap(), |_| ()).await.id;
        let (ada, bob) = (given.person(Role::User).await, given.person(Role::User).await);
        for (buyer, stars) in [(&ada, 5), (&bob, 2)] {
            write_review(&given.shop, given.authorized(buyer), product, new(stars), &Once::always()).await.unwrap();
        }
        let again = write_review(&given.shop, given.authorized(&ada), product, new(1), &Once::always()).await;
        assert!(matches!(again, Err(Error::Conflict(_))));
        assert_eq!(store.product(product).unwrap().rating, Rating { sum: 7, count: 2 });
        assert_eq!(store.traces(), vec![("review.create".to_owned(), "review.created".to_owned()); 2]);
        assert!(!store.events()[0].payload.to_string().contains("Bright"), "what was written stays out of the log");
    }

    #[tokio::test]
    async fn not_ones_own_product_and_none_that_is_hidden() {
        let (given, store) = Fixtures::in_memory();
        let owner = given.seller().await;
        let buyer = given.person(Role::User).await;
        let own = given.stored_product(owner.seller.unwrap(), |_| ()).await.id;
        let draft = given.stored_product(owner.seller.unwrap(), |p| p.status = ProductStatus::Draft).await.id;
        let gone = given.stored_product(owner.seller.unwrap(), |_| ()).await.id;
        crate::catalog::delete_product(&given.shop, given.authorized(&owner), gone, None).await.unwrap();
        let refused = write_review(&given.shop, given.authorized(&owner), own, new(5), &Once::always()).await;
        assert!(matches!(refused, Err(Error::Forbidden(_))));
        for id in [draft, gone, given.shop.id()] {
            let refused = write_review(&given.shop, given.authorized(&buyer), id, new(5), &Once::always()).await;
            assert!(matches!(refused, Err(Error::NotFound("Product"))));
        }
        assert_eq!(store.traces().len(), 1);
        assert_eq!(store.product(own).unwrap().rating, Rating::default());
    }

    #[test]
    fn stars_and_comment_have_bounds() {
        for (stars, comment, field) in [
            (None, String::new(), "/stars"),
            (Some(0), String::new(), "/stars"),
            (Some(6), String::new(), "/stars"),
            (Some(1), "x".repeat(2001), "/comment"),
        ] {
            let mut violations = Violations::default();
            assert!(ReviewInput { stars, comment: Some(comment) }.check(&mut violations).is_none());
            assert_eq!(violations.iter().next().unwrap().field, field);
        }
        let longest = ReviewInput { stars: Some(5), comment: Some("é".repeat(2000)) };
        assert!(longest.check(&mut Violations::default()).is_some());
    }
}
