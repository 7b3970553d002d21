//! Second factors, and sign-ins that wait for one.

use std::{pin::Pin, time::Duration};

use super::{Harness, at_once, begin, fixtures};
use crate::{
    id::UserId,
    identity::{
        Method, Methods,
        factors::{StoredChallenge, StoredTotp, ports::Ways},
    },
    permission::Role,
    testing::Fixtures,
};

/// Runs the cases.
pub async fn run(harness: &impl Harness) {
    an_app_is_kept_and_is_not_replaced_once_it_is_confirmed(harness).await;
    a_step_is_used_once(harness).await;
    a_step_used_at_once_is_used_once(harness).await;
    recovery_codes_are_good_once(harness).await;
    a_challenge_is_guessed_at_so_often_and_taken_once(harness).await;
    a_challenge_ends_with_its_time_its_password_and_its_person(harness).await;
    a_ceremony_is_spent_once(harness).await;
}

fn digest(given: &Fixtures) -> [u8; 32] {
    let mut digest = [0; 32];
    digest[..8].copy_from_slice(&given.serial().to_be_bytes());
    digest
}

async fn person(given: &Fixtures) -> UserId {
    given.person(Role::User).await.user
}

fn app(given: &Fixtures, user: UserId) -> StoredTotp {
    let sealed = given.serial().to_be_bytes().to_vec();
    StoredTotp { user, sealed, confirmed_at: None, last_step: 0, created_at: given.shop.now() }
}

fn challenge(given: &Fixtures, user: UserId) -> StoredChallenge {
    let expires_at = given.shop.now() + Duration::from_mins(5);
    StoredChallenge { digest: digest(given), user, methods: Methods::of(Method::Password), expires_at }
}

async fn put(harness: &impl Harness, challenge: &StoredChallenge, verified: Option<&str>) -> bool {
    let now = fixtures(harness).shop.now();
    let mut tx = begin(harness).await;
    let kept = tx.challenges().put(challenge, verified, now).await.unwrap();
    tx.commit().await.unwrap();
    kept
}

async fn an_app_is_kept_and_is_not_replaced_once_it_is_confirmed(harness: &impl Harness) {
    let given = fixtures(harness);
    let (user, other) = (person(&given).await, person(&given).await);
    let (first, mut second, now) = (app(&given, user), app(&given, user), given.shop.now());
    let mut tx = begin(harness).await;
    let factors = tx.factors();
    assert_eq!(factors.totp(user).await.unwrap(), None);
    assert!(factors.put_totp(&first).await.unwrap());
    assert!(factors.put_totp(&second).await.unwrap(), "it was not confirmed");
    assert_eq!(factors.totp(user).await.unwrap().as_ref(), Some(&second));
    tx.commit().await.unwrap();
    let none = Ways { password: true, ..Ways::default() };
    assert_eq!(harness.factors().ways(user).await.unwrap(), Some(none));
    let mut tx = begin(harness).await;
    let factors = tx.factors();
    factors.confirm_totp(user, now).await.unwrap();
    assert!(!factors.put_totp(&first).await.unwrap());
    second.confirmed_at = Some(now);
    assert_eq!(factors.totp(user).await.unwrap().as_ref(), Some(&second));
    factors.put_recovery(user, &[digest(&given), digest(&given)]).await.unwrap();
    tx.commit().await.unwrap();
    let with = Ways { totp: Some(now), recovery_codes: 2, ..none };
    assert_eq!(harness.factors().ways(user).await.unwrap(), Some(with));
    assert_eq!(harness.factors().ways(other).await.unwrap(), Some(none));
    assert_eq!(harness.factors().ways(given.shop.id()).await.unwrap(), None);
    let mut tx = begin(harness).await;
    assert!(tx.factors().remove_totp(user).await.unwrap());
    assert!(!tx.factors().remove_totp(user).await.unwrap());
    tx.commit().await.unwrap();
    assert_eq!(harness.factors().ways(user).await.unwrap(), Some(none), "the recovery codes went with it");
}

async fn a_step_is_used_once(harness: &impl Harness) {
    let given = fixtures(harness);
    let user = person(&given).await;
    let mut tx = begin(harness).await;
    let factors = tx.factors();
    assert!(!factors.use_step(user, 7).await.unwrap(), "there is none");
    factors.put_totp(&app(&given, user)).await.unwrap();
    for (step, used) in [(60_000_000, true), (60_000_000, false), (59_999_999, false), (60_000_001, true)] {
        assert_eq!(factors.use_step(user, step).await.unwrap(), used, "{step}");
    }
    assert_eq!(factors.totp(user).await.unwrap().unwrap().last_step, 60_000_001);
    tx.commit().await.unwrap();
}

