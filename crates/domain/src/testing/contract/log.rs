//! The audit log as it is read.

use std::time::Duration;

use super::{Harness, begin, fixtures, page};
use crate::{
    audit::AuditFilter,
    behalf::Behalf,
    event::{Change, Entity},
    permission::Role,
};

/// Runs the cases.
pub async fn run(harness: &impl Harness) {
    entries_are_filtered_and_newest_first(harness).await;
    who_acted_as_somebody_else_is_kept(harness).await;
}

async fn entries_are_filtered_and_newest_first(harness: &impl Harness) {
    let given = fixtures(harness);
    let (one, two) = (given.person(Role::User).await.user, given.person(Role::User).await.user);
    let thing: uuid::Uuid = given.shop.id();
    for (actor, action, kind) in [
        (one, "lamp.light", "user"),
        (one, "lamp.break", "user"),
        (two, "lamp.light", "user"),
        (one, "chair.sit", "seller"),
    ] {
        given.clock.advance(Duration::from_millis(1));
        let change = Change {
            action,
            event: if kind == "user" { "user.created" } else { "seller.created" },
            entity: Entity::new(kind, thing),
            payload: serde_json::json!({ "userId": thing, "sellerId": thing }),
            metadata: serde_json::json!({ "b": 1, "a": { "nested": ["x", null, 1.5] } }),
        };
        let mut tx = begin(harness).await;
        given.shop.record(&mut *tx, Some(actor), change).await.unwrap();
        tx.commit().await.unwrap();
    }
    let of_thing = AuditFilter { entity_id: Some(thing), ..AuditFilter::default() };
    let all = harness.audit().list(&of_thing, page(1, 3)).await.unwrap();
    assert_eq!((all.total, all.pages, all.items.len()), (4, 2, 3));
    let actions: Vec<_> = all.items.iter().map(|entry| entry.action.as_str()).collect();
    assert_eq!(actions, ["chair.sit", "lamp.light", "lamp.break"]);
    assert_eq!(all.items[0].at, given.shop.now());
    assert_eq!(all.items[0].entity, Entity::new("seller", thing));
    assert_eq!(all.items[0].metadata["a"]["nested"], serde_json::json!(["x", null, 1.5]));
    let total = async |filter: AuditFilter| harness.audit().list(&filter, page(1, 20)).await.unwrap().total;
    assert_eq!(total(AuditFilter { actor: Some(one), ..of_thing.clone() }).await, 3);
    assert_eq!(total(AuditFilter { action: Some("lamp.light".to_owned()), ..of_thing.clone() }).await, 2);
    assert_eq!(total(AuditFilter { entity_type: Some("seller".to_owned()), ..of_thing.clone() }).await, 1);
    let nothing = AuditFilter { actor: Some(two), entity_type: Some("seller".to_owned()), ..of_thing };
    assert_eq!(total(nothing).await, 0);
}

async fn who_acted_as_somebody_else_is_kept(harness: &impl Harness) {
    let given = fixtures(harness);
    let (operator, person) = (given.person(Role::Admin).await.user, given.person(Role::User).await.user);
    let change = || Change {
        action: "lamp.light",
        event: "user.created",
        entity: Entity::new("user", person),
        payload: serde_json::json!({ "userId": person }),
        metadata: serde_json::json!({}),
    };
    // One alone goes with the commit, several in a statement of their own.
    for several in [false, true] {
        let mut tx = begin(harness).await;
        let work = Behalf::new(operator, given.shop.record(&mut *tx, Some(person), change()));
        work.await.unwrap();
        if several {
            given.shop.record(&mut *tx, Some(person), change()).await.unwrap();
        }
        tx.commit().await.unwrap();
    }
    let by = AuditFilter { impersonator: Some(operator), ..AuditFilter::default() };
    let found = harness.audit().list(&by, page(1, 20)).await.unwrap();
    let named: Vec<_> = found.items.iter().map(|entry| (entry.actor, entry.impersonator)).collect();
    assert_eq!(named, [(Some(person), Some(operator)); 2]);
    let of_person = AuditFilter { actor: Some(person), ..AuditFilter::default() };
    assert_eq!(harness.audit().list(&of_person, page(1, 20)).await.unwrap().total, 3);
}
