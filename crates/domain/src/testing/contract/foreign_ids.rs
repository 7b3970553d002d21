//! Who is who elsewhere, and sign-ins that are under way there.

use std::{pin::Pin, time::Duration};

use super::{Harness, at_once, begin, fixtures};
use crate::{
    id::UserId,
    identity::{
        Email, ForeignId,
        outside::{Link, ports::Standing},
    },
    permission::Role,
    testing::Fixtures,
};

/// Runs the cases.
pub async fn run(harness: &impl Harness) {
    a_link_reads_back(harness).await;
    an_identity_is_one_persons_and_a_person_has_one_of_each_provider(harness).await;
    a_refused_link_does_not_end_the_transaction(harness).await;
    what_is_unlinked_may_be_linked_anew(harness).await;
    of_two_who_unlink_at_once_one_sees_what_the_other_did(harness).await;
    the_address_elsewhere_may_change(harness).await;
    what_was_told_of_somebody_is_kept(harness).await;
    of_several_who_hold_somebody_one_goes_first(harness).await;
    a_step_is_taken_once(harness).await;
    a_step_ends(harness).await;
    of_several_who_take_a_step_at_once_one_gets_it(harness).await;
}

fn link(given: &Fixtures, user: UserId, provider: &str) -> Link {
    let n = given.serial();
    let id = ForeignId { issuer: format!("https://{provider}.example"), subject: format!("Subject-{n}") };
    let email = Some(Email::stored(format!("there{n}@example.com")));
    Link { id, provider: provider.to_owned(), user, email, linked_at: given.shop.now() }
}

async fn insert(harness: &impl Harness, link: &Link) -> bool {
    let mut tx = begin(harness).await;
    let stored = tx.foreign_ids().insert(link).await.unwrap();
    tx.commit().await.unwrap();
    stored
}

async fn a_link_reads_back(harness: &impl Harness) {
    let given = fixtures(harness);
    let user = given.person(Role::User).await.user;
    let queries = harness.foreign_ids();
    let first = link(&given, user, "google");
    assert_eq!(queries.user_of(&first.id).await.unwrap(), None);
    assert!(insert(harness, &first).await);
    given.clock.advance(Duration::from_secs(1));
    let second = Link { email: None, ..link(&given, user, "apple") };
    assert!(insert(harness, &second).await);
    assert_eq!(queries.user_of(&first.id).await.unwrap(), Some(user));
    assert_eq!(queries.of(user).await.unwrap(), [first.clone(), second.clone()]);
    let other_case = ForeignId { subject: first.id.subject.to_lowercase(), ..first.id.clone() };
    assert_eq!(queries.user_of(&other_case).await.unwrap(), None, "a subject is compared as it is");
    let mut tx = begin(harness).await;
    assert_eq!(tx.foreign_ids().user_of(&second.id).await.unwrap(), Some(user));
    assert_eq!(tx.foreign_ids().of(user).await.unwrap(), [first, second]);
    let nobody = given.shop.id();
    assert_eq!(tx.foreign_ids().of(nobody).await.unwrap(), []);
}

async fn an_identity_is_one_persons_and_a_person_has_one_of_each_provider(harness: &impl Harness) {
    let given = fixtures(harness);
    let (ada, bob) = (given.person(Role::User).await.user, given.person(Role::User).await.user);
    let hers = link(&given, ada, "google");
    assert!(insert(harness, &hers).await);
    assert!(!insert(harness, &hers).await, "a second time");
    assert!(!insert(harness, &Link { user: bob, ..hers.clone() }).await, "for somebody else");
    assert!(!insert(harness, &Link { provider: "other".to_owned(), ..hers.clone() }).await, "by another name");
    assert!(!insert(harness, &link(&given, ada, "google")).await, "another one of that provider");
    assert!(insert(harness, &link(&given, bob, "google")).await);
    assert!(insert(harness, &link(&given, ada, "github")).await);
    assert_eq!(harness.foreign_ids().user_of(&hers.id).await.unwrap(), Some(ada));
}

async fn a_refused_link_does_not_end_the_transaction(harness: &impl Harness) {
    let given = fixtures(harness);
    let user = given.person(Role::User).await.user;
    let (first, second) = (link(&given, user, "google"), link(&given, user, "gitlab"));
    let mut tx = begin(harness).await;
    assert!(tx.foreign_ids().insert(&first).await.unwrap());
    assert!(!tx.foreign_ids().insert(&first).await.unwrap());
    assert!(tx.foreign_ids().insert(&second).await.unwrap());
    tx.commit().await.unwrap();
    assert_eq!(harness.foreign_ids().of(user).await.unwrap().len(), 2);
}

