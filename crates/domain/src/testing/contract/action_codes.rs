//! Codes that are good once, and where people signed in from.

use std::{pin::Pin, time::Duration};

use super::{Harness, at_once, begin, fixtures};
use crate::{
    id::UserId,
    identity::{ActionCode, Email, Purpose, ports::PLACE_KEPT},
    permission::Role,
    testing::Fixtures,
};

/// Runs the cases.
pub async fn run(harness: &impl Harness) {
    a_code_is_good_once(harness).await;
    a_new_code_ends_the_older_one_of_its_purpose(harness).await;
    a_code_ends(harness).await;
    guesses_are_counted(harness).await;
    guesses_at_once_are_all_counted(harness).await;
    all_codes_of_a_person_are_taken_out(harness).await;
    a_place_is_known_for_a_while(harness).await;
}

fn code(given: &Fixtures, user: UserId, purpose: Purpose) -> ActionCode {
    let mut digest = [0; 32];
    digest[..8].copy_from_slice(&given.serial().to_be_bytes());
    let email = Email::stored(format!("code{}@example.com", given.serial()));
    ActionCode { user, purpose, email, digest, expires_at: given.shop.now() + purpose.life() }
}

async fn put(harness: &impl Harness, code: &ActionCode) {
    let now = fixtures(harness).shop.now();
    let mut tx = begin(harness).await;
    tx.codes().put(code, now).await.unwrap();
    tx.commit().await.unwrap();
}

async fn take(harness: &impl Harness, code: &ActionCode) -> Option<ActionCode> {
    let now = fixtures(harness).shop.now();
    let mut tx = begin(harness).await;
    let taken = tx.codes().take(code.purpose, &code.digest, now).await.unwrap();
    tx.commit().await.unwrap();
    taken
}

async fn a_code_is_good_once(harness: &impl Harness) {
    let given = fixtures(harness);
    let kept = code(&given, given.person(Role::User).await.user, Purpose::ResetPassword);
    put(harness, &kept).await;
    let now = given.shop.now();
    let mut tx = begin(harness).await;
    assert_eq!(tx.codes().find(kept.user, kept.purpose, now).await.unwrap().as_ref(), Some(&kept));
    for purpose in [Purpose::VerifyEmail, Purpose::ChangeEmail, Purpose::SignIn] {
        assert_eq!(tx.codes().take(purpose, &kept.digest, now).await.unwrap(), None, "it is for one purpose");
    }
    tx.rollback().await.unwrap();
    // Taking it is part of the transaction.
    let mut tx = begin(harness).await;
    assert_eq!(tx.codes().take(kept.purpose, &kept.digest, now).await.unwrap().as_ref(), Some(&kept));
    tx.rollback().await.unwrap();
    assert_eq!(take(harness, &kept).await.as_ref(), Some(&kept));
    assert_eq!(take(harness, &kept).await, None);
}

async fn a_new_code_ends_the_older_one_of_its_purpose(harness: &impl Harness) {
    let given = fixtures(harness);
    let user = given.person(Role::User).await.user;
    let [older, newer] = [(); 2].map(|()| code(&given, user, Purpose::VerifyEmail));
    let other = code(&given, user, Purpose::ResetPassword);
    for one in [&older, &other, &newer] {
        put(harness, one).await;
    }
    assert_eq!(take(harness, &older).await, None);
    assert_eq!(take(harness, &newer).await, Some(newer));
    assert_eq!(take(harness, &other).await, Some(other));
}

async fn a_code_ends(harness: &impl Harness) {
    let given = fixtures(harness);
    let user = given.person(Role::User).await.user;
    let kept = code(&given, user, Purpose::SignIn);
    put(harness, &kept).await;
    given.clock.advance(kept.purpose.life());
    let now = given.shop.now();
    let mut tx = begin(harness).await;
    assert_eq!(tx.codes().find(user, kept.purpose, now).await.unwrap(), None);
    assert_eq!(tx.codes().guess(user, kept.purpose, 5, now).await.unwrap(), None);
    tx.rollback().await.unwrap();
    assert_eq!(take(harness, &kept).await, None);
    // What has ended is forgotten when the next is kept.
    put(harness, &code(&given, given.person(Role::User).await.user, Purpose::SignIn)).await;
    let mut tx = begin(harness).await;
    assert_eq!(tx.codes().find(user, kept.purpose, now - Duration::from_secs(1)).await.unwrap(), None);
}

