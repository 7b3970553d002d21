//! The store: all or nothing.

use super::{Harness, begin, fixtures};
use crate::{
    audit::AuditFilter,
    catalog::ports::Stored,
    event::{Change, Entity},
    identity::User,
    permission::Role,
    testing::contract::page,
};

/// Runs the cases.
pub async fn run(harness: &impl Harness) {
    dropping_takes_everything_back(harness).await;
    a_commit_keeps_everything(harness).await;
    a_named_conflict_leaves_the_transaction_usable(harness).await;
}

fn change(id: uuid::Uuid) -> Change {
    Change {
        action: "test.make",
        event: "user.created",
        entity: Entity::new("user", id),
        payload: serde_json::json!({ "userId": id }),
        metadata: serde_json::json!({ "before": null, "after": [1, "two"] }),
    }
}

async fn dropping_takes_everything_back(harness: &impl Harness) {
    let given = fixtures(harness);
    let seller = given.seller().await;
    let (user, mut product) = (given.user(Role::User), given.product(seller.seller.unwrap()));
    let category = given.category(None);
    let mut tx = begin(harness).await;
    assert!(tx.users().insert(&user, "plain$x").await.unwrap());
    assert!(tx.categories().insert(&category).await.unwrap());
    assert_eq!(tx.products().insert(&mut product).await.unwrap(), Stored::Yes);
    given.shop.record(&mut *tx, Some(seller.user), change(product.id.0)).await.unwrap();
    assert!(tx.products().find(product.id).await.unwrap().is_some(), "a transaction reads its own writes");
    drop(tx);

    let mut tx = begin(harness).await;
    assert_eq!(tx.users().find(user.id).await.unwrap(), None);
    assert_eq!(tx.categories().find(category.id).await.unwrap(), None);
    assert_eq!(tx.products().find(product.id).await.unwrap(), None);
    drop(tx);
    assert_eq!(harness.events_of(product.id.0).await.unwrap(), []);
    let filter = AuditFilter { entity_id: Some(product.id.0), ..AuditFilter::default() };
    assert_eq!(harness.audit().list(&filter, page(1, 20)).await.unwrap().total, 0);
}

async fn a_commit_keeps_everything(harness: &impl Harness) {
    let given = fixtures(harness);
    let id: uuid::Uuid = given.shop.id();
    let mut tx = begin(harness).await;
    given.shop.record(&mut *tx, None, change(id)).await.unwrap();
    tx.commit().await.unwrap();
    let events = harness.events_of(id).await.unwrap();
    assert_eq!(events.len(), 1);
    assert_eq!(events[0].kind, "user.created");
    assert_eq!(events[0].payload, change(id).payload);
    assert_eq!((events[0].actor, events[0].at), (None, given.shop.now()));
}

async fn a_named_conflict_leaves_the_transaction_usable(harness: &impl Harness) {
    let given = fixtures(harness);
    let seller = given.seller().await.seller.unwrap();
    let taken = given.stored_product(seller, |_| ()).await;
    let user = given.user(Role::User);
    let category = given.stored_category(None).await;

    let mut tx = begin(harness).await;
    let mut product = given.product(seller);
    product.slug = taken.slug.clone();
    product.sku.clone_from(&taken.sku);
    product.category = Some(given.shop.id());
    assert_eq!(tx.products().insert(&mut product).await.unwrap(), Stored::NoCategory);
    product.category = Some(category.id);
    assert_eq!(tx.products().insert(&mut product).await.unwrap(), Stored::SkuTaken);
    product.sku = None;
    let mut in_the_way = given.product(seller);
    in_the_way.slug = taken.slug.with_suffix(product.id.0);
    assert_eq!(tx.products().insert(&mut in_the_way).await.unwrap(), Stored::Yes);
    product.slug = taken.slug.clone();
    assert_eq!(tx.products().insert(&mut product).await.unwrap(), Stored::SlugTaken);
    let mut product = given.product(seller);
    product.slug = taken.slug.clone();
    assert_eq!(tx.products().insert(&mut product).await.unwrap(), Stored::Yes);
    assert_eq!(product.slug, taken.slug.with_suffix(product.id.0), "under a slug of its own");
    assert!(tx.users().insert(&user, "plain$x").await.unwrap());
    let twin = User { email: user.email.clone(), ..given.user(Role::User) };
    assert!(!tx.users().insert(&twin, "plain$x").await.unwrap());
    let mut other = given.category(None);
    other.slug.clone_from(&category.slug);
    assert!(!tx.categories().insert(&other).await.unwrap());
    tx.commit().await.unwrap();

    let mut tx = begin(harness).await;
    assert_eq!(tx.products().find(product.id).await.unwrap(), Some(product));
    assert_eq!(tx.users().find(user.id).await.unwrap(), Some(user));
}
