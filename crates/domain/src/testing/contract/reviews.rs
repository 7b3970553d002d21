//! Reviews.

use std::time::Duration;

use super::{Harness, begin, fixtures, page};
use crate::{Error, catalog::Review, permission::Role};

/// Runs the cases.
pub async fn run(harness: &impl Harness) {
    a_review_lives(harness).await;
    a_person_has_one_per_product(harness).await;
    many_are_stored_at_once(harness).await;
    a_page_shows_the_newest_first(harness).await;
}

async fn a_review_lives(harness: &impl Harness) {
    let given = fixtures(harness);
    let seller = given.seller().await.seller.unwrap();
    let product = given.stored_product(seller, |_| ()).await.id;
    let review = given.stored_review(product, 4).await;
    let mut tx = begin(harness).await;
    assert_eq!(tx.reviews().find(review.id).await.unwrap().as_ref(), Some(&review));
    let at = review.updated_at + Duration::from_secs(1);
    let after = Review { stars: 2, comment: "Ünlit\n".to_owned(), hidden: true, updated_at: at, ..review.clone() };
    tx.reviews().update(&after).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(harness.reviews().get(review.id).await.unwrap(), Some(after));
    let mut tx = begin(harness).await;
    tx.reviews().delete(review.id).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(harness.reviews().get(review.id).await.unwrap(), None);
    assert_eq!(begin(harness).await.reviews().find(review.id).await.unwrap(), None);
}

async fn a_person_has_one_per_product(harness: &impl Harness) {
    let given = fixtures(harness);
    let seller = given.seller().await.seller.unwrap();
    let product = given.stored_product(seller, |_| ()).await.id;
    let other = given.stored_product(seller, |_| ()).await.id;
    let author = given.person(Role::User).await.user;
    let mut tx = begin(harness).await;
    assert!(tx.reviews().insert(&given.review(product, author, 5)).await.unwrap());
    assert!(!tx.reviews().insert(&given.review(product, author, 1)).await.unwrap());
    assert!(tx.reviews().insert(&given.review(other, author, 3)).await.unwrap());
    tx.commit().await.unwrap();
    let shown = harness.reviews().of_product(product, page(1, 20)).await.unwrap();
    assert_eq!(shown.items.iter().map(|review| review.stars).collect::<Vec<_>>(), [5]);
}

async fn many_are_stored_at_once(harness: &impl Harness) {
    let given = fixtures(harness);
    let seller = given.seller().await.seller.unwrap();
    let product = given.stored_product(seller, |_| ()).await.id;
    let mut reviews = Vec::new();
    for stars in [1, 5, 3] {
        let author = given.person(Role::User).await.user;
        reviews.push(given.review(product, author, stars));
    }
    let mut tx = begin(harness).await;
    tx.reviews().insert_many(&[]).await.unwrap();
    tx.reviews().insert_many(&reviews).await.unwrap();
    tx.commit().await.unwrap();
    for review in &reviews {
        assert_eq!(harness.reviews().get(review.id).await.unwrap().as_ref(), Some(review));
    }
    let fresh = given.person(Role::User).await.user;
    let again = [given.review(product, fresh, 4), given.review(product, reviews[0].author, 4)];
    let mut tx = begin(harness).await;
    let refused = tx.reviews().insert_many(&again).await;
    assert!(matches!(refused, Err(Error::Conflict(_))), "{refused:?}");
    drop(tx);
    assert_eq!(harness.reviews().get(again[0].id).await.unwrap(), None);
}

async fn a_page_shows_the_newest_first(harness: &impl Harness) {
    let given = fixtures(harness);
    let seller = given.seller().await.seller.unwrap();
    let product = given.stored_product(seller, |_| ()).await.id;
    let mut reviews = Vec::new();
    for stars in [1, 2, 3, 4, 5] {
        reviews.push(given.stored_review(product, stars).await);
        if stars != 3 {
            // The third and the fourth are of one moment: their ids decide.
            given.clock.advance(Duration::from_millis(1));
        }
    }
    let mut tx = begin(harness).await;
    tx.reviews().update(&Review { hidden: true, ..reviews[4].clone() }).await.unwrap();
    tx.commit().await.unwrap();
    reviews.truncate(4);
    reviews.sort_by_key(|review| std::cmp::Reverse((review.created_at, review.id)));
    let first = harness.reviews().of_product(product, page(1, 3)).await.unwrap();
    assert_eq!((first.total, first.pages), (4, 2));
    assert_eq!(first.items, reviews[..3]);
    assert_eq!(harness.reviews().of_product(product, page(2, 3)).await.unwrap().items, reviews[3..]);
    let beyond = harness.reviews().of_product(product, page(9, 3)).await.unwrap();
    assert_eq!((beyond.items, beyond.total, beyond.page), (Vec::new(), 4, 9));
}
