//! Product views.

use std::time::Duration;

use super::{Harness, fixtures, page};
use crate::{catalog::queries::ProductView, permission::Role};

/// Runs the cases.
pub async fn run(harness: &impl Harness) {
    the_latest_view_counts(harness).await;
}

async fn the_latest_view_counts(harness: &impl Harness) {
    let given = fixtures(harness);
    let seller = given.seller().await.seller.unwrap();
    let (user, other) = (given.person(Role::User).await.user, given.person(Role::User).await.user);
    let first = given.stored_product(seller, |_| ()).await.id;
    let second = given.stored_product(seller, |_| ()).await.id;
    let start = given.shop.now();
    let view = |product, user, seconds| ProductView { product, user, at: start + Duration::from_secs(seconds) };
    let views = harness.views();
    views.store(&[]).await.unwrap();
    let unknown = view(given.shop.id(), user, 9);
    views.store(&[view(first, user, 3), unknown, view(first, user, 1), view(first, other, 5)]).await.unwrap();
    views.store(&[view(second, user, 2)]).await.unwrap();
    let seen = views.of_user(user, page(1, 20)).await.unwrap();
    assert_eq!(seen.items, [view(first, user, 3), view(second, user, 2)]);
    views.store(&[view(second, user, 4)]).await.unwrap();
    let seen = views.of_user(user, page(1, 1)).await.unwrap();
    assert_eq!((seen.items, seen.total), (vec![view(second, user, 4)], 2));
}
