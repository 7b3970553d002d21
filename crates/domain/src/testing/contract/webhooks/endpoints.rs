//! Endpoints and their secrets.

use std::time::Duration;

use super::{
    super::{Harness, begin, fixtures, page},
    endpoint, finished, has_lane, message, secret, settle, store, stored, take, tell,
};
use crate::{
    permission::Role,
    webhooks::{Algorithm, Filter, Form, Off, Order, Owner, Settled, StoredSecret, ports::Signing},
};

/// Runs the cases.
pub(super) async fn run(harness: &impl Harness) {
    an_endpoint_is_found_as_it_was_stored(harness).await;
    endpoints_are_listed_by_owner(harness).await;
    secrets_sign_until_they_end(harness).await;
    who_is_left_alone_has_no_lane(harness).await;
    a_deleted_endpoint_takes_its_messages_along(harness).await;
    a_deleted_person_has_no_endpoints(harness).await;
}

async fn an_endpoint_is_found_as_it_was_stored(harness: &impl Harness) {
    let given = fixtures(harness);
    let mut endpoint = stored(harness, &given).await;
    let webhooks = harness.webhooks();
    assert_eq!(webhooks.get(endpoint.id).await.unwrap().as_ref(), Some(&endpoint));
    assert_eq!(webhooks.get(given.shop.id()).await.unwrap(), None);
    endpoint.url = "http://example.org".to_owned();
    endpoint.description = String::new();
    endpoint.types = Vec::new();
    endpoint.filter = Filter::default();
    endpoint.form = Form::Full;
    endpoint.order = Order::None;
    endpoint.per_minute = None;
    endpoint.off = Some(Off::Failing);
    endpoint.failing_since = Some(given.shop.now());
    endpoint.updated_at += Duration::from_secs(5);
    let mut tx = begin(harness).await;
    assert_eq!(tx.webhooks().find(endpoint.id).await.unwrap().map(|one| one.off), Some(None));
    tx.webhooks().update(&endpoint).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(webhooks.get(endpoint.id).await.unwrap().as_ref(), Some(&endpoint));
    let on = harness.dispatch().listeners().await.unwrap();
    assert!(!on.iter().any(|one| one.id == endpoint.id), "it is off");
}

async fn endpoints_are_listed_by_owner(harness: &impl Harness) {
    let given = fixtures(harness);
    let ada = given.seller().await;
    let seller = ada.seller.unwrap();
    let webhooks = harness.webhooks();
    let shop_before = webhooks.list(Owner::Shop, page(1, 1)).await.unwrap().total;
    for owner in [Owner::Person(ada.user), Owner::Seller(seller), Owner::Seller(seller), Owner::Shop] {
        store(harness, &given, &endpoint(&given, owner, ada.user)).await;
    }
    let bob = given.person(Role::User).await;
    for (owner, total) in [
        (Owner::Person(ada.user), 1),
        (Owner::Seller(seller), 2),
        (Owner::Shop, shop_before + 1),
        (Owner::Person(bob.user), 0),
    ] {
        let found = webhooks.list(owner, page(1, 10)).await.unwrap();
        assert_eq!(found.total, total, "{owner:?}");
        assert!(found.items.iter().all(|one| one.owner == owner));
        assert!(found.items.is_sorted_by(|one, next| one.id > next.id), "the newest first");
        let mut tx = begin(harness).await;
        assert_eq!(tx.webhooks().count(owner).await.unwrap(), total);
        tx.rollback().await.unwrap();
    }
    let mut tx = begin(harness).await;
    for owner in [Owner::Person(ada.user), Owner::Seller(seller), Owner::Shop] {
        let one = endpoint(&given, owner, ada.user);
        assert_eq!(tx.webhooks().keepers(&one).await.unwrap(), [ada.user], "{owner:?}");
    }
    tx.rollback().await.unwrap();
}