async fn a_step_used_at_once_is_used_once(harness: &impl Harness) {
    if !harness.has_parallel_writers() {
        return;
    }
    let given = fixtures(harness);
    let user = person(&given).await;
    let mut tx = begin(harness).await;
    tx.factors().put_totp(&app(&given, user)).await.unwrap();
    tx.commit().await.unwrap();
    let using = || async move {
        let mut tx = begin(harness).await;
        // In memory the second of two that overlap is told to run again.
        tx.factors().use_step(user, 9).await.is_ok_and(|used| used) && tx.commit().await.is_ok()
    };
    let mut all: Vec<Pin<Box<dyn Future<Output = bool> + Send + '_>>> = Vec::new();
    for _ in 0..6 {
        all.push(Box::pin(using()));
    }
    assert_eq!(at_once(all).await.into_iter().filter(|used| *used).count(), 1);
}

async fn recovery_codes_are_good_once(harness: &impl Harness) {
    let given = fixtures(harness);
    let (user, other) = (person(&given).await, person(&given).await);
    let [one, two, three] = [(); 3].map(|()| digest(&given));
    let mut tx = begin(harness).await;
    let factors = tx.factors();
    factors.put_recovery(user, &[one, two]).await.unwrap();
    assert!(!factors.take_recovery(other, &one).await.unwrap(), "they are one person's");
    assert!(factors.take_recovery(user, &one).await.unwrap());
    assert!(!factors.take_recovery(user, &one).await.unwrap());
    factors.put_recovery(user, &[three]).await.unwrap();
    assert!(!factors.take_recovery(user, &two).await.unwrap(), "it is an older one");
    assert!(factors.take_recovery(user, &three).await.unwrap());
    tx.commit().await.unwrap();
}

async fn a_challenge_is_guessed_at_so_often_and_taken_once(harness: &impl Harness) {
    let given = fixtures(harness);
    let (kept, now) = (challenge(&given, person(&given).await), given.shop.now());
    assert!(put(harness, &kept, Some("plain$correct horse")).await);
    for n in 0..4 {
        let mut tx = begin(harness).await;
        let guessed = tx.challenges().guess(&kept.digest, 3, now).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(guessed, (n < 3).then(|| kept.clone()), "guess {n}");
    }
    let mut tx = begin(harness).await;
    assert_eq!(tx.challenges().guess(&digest(&given), 3, now).await.unwrap(), None);
    assert!(!tx.challenges().take(&digest(&given), now).await.unwrap());
    assert!(tx.challenges().take(&kept.digest, now).await.unwrap());
    tx.rollback().await.unwrap();
    // Taking it is part of the transaction.
    let mut tx = begin(harness).await;
    assert!(tx.challenges().take(&kept.digest, now).await.unwrap());
    assert!(!tx.challenges().take(&kept.digest, now).await.unwrap());
    tx.commit().await.unwrap();
}

async fn a_challenge_ends_with_its_time_its_password_and_its_person(harness: &impl Harness) {
    let given = fixtures(harness);
    let (user, other) = (person(&given).await, person(&given).await);
    assert!(!put(harness, &challenge(&given, user), Some("plain$other")).await, "the password is another");
    assert!(!put(harness, &challenge(&given, given.shop.id()), None).await, "nobody");
    let (mine, more, theirs) = (challenge(&given, user), challenge(&given, user), challenge(&given, other));
    for one in [&mine, &more, &theirs] {
        assert!(put(harness, one, None).await);
    }
    let now = given.shop.now();
    let mut tx = begin(harness).await;
    tx.challenges().clear(user).await.unwrap();
    for (one, there) in [(&mine, false), (&more, false), (&theirs, true)] {
        assert_eq!(tx.challenges().guess(&one.digest, 5, now).await.unwrap().is_some(), there);
    }
    let late = theirs.expires_at;
    assert_eq!(tx.challenges().guess(&theirs.digest, 5, late).await.unwrap(), None);
    assert!(!tx.challenges().take(&theirs.digest, late).await.unwrap());
    tx.commit().await.unwrap();
}

async fn a_ceremony_is_spent_once(harness: &impl Harness) {
    let given = fixtures(harness);
    let (one, two, now) = (digest(&given), digest(&given), given.shop.now());
    let until = now + Duration::from_mins(5);
    let mut tx = begin(harness).await;
    assert!(tx.challenges().spend(&one, until, now).await.unwrap());
    assert!(!tx.challenges().spend(&one, until, now).await.unwrap());
    assert!(tx.challenges().spend(&two, until, now).await.unwrap(), "a refusal spoils nothing");
    tx.commit().await.unwrap();
    let mut tx = begin(harness).await;
    assert!(!tx.challenges().spend(&one, until, until - Duration::from_secs(1)).await.unwrap());
    // What has ended is forgotten; nobody asks for it any more.
    assert!(tx.challenges().spend(&one, until, until).await.unwrap());
    tx.rollback().await.unwrap();
}