async fn guesses_are_counted(harness: &impl Harness) {
    let given = fixtures(harness);
    let user = given.person(Role::User).await.user;
    let now = given.shop.now();
    for _ in 0..2 {
        let kept = code(&given, user, Purpose::SignIn);
        put(harness, &kept).await;
        for n in 0..4 {
            let mut tx = begin(harness).await;
            let guessed = tx.codes().guess(user, Purpose::SignIn, 3, now).await.unwrap();
            tx.commit().await.unwrap();
            assert_eq!(guessed, (n < 3).then(|| kept.clone()), "guess {n}");
        }
        // A new code has its own guesses.
    }
}

async fn guesses_at_once_are_all_counted(harness: &impl Harness) {
    if !harness.has_parallel_writers() {
        return;
    }
    let given = fixtures(harness);
    let user = given.person(Role::User).await.user;
    let now = given.shop.now();
    put(harness, &code(&given, user, Purpose::SignIn)).await;
    let guess = || async move {
        let mut tx = begin(harness).await;
        let guessed = tx.codes().guess(user, Purpose::SignIn, 3, now).await;
        // In memory the second of two that overlap is told to run again, and counted then.
        guessed.is_ok_and(|guessed| guessed.is_some()) && tx.commit().await.is_ok()
    };
    let mut guesses: Vec<Pin<Box<dyn Future<Output = bool> + Send + '_>>> = Vec::new();
    for _ in 0..6 {
        guesses.push(Box::pin(guess()));
    }
    let said = at_once(guesses).await;
    assert!(said.iter().filter(|guessed| **guessed).count() <= 3, "{said:?}");
    assert!(said.contains(&true));
}

async fn all_codes_of_a_person_are_taken_out(harness: &impl Harness) {
    let given = fixtures(harness);
    let (user, other) = (given.person(Role::User).await.user, given.person(Role::User).await.user);
    let (mine, theirs) = (code(&given, user, Purpose::ChangeEmail), code(&given, other, Purpose::ChangeEmail));
    put(harness, &mine).await;
    put(harness, &theirs).await;
    let mut tx = begin(harness).await;
    tx.codes().clear(user).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(take(harness, &mine).await, None);
    assert_eq!(take(harness, &theirs).await, Some(theirs));
}

async fn a_place_is_known_for_a_while(harness: &impl Harness) {
    let given = fixtures(harness);
    let (user, other) = (given.person(Role::User).await.user, given.person(Role::User).await.user);
    let (places, now) = (harness.places(), given.shop.now());
    assert_eq!(places.seen(user, &[1; 32]).await.unwrap(), None);
    places.note(user, &[1; 32], now).await.unwrap();
    assert_eq!(places.seen(user, &[1; 32]).await.unwrap(), Some(now));
    assert_eq!(places.seen(user, &[2; 32]).await.unwrap(), None);
    assert_eq!(places.seen(other, &[1; 32]).await.unwrap(), None);
    let later = now + PLACE_KEPT;
    places.note(user, &[2; 32], later).await.unwrap();
    assert_eq!(places.seen(user, &[1; 32]).await.unwrap(), None, "it was forgotten");
    places.note(user, &[2; 32], later + Duration::from_secs(1)).await.unwrap();
    assert_eq!(places.seen(user, &[2; 32]).await.unwrap(), Some(later + Duration::from_secs(1)));
    let nobody = given.shop.id();
    places.note(nobody, &[3; 32], now).await.unwrap();
    assert_eq!(places.seen(nobody, &[3; 32]).await.unwrap(), None);
}