async fn secrets_sign_until_they_end(harness: &impl Harness) {
    let given = fixtures(harness);
    let endpoint = stored(harness, &given).await;
    let now = given.shop.now();
    let old = StoredSecret { expires_at: Some(now + Duration::from_mins(1)), ..secret(&given, 1) };
    let present = StoredSecret { algorithm: Algorithm::Ed25519, ..secret(&given, 2) };
    let mut tx = begin(harness).await;
    assert_eq!(tx.webhooks().secrets(endpoint.id).await.unwrap(), [secret(&given, 1)]);
    tx.webhooks().put_secrets(endpoint.id, &[old.clone(), present.clone()]).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(harness.webhooks().secrets(endpoint.id).await.unwrap(), [present.clone(), old.clone()]);
    let dispatch = harness.dispatch();
    let (new, before) = ((present.algorithm, present.sealed), (old.algorithm, old.sealed));
    assert_eq!(dispatch.signing(endpoint.id, now).await.unwrap(), [new.clone(), before]);
    assert_eq!(dispatch.signing(endpoint.id, now + Duration::from_mins(1)).await.unwrap(), [new]);
    // Whoever keeps them sees by the lane that they are others now.
    tell(harness, &[message(&given, &endpoint, 1, None)]).await;
    for (at, signing) in
        [(now, Signing { newest: 2, many: 2 }), (now + Duration::from_mins(1), Signing { newest: 2, many: 1 })]
    {
        let lanes = dispatch.lanes(at).await.unwrap();
        assert_eq!(lanes.iter().find(|lane| lane.endpoint == endpoint.id).map(|lane| lane.signing), Some(signing));
    }
}

async fn who_is_left_alone_has_no_lane(harness: &impl Harness) {
    let given = fixtures(harness);
    let endpoint = stored(harness, &given).await;
    tell(harness, &[message(&given, &endpoint, 1, None)]).await;
    let dispatch = harness.dispatch();
    let soon = given.shop.now() + Duration::from_secs(30);
    let before = dispatch.depth(given.shop.now()).await.unwrap();
    dispatch.circuit(endpoint.id, Some(soon)).await.unwrap();
    assert!(!has_lane(harness, &given, &endpoint).await);
    assert_eq!(dispatch.depth(given.shop.now()).await.unwrap().circuits, before.circuits + 1);
    assert!(before.open >= 1 && before.late >= 1);
    given.clock.advance(Duration::from_secs(30));
    let lanes = dispatch.lanes(given.shop.now()).await.unwrap();
    let lane = lanes.iter().find(|lane| lane.endpoint == endpoint.id).unwrap();
    assert_eq!((lane.careful, lane.url.as_str(), lane.per_minute), (true, endpoint.url.as_str(), Some(90)));
    dispatch.circuit(endpoint.id, None).await.unwrap();
    let lanes = dispatch.lanes(given.shop.now()).await.unwrap();
    assert!(!lanes.iter().find(|lane| lane.endpoint == endpoint.id).unwrap().careful);
    dispatch.rest(endpoint.id, given.shop.now() + Duration::from_secs(3)).await.unwrap();
    assert!(!has_lane(harness, &given, &endpoint).await);
    given.clock.advance(Duration::from_secs(3));
    assert!(has_lane(harness, &given, &endpoint).await);
}

async fn a_deleted_endpoint_takes_its_messages_along(harness: &impl Harness) {
    let given = fixtures(harness);
    let (endpoint, other) = (stored(harness, &given).await, stored(harness, &given).await);
    let told = [message(&given, &endpoint, 1, None), message(&given, &other, 1, None)];
    tell(harness, &told).await;
    let taken = take(harness, &given, &endpoint, 1).await;
    let mut tx = begin(harness).await;
    tx.webhooks().delete(endpoint.id).await.unwrap();
    tx.commit().await.unwrap();
    let webhooks = harness.webhooks();
    assert_eq!(webhooks.get(endpoint.id).await.unwrap(), None);
    assert_eq!(webhooks.message(endpoint.id, told[0].id).await.unwrap(), None);
    assert_eq!(webhooks.secrets(endpoint.id).await.unwrap(), []);
    assert!(webhooks.message(other.id, told[1].id).await.unwrap().is_some());
    assert_eq!(webhooks.message(endpoint.id, told[1].id).await.unwrap(), None, "another's message is not shown");
    assert_eq!(settle(harness, &given, &[finished(&given, &taken[0], Settled::Delivered)]).await, []);
}

async fn a_deleted_person_has_no_endpoints(harness: &impl Harness) {
    let given = fixtures(harness);
    let ada = given.seller().await;
    let own = endpoint(&given, Owner::Person(ada.user), ada.user);
    let theirs = endpoint(&given, Owner::Seller(ada.seller.unwrap()), ada.user);
    for one in [&own, &theirs] {
        store(harness, &given, one).await;
    }
    tell(harness, &[message(&given, &own, 1, None)]).await;
    let mut tx = begin(harness).await;
    let pseudonym = crate::identity::Pseudonym::of(ada.user);
    tx.users().erase(ada.user, &pseudonym, given.shop.now()).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(harness.webhooks().get(own.id).await.unwrap(), None);
    assert!(harness.webhooks().get(theirs.id).await.unwrap().is_some(), "the account is not theirs alone");
}
