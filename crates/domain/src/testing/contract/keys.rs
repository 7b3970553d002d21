//! Idempotency keys.

use std::time::Duration;

use super::{Harness, begin, fixtures};
use crate::{
    id::UserId,
    idempotency::{Claim, Key, Reply},
    permission::Role,
};

/// Runs the cases.
pub async fn run(harness: &impl Harness) {
    a_kept_answer_is_given_again(harness).await;
    an_answer_takes_the_place_of_the_sign_that_it_is_made(harness).await;
    a_key_that_rolled_back_is_fresh(harness).await;
    an_old_answer_is_forgotten(harness).await;
    scopes_do_not_meet(harness).await;
    if harness.has_parallel_writers() {
        a_held_key_is_in_flight(harness).await;
    }
}

fn key(actor: Option<UserId>, text: &str) -> Key {
    Key { actor, operation: "test_operation", key: text.to_owned(), fingerprint: [7; 32] }
}

fn reply() -> Reply {
    let headers = vec![("Location".to_owned(), "/there".to_owned())];
    Reply { status: 201, headers, body: vec![0, 159, 146, 150] }
}

async fn a_kept_answer_is_given_again(harness: &impl Harness) {
    let given = fixtures(harness);
    let actor = given.person(Role::User).await.user;
    let (key, now) = (key(Some(actor), "again"), given.shop.now());
    let mut tx = begin(harness).await;
    assert_eq!(tx.keys().claim(&key, now).await.unwrap(), Claim::Fresh);
    tx.keys().keep(&key, &reply(), now).await.unwrap();
    tx.commit().await.unwrap();
    let mut tx = begin(harness).await;
    assert_eq!(tx.keys().claim(&key, now).await.unwrap(), Claim::Replay(reply()));
    tx.rollback().await.unwrap();
    let other = Key { fingerprint: [8; 32], ..key };
    assert_eq!(begin(harness).await.keys().claim(&other, now).await.unwrap(), Claim::Mismatch);
}

async fn an_answer_takes_the_place_of_the_sign_that_it_is_made(harness: &impl Harness) {
    let given = fixtures(harness);
    let actor = given.person(Role::User).await.user;
    let (key, now) = (key(Some(actor), "long"), given.shop.now());
    let sign = Reply { status: 102, headers: Vec::new(), body: Vec::new() };
    let mut tx = begin(harness).await;
    assert_eq!(tx.keys().claim(&key, now).await.unwrap(), Claim::Fresh);
    tx.keys().keep(&key, &sign, now).await.unwrap();
    tx.commit().await.unwrap();
    let mut tx = begin(harness).await;
    assert_eq!(tx.keys().claim(&key, now).await.unwrap(), Claim::Replay(sign));
    tx.rollback().await.unwrap();
    let later = now + Duration::from_mins(1);
    let mut tx = begin(harness).await;
    tx.keys().keep(&key, &reply(), later).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(
        begin(harness).await.keys().claim(&key, later).await.unwrap(),
        Claim::Replay(reply()),
        "as old as it is"
    );
}

async fn a_key_that_rolled_back_is_fresh(harness: &impl Harness) {
    let given = fixtures(harness);
    let actor = given.person(Role::User).await.user;
    let (key, now) = (key(Some(actor), "rolled back"), given.shop.now());
    let mut tx = begin(harness).await;
    assert_eq!(tx.keys().claim(&key, now).await.unwrap(), Claim::Fresh);
    tx.keys().keep(&key, &reply(), now).await.unwrap();
    tx.rollback().await.unwrap();
    assert_eq!(begin(harness).await.keys().claim(&key, now).await.unwrap(), Claim::Fresh);
}

async fn an_old_answer_is_forgotten(harness: &impl Harness) {
    let given = fixtures(harness);
    let actor = given.person(Role::User).await.user;
    let (key, now) = (key(Some(actor), "old"), given.shop.now());
    for _ in 0..2 {
        let mut tx = begin(harness).await;
        let since = given.shop.now();
        assert_eq!(tx.keys().claim(&key, since).await.unwrap(), Claim::Fresh);
        tx.keys().keep(&key, &reply(), since).await.unwrap();
        tx.commit().await.unwrap();
        given.clock.advance(Duration::from_secs(1));
    }
    assert_eq!(begin(harness).await.keys().claim(&key, now).await.unwrap(), Claim::Replay(reply()));
}

async fn scopes_do_not_meet(harness: &impl Harness) {
    let given = fixtures(harness);
    let now = given.shop.now();
    let text = format!("shared {}", given.serial());
    let (one, two) = (given.person(Role::User).await.user, given.person(Role::User).await.user);
    let mut tx = begin(harness).await;
    for key in [
        key(Some(one), &text),
        key(Some(two), &text),
        key(None, &text),
        Key { operation: "other_operation", ..key(Some(one), &text) },
    ] {
        assert_eq!(tx.keys().claim(&key, now).await.unwrap(), Claim::Fresh);
        tx.keys().keep(&key, &reply(), now).await.unwrap();
    }
    tx.commit().await.unwrap();
}

async fn a_held_key_is_in_flight(harness: &impl Harness) {
    let given = fixtures(harness);
    let actor = given.person(Role::User).await.user;
    let (key, now) = (key(Some(actor), "held"), given.shop.now());
    let mut first = begin(harness).await;
    assert_eq!(first.keys().claim(&key, now).await.unwrap(), Claim::Fresh);
    let mut second = begin(harness).await;
    assert_eq!(second.keys().claim(&key, now).await.unwrap(), Claim::InFlight);
    drop(second);
    first.keys().keep(&key, &reply(), now).await.unwrap();
    first.commit().await.unwrap();
    assert_eq!(begin(harness).await.keys().claim(&key, now).await.unwrap(), Claim::Replay(reply()));
}
