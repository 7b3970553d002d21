//! The vectors of products, and reading products by their ids.

use std::time::Duration;

use uuid::Uuid;

use super::{Harness, begin, fixtures};
use crate::{
    catalog::{
        Deleted, Product, ProductStatus, Statuses,
        policy::Scope,
        ports::Stored,
        queries::ProductFilter,
        similar::ports::{Progress, StoredVector},
    },
    id::ProductId,
};

/// Runs the cases.
pub async fn run(harness: &impl Harness) {
    a_step_is_stored_once_and_heard_in_order(harness).await;
    one_node_keeps_vectors_at_a_time(harness).await;
    products_are_read_by_id_as_far_as_they_pass(harness).await;
}

fn vector(product: ProductId, source: i64, bytes: &[i8]) -> StoredVector {
    StoredVector { product, source, vector: Some(bytes.to_vec()) }
}

async fn a_step_is_stored_once_and_heard_in_order(harness: &impl Harness) {
    let given = fixtures(harness);
    let seller = given.seller().await.seller.unwrap();
    let (one, two) = (given.stored_product(seller, |_| ()).await.id, given.stored_product(seller, |_| ()).await.id);
    let vectors = harness.vectors();
    let from = vectors.progress().await.unwrap();
    let head = from.head + 1;
    let to = Progress { head, began: head, model: "plain".to_owned(), walking: true, after: Some(one), seq: 7 };
    let gone: ProductId = given.shop.id();
    let bytes = [-127, 0, 1, 127];
    // Those of unknown products are left out.
    let before = [vector(one, i64::MIN, &bytes), vector(two, i64::MAX, &bytes), vector(gone, 3, &bytes)];
    assert!(vectors.keep(&from, &to, &before).await.unwrap());
    assert!(!vectors.keep(&from, &to, &before).await.unwrap(), "somebody else was faster");
    assert_eq!(vectors.progress().await.unwrap(), to);

    let mut news = vectors.changed(from.head, None, 10).await.unwrap();
    assert_eq!(news.len(), 2);
    assert!(news.is_sorted_by_key(|one| (one.head, one.product)));
    let last = news.pop().unwrap();
    assert_eq!((last.head, last.vector), (head, Some(bytes.to_vec())));
    assert_eq!(vectors.changed(head, None, 10).await.unwrap(), []);
    assert_eq!(vectors.changed(head, Some(last.product), 10).await.unwrap(), []);
    let first = news.pop().unwrap();
    assert_eq!(vectors.changed(head, Some(first.product), 10).await.unwrap().len(), 1);
    assert_eq!(vectors.changed(from.head, None, 1).await.unwrap(), [first]);

    let mut sources = vectors.sources(&[one, two, gone], from.head).await.unwrap();
    sources.sort_by_key(|(_, source)| *source);
    assert_eq!(sources, [(one, i64::MIN), (two, i64::MAX)]);
    assert_eq!(vectors.sources(&[one, two], head).await.unwrap(), [], "of an older model");
    assert_eq!(vectors.count(from.head).await.unwrap(), 2);

    let next = Progress { head: head + 1, walking: false, after: None, ..to.clone() };
    let after = [StoredVector { product: one, source: 0, vector: None }, vector(two, 5, &[1, 2, 3, 4])];
    assert!(vectors.keep(&to, &next, &after).await.unwrap());
    assert_eq!(vectors.progress().await.unwrap(), next);
    let mut news = vectors.changed(head, None, 10).await.unwrap();
    news.sort_by_key(|row| row.product != one);
    assert_eq!(news.iter().map(|row| row.vector.clone()).collect::<Vec<_>>(), [None, Some(vec![1, 2, 3, 4])]);
    assert_eq!(vectors.count(from.head).await.unwrap(), 1);
}

async fn one_node_keeps_vectors_at_a_time(harness: &impl Harness) {
    let (vectors, given) = (harness.vectors(), fixtures(harness));
    let (one, two): (Uuid, Uuid) = (given.shop.id(), given.shop.id());
    let (now, soon) = (given.shop.now(), Duration::from_secs(5));
    assert!(vectors.lease(one, now, now + soon).await.unwrap());
    assert!(!vectors.lease(two, now, now + soon).await.unwrap());
    assert!(vectors.lease(one, now, now + 2 * soon).await.unwrap(), "for longer");
    assert!(!vectors.lease(two, now + soon, now + 2 * soon).await.unwrap());
    assert!(vectors.lease(two, now + 2 * soon, now + 3 * soon).await.unwrap(), "it ended");
    assert!(!vectors.lease(one, now + 2 * soon, now + 3 * soon).await.unwrap());
}

async fn products_are_read_by_id_as_far_as_they_pass(harness: &impl Harness) {
    let given = fixtures(harness);
    let (member, other) = (given.seller().await, given.seller().await.seller.unwrap());
    let seller = member.seller.unwrap();
    let mut ids = Vec::new();
    for status in ProductStatus::ALL {
        for seller in [seller, other] {
            ids.push(given.stored_product(seller, |product| product.status = status).await.id);
        }
    }
    let before = given.stored_product(seller, |_| ()).await;
    let deleted = Some(Deleted { at: given.shop.now(), by: member.user });
    let gone = Product { deleted, version: before.version.next(), ..before.clone() };
    let mut tx = begin(harness).await;
    assert_eq!(tx.products().update(&gone, &before).await.unwrap(), Stored::Yes);
    tx.commit().await.unwrap();
    ids.extend([before.id, given.shop.id()]);
    let [own_draft, draft, own, published, ..] = ids[..] else { unreachable!("there are eight") };
    let found = async |filter: &ProductFilter| {
        let found = harness.products().among(&ids, filter).await.unwrap();
        assert!(found.iter().all(|one| one.product.images.len() == 1), "with the first picture");
        let mut found: Vec<_> = found.into_iter().map(|one| one.product.id).collect();
        found.sort_unstable();
        found
    };
    let sorted = |mut ids: Vec<ProductId>| {
        ids.sort_unstable();
        ids
    };
    assert_eq!(found(&ProductFilter::published(Scope::Published)).await, sorted(vec![own, published]));
    let statuses = Statuses::from_iter([ProductStatus::Draft, ProductStatus::Published]);
    let filter = |scope| ProductFilter { statuses, ..ProductFilter::published(scope) };
    assert_eq!(found(&filter(Scope::Published)).await, sorted(vec![own, published]));
    assert_eq!(found(&filter(Scope::seller(seller))).await, sorted(vec![own_draft, own, published]));
    assert_eq!(found(&filter(Scope::All)).await, sorted(vec![own_draft, draft, own, published]));
    let of_seller = ProductFilter { seller: Some(seller), ..filter(Scope::All) };
    assert_eq!(found(&of_seller).await, sorted(vec![own_draft, own]));
    assert_eq!(harness.products().among(&[], &filter(Scope::All)).await.unwrap(), []);
}