async fn what_is_unlinked_may_be_linked_anew(harness: &impl Harness) {
    let given = fixtures(harness);
    let (ada, bob) = (given.person(Role::User).await.user, given.person(Role::User).await.user);
    let (hers, kept) = (link(&given, ada, "google"), link(&given, ada, "apple"));
    let his = link(&given, bob, "google");
    for one in [&hers, &kept, &his] {
        assert!(insert(harness, one).await);
    }
    let mut tx = begin(harness).await;
    tx.foreign_ids().remove(ada, "google").await.unwrap();
    tx.foreign_ids().remove(ada, "discord").await.unwrap();
    tx.commit().await.unwrap();
    let queries = harness.foreign_ids();
    assert_eq!(queries.of(ada).await.unwrap(), [kept]);
    assert_eq!(queries.of(bob).await.unwrap().len(), 1, "his is left alone");
    assert_eq!(queries.user_of(&hers.id).await.unwrap(), None);
    assert!(!insert(harness, &Link { user: bob, ..hers.clone() }).await, "he has one");
    assert!(insert(harness, &hers).await);
}

async fn of_two_who_unlink_at_once_one_sees_what_the_other_did(harness: &impl Harness) {
    if !harness.has_parallel_writers() {
        return;
    }
    let given = fixtures(harness);
    let user = given.person(Role::User).await.user;
    for provider in ["google", "apple"] {
        assert!(insert(harness, &link(&given, user, provider)).await);
    }
    let unlink = |provider: &'static str| async move {
        let mut tx = begin(harness).await;
        let Ok(links) = tx.foreign_ids().of(user).await else { return false };
        if links.len() < 2 || tx.foreign_ids().remove(user, provider).await.is_err() {
            return false;
        }
        // In memory the second of two that overlap is told to run again.
        tx.commit().await.is_ok()
    };
    let both: Vec<Pin<Box<dyn Future<Output = bool> + Send + '_>>> =
        vec![Box::pin(unlink("google")), Box::pin(unlink("apple"))];
    let done = at_once(both).await;
    assert_eq!(done.iter().filter(|done| **done).count(), 1, "{done:?}");
    assert_eq!(harness.foreign_ids().of(user).await.unwrap().len(), 1);
}

async fn the_address_elsewhere_may_change(harness: &impl Harness) {
    let given = fixtures(harness);
    let user = given.person(Role::User).await.user;
    let (one, other) = (link(&given, user, "google"), link(&given, user, "apple"));
    for link in [&one, &other] {
        assert!(insert(harness, link).await);
    }
    let email = Email::stored("elsewhere@example.com".to_owned());
    let mut tx = begin(harness).await;
    tx.foreign_ids().set_email(&one.id, &email).await.unwrap();
    tx.foreign_ids().set_email(&ForeignId { issuer: "nobody".to_owned(), ..one.id.clone() }, &email).await.unwrap();
    tx.commit().await.unwrap();
    let found = harness.foreign_ids().of(user).await.unwrap();
    let emails: Vec<_> = found.into_iter().map(|link| (link.provider, link.email)).collect();
    assert_eq!(emails, [("apple".to_owned(), other.email), ("google".to_owned(), Some(email))]);
}

fn foreign(given: &Fixtures) -> ForeignId {
    ForeignId { issuer: "https://clerk.example".to_owned(), subject: format!("user_{}", given.serial()) }
}

async fn what_was_told_of_somebody_is_kept(harness: &impl Harness) {
    let given = fixtures(harness);
    let (one, other) = (foreign(&given), foreign(&given));
    let told = Standing { told_at: Some(given.shop.now()), barred: true, gone: false };
    let gone = Standing { gone: true, ..Standing::default() };
    let mut tx = begin(harness).await;
    assert_eq!(tx.standings().hold(&one).await.unwrap(), Standing::default());
    tx.standings().set(&one, &told).await.unwrap();
    assert_eq!(tx.standings().hold(&one).await.unwrap(), told);
    tx.commit().await.unwrap();
    let mut tx = begin(harness).await;
    assert_eq!(tx.standings().hold(&one).await.unwrap(), told);
    assert_eq!(tx.standings().hold(&other).await.unwrap(), Standing::default());
    tx.standings().set(&one, &gone).await.unwrap();
    tx.rollback().await.unwrap();
    let mut tx = begin(harness).await;
    assert_eq!(tx.standings().hold(&one).await.unwrap(), told);
    tx.standings().set(&one, &gone).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(begin(harness).await.standings().hold(&one).await.unwrap(), gone);
}

async fn of_several_who_hold_somebody_one_goes_first(harness: &impl Harness) {
    if !harness.has_parallel_writers() {
        return;
    }
    let given = fixtures(harness);
    let (one, now) = (foreign(&given), given.shop.now());
    let hold = || {
        let one = one.clone();
        async move {
            let mut tx = begin(harness).await;
            let Ok(standing) = tx.standings().hold(&one).await else { return false };
            let first = standing.told_at.is_none();
            if tx.standings().set(&one, &Standing { told_at: Some(now), ..standing }).await.is_err() {
                return false;
            }
            // In memory the second of two that overlap is told to run again.
            tx.commit().await.is_ok() && first
        }
    };
    let mut holders: Vec<Pin<Box<dyn Future<Output = bool> + Send + '_>>> = Vec::new();
    for _ in 0..4 {
        holders.push(Box::pin(hold()));
    }
    let first = at_once(holders).await;
    assert_eq!(first.iter().filter(|first| **first).count(), 1, "{first:?}");
}

fn digest(given: &Fixtures) -> [u8; 32] {
    let mut digest = [7; 32];
    digest[..8].copy_from_slice(&given.serial().to_be_bytes());
    digest
}

async fn put(harness: &impl Harness, digest: &[u8; 32], sealed: &[u8]) {
    let now = fixtures(harness).shop.now();
    let mut tx = begin(harness).await;
    tx.sign_in_steps().put(digest, sealed, now + Duration::from_mins(1), now).await.unwrap();
    tx.commit().await.unwrap();
}

async fn take(harness: &impl Harness, digest: &[u8; 32]) -> Option<Vec<u8>> {
    let now = fixtures(harness).shop.now();
    let mut tx = begin(harness).await;
    let taken = tx.sign_in_steps().take(digest, now).await.unwrap();
    tx.commit().await.unwrap();
    taken
}

async fn a_step_is_taken_once(harness: &impl Harness) {
    let given = fixtures(harness);
    let [one, other] = [(); 2].map(|()| digest(&given));
    put(harness, &one, b"sealed").await;
    assert_eq!(take(harness, &other).await, None);
    // Taking it is part of the transaction.
    let mut tx = begin(harness).await;
    assert!(tx.sign_in_steps().take(&one, given.shop.now()).await.unwrap().is_some());
    tx.rollback().await.unwrap();
    assert_eq!(take(harness, &one).await.as_deref(), Some(&b"sealed"[..]));
    assert_eq!(take(harness, &one).await, None);
}

async fn a_step_ends(harness: &impl Harness) {
    let given = fixtures(harness);
    let one = digest(&given);
    put(harness, &one, b"sealed").await;
    given.clock.advance(Duration::from_mins(1));
    assert_eq!(take(harness, &one).await, None);
    // What has ended is forgotten when the next is kept.
    put(harness, &digest(&given), b"next").await;
    let mut tx = begin(harness).await;
    let before = given.shop.now() - Duration::from_secs(1);
    assert_eq!(tx.sign_in_steps().take(&one, before).await.unwrap(), None);
}

async fn of_several_who_take_a_step_at_once_one_gets_it(harness: &impl Harness) {
    if !harness.has_parallel_writers() {
        return;
    }
    let given = fixtures(harness);
    let (one, now) = (digest(&given), given.shop.now());
    put(harness, &one, b"sealed").await;
    let take = || async move {
        let mut tx = begin(harness).await;
        let taken = tx.sign_in_steps().take(&one, now).await;
        taken.is_ok_and(|taken| taken.is_some()) && tx.commit().await.is_ok()
    };
    let mut takers: Vec<Pin<Box<dyn Future<Output = bool> + Send + '_>>> = Vec::new();
    for _ in 0..6 {
        takers.push(Box::pin(take()));
    }
    let taken = at_once(takers).await;
    assert_eq!(taken.iter().filter(|taken| **taken).count(), 1, "{taken:?}");
}
