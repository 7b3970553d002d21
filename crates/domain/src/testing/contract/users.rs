//! People.

use std::time::Duration;

use super::{Harness, begin, fixtures};
use crate::{
    identity::{Email, NO_PASSWORD, User, purge_guests},
    permission::{Role, Roles},
};

/// Runs the cases.
pub async fn run(harness: &impl Harness) {
    a_person_is_found_again(harness).await;
    an_address_is_taken_once(harness).await;
    a_person_is_found_by_the_whole_address(harness).await;
    roles_and_hash_change(harness).await;
    a_role_is_taken_back(harness).await;
    an_address_changes_unless_it_is_taken(harness).await;
    a_name_changes(harness).await;
    who_has_a_password_is_known(harness).await;
    the_hash_of_the_next_address_stands_in(harness).await;
    guests_are_found_by_when_they_came(harness).await;
    a_due_guest_ends_and_nobody_else(harness).await;
    nobody_is_nobody(harness).await;
}

async fn a_person_is_found_again(harness: &impl Harness) {
    let given = fixtures(harness);
    let mut user = given.user(Role::User);
    user.name = "Zoë \u{1F98A} O'Neill; DROP TABLE users".to_owned();
    let mut tx = begin(harness).await;
    assert!(tx.users().insert(&user, "plain$secret").await.unwrap());
    tx.commit().await.unwrap();
    assert_eq!(begin(harness).await.users().find(user.id).await.unwrap().as_ref(), Some(&user));

    let account = harness.users().account(&user.email).await.unwrap().unwrap();
    assert_eq!((&account.user, account.seller, account.password_hash.as_str()), (&user, None, "plain$secret"));
    let principal = harness.users().principal(user.id).await.unwrap().unwrap();
    assert_eq!((principal.user, &principal.roles, principal.seller), (user.id, &user.roles, None));
    let profile = harness.users().profile(user.id).await.unwrap().unwrap();
    assert_eq!((profile.user, profile.seller), (user, None));
}

async fn an_address_is_taken_once(harness: &impl Harness) {
    let given = fixtures(harness);
    let first = given.user(Role::User);
    let mut second = given.user(Role::User);
    second.email = first.email.clone();
    let mut tx = begin(harness).await;
    assert!(tx.users().insert(&first, "plain$x").await.unwrap());
    assert!(!tx.users().insert(&second, "plain$y").await.unwrap());
    tx.commit().await.unwrap();
    let account = harness.users().account(&first.email).await.unwrap().unwrap();
    assert_eq!((account.user.id, account.password_hash.as_str()), (first.id, "plain$x"));
}

async fn the_hash_of_the_next_address_stands_in(harness: &impl Harness) {
    let given = fixtures(harness);
    let mut tx = begin(harness).await;
    for (name, hash) in [("-b-", "plain$b"), ("-b-a", "plain$ba"), ("-é", "plain$e")] {
        let email = Email::parse(&format!("{name}@{}.example", given.user(Role::User).id.0)).unwrap();
        assert!(tx.users().insert(&User { email, ..given.user(Role::User) }, hash).await.unwrap());
    }
    tx.commit().await.unwrap();
    // In the order of bytes, whatever the collation.
    for (from, hash) in [("", Some("plain$b")), ("-b-a", Some("plain$ba")), ("-b-b", Some("plain$e"))] {
        assert_eq!(harness.users().hash_from(from).await.unwrap().as_deref(), hash, "{from}");
    }
    let beyond = harness.users().hash_from("\u{10FFFF}").await.unwrap();
    assert_eq!(beyond, harness.users().hash_from("").await.unwrap(), "the first one of all");
}

async fn a_person_is_found_by_the_whole_address(harness: &impl Harness) {
    let given = fixtures(harness);
    let (one, two) = (given.user(Role::User), given.user(Role::Admin));
    let mut tx = begin(harness).await;
    for user in [&one, &two] {
        assert!(tx.users().insert(user, "plain$x").await.unwrap());
        assert_eq!(tx.users().by_email(&user.email).await.unwrap(), Some(user.id), "before the commit too");
    }
    tx.commit().await.unwrap();
    let mut tx = begin(harness).await;
    assert_eq!(tx.users().by_email(&two.email).await.unwrap(), Some(two.id));
    let address = one.email.as_str();
    let others = [address.to_uppercase(), format!("x{address}"), format!("{address}x"), address.replace("person", "%")];
    for other in others {
        assert_eq!(tx.users().by_email(&Email::stored(other.clone())).await.unwrap(), None, "{other}");
    }
}

async fn a_name_changes(harness: &impl Harness) {
    let given = fixtures(harness);
    let (user, other) = (given.person(Role::User).await.user, given.person(Role::User).await.user);
    given.clock.advance(Duration::from_secs(1));
    let now = given.shop.now();
    let mut tx = begin(harness).await;
    tx.users().set_name(user, "Zoë \u{1F98A}", now).await.unwrap();
    tx.commit().await.unwrap();
    let stored = begin(harness).await.users().find(user).await.unwrap().unwrap();
    assert_eq!((stored.name.as_str(), stored.updated_at), ("Zoë \u{1F98A}", now));
    assert_ne!(begin(harness).await.users().find(other).await.unwrap().unwrap().name, stored.name);
}

async fn who_has_a_password_is_known(harness: &impl Harness) {
    let given = fixtures(harness);
    let (with, without) = (given.person(Role::User).await.user, given.user(Role::User));
    let mut tx = begin(harness).await;
    assert!(tx.users().insert(&without, NO_PASSWORD).await.unwrap());
    assert!(tx.users().has_password(with).await.unwrap());
    assert!(!tx.users().has_password(without.id).await.unwrap());
    assert!(!tx.users().has_password(given.shop.id()).await.unwrap());
    tx.users().set_password_hash(without.id, "plain$x", given.shop.now()).await.unwrap();
    assert!(tx.users().has_password(without.id).await.unwrap());
}

async fn guests_are_found_by_when_they_came(harness: &impl Harness) {
    let given = fixtures(harness);
    let mut guests = Vec::new();
    // Long before everybody that other cases made.
    let began = crate::clock::Timestamp::UNIX_EPOCH;
    for (n, roles) in [(1, Role::Guest), (2, Role::User), (3, Role::Guest), (4, Role::Guest)] {
        let at = began + Duration::from_secs(n);
        let user = User { roles: Roles::new([roles]), created_at: at, updated_at: at, ..given.user(Role::User) };
        let mut tx = begin(harness).await;
        assert!(tx.users().insert(&user, NO_PASSWORD).await.unwrap());
        tx.commit().await.unwrap();
        guests.push(user.id);
    }
    let before =
        async |seconds, limit| harness.guests().came_before(began + Duration::from_secs(seconds), limit).await.unwrap();
    assert_eq!(before(1, 10).await, []);
    assert_eq!(before(4, 10).await, [guests[0], guests[2]], "neither who is no guest, nor who came at the moment");
    assert_eq!(before(5, 2).await, [guests[0], guests[2]], "the oldest first");
    let may = harness.users().principal(guests[0]).await.unwrap().unwrap().permissions;
    assert_eq!(may.names().collect::<Vec<_>>(), ["account:own"]);
    // A user from now on.
    let mut tx = begin(harness).await;
    tx.users().revoke(guests[0], Role::Guest, given.shop.now()).await.unwrap();
    tx.users().grant(guests[0], Role::User, given.shop.now()).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(before(5, 10).await, [guests[2], guests[3]]);
}

async fn a_due_guest_ends_and_nobody_else(harness: &impl Harness) {
    let given = fixtures(harness);
    // Long before everybody else, and not at the moments of the case above.
    let began = crate::clock::Timestamp::UNIX_EPOCH - Duration::from_secs(100);
    let mut made = Vec::new();
    for (n, roles) in [(1, Role::Guest), (2, Role::User), (3, Role::Guest), (4, Role::Guest)] {
        let at = began + Duration::from_secs(n);
        let name = format!("Passer-by {n}");
        let user = User { name, roles: Roles::new([roles]), created_at: at, updated_at: at, ..given.user(Role::User) };
        let mut tx = begin(harness).await;
        assert!(tx.users().insert(&user, NO_PASSWORD).await.unwrap());
        tx.commit().await.unwrap();
        given.stored_session(user.id).await;
        made.push(user);
    }
    let life = (given.shop.now() - (began + Duration::from_secs(4))).to_std().unwrap();
    for gone in [2, 0] {
        assert_eq!(purge_guests(&given.shop, &*harness.guests(), life).await.unwrap(), gone);
    }
    for (user, ends) in made.iter().zip([true, false, true, false]) {
        assert_eq!(harness.users().principal(user.id).await.unwrap().is_none(), ends, "{}", user.name);
        assert_eq!(harness.users().account(&user.email).await.unwrap().is_none(), ends, "{}", user.name);
        let told = harness.events_of(user.id.0).await.unwrap();
        assert_eq!(told.iter().any(|event| event.kind == "user.deleted"), ends, "{}", user.name);
        if ends {
            let left = begin(harness).await.users().find(user.id).await.unwrap();
            assert!(left.is_none_or(|left| left.name != user.name && left.email != user.email));
        }
    }
}

async fn roles_and_hash_change(harness: &impl Harness) {
    let given = fixtures(harness);
    let user = given.person(Role::User).await.user;
    given.clock.advance(Duration::from_secs(1));
    let now = given.shop.now();
    let mut tx = begin(harness).await;
    tx.users().grant(user, Role::Seller, now).await.unwrap();
    tx.users().grant(user, Role::Seller, now).await.unwrap();
    tx.users().set_password_hash(user, "plain$new", now).await.unwrap();
    tx.commit().await.unwrap();
    let profile = harness.users().profile(user).await.unwrap().unwrap();
    assert_eq!(profile.user.roles.iter().collect::<Vec<_>>(), [Role::User, Role::Seller]);
    assert_eq!(profile.user.updated_at, now);
    let account = harness.users().account(&profile.user.email).await.unwrap().unwrap();
    assert_eq!(account.password_hash, "plain$new");
}

async fn a_role_is_taken_back(harness: &impl Harness) {
    let given = fixtures(harness);
    let (user, other) = (given.person(Role::Admin).await.user, given.person(Role::Admin).await.user);
    given.clock.advance(Duration::from_secs(1));
    let now = given.shop.now();
    let mut tx = begin(harness).await;
    for _ in 0..2 {
        tx.users().revoke(user, Role::Admin, now).await.unwrap();
    }
    tx.users().revoke(user, Role::Seller, now).await.unwrap();
    tx.commit().await.unwrap();
    let stored = begin(harness).await.users().find(user).await.unwrap().unwrap();
    assert_eq!((stored.roles.iter().collect::<Vec<_>>(), stored.updated_at), (vec![Role::User], now));
    assert!(!harness.users().principal(user).await.unwrap().unwrap().is_admin());
    assert!(harness.users().principal(other).await.unwrap().unwrap().is_admin());
    let mut tx = begin(harness).await;
    tx.users().grant(user, Role::Admin, now).await.unwrap();
    tx.commit().await.unwrap();
    assert!(harness.users().principal(user).await.unwrap().unwrap().is_admin());
}

async fn an_address_changes_unless_it_is_taken(harness: &impl Harness) {
    let given = fixtures(harness);
    let (mut user, other) = (given.user(Role::User), given.user(Role::User));
    user.email_verified_at = Some(user.created_at);
    let mut tx = begin(harness).await;
    for one in [&user, &other] {
        assert!(tx.users().insert(one, "plain$x").await.unwrap());
    }
    tx.commit().await.unwrap();
    assert_eq!(begin(harness).await.users().find(user.id).await.unwrap().as_ref(), Some(&user));
    given.clock.advance(Duration::from_secs(1));
    let now = given.shop.now();
    let new = Email::stored(format!("new{}@example.com", given.serial()));
    let mut tx = begin(harness).await;
    assert!(!tx.users().set_email(user.id, &other.email, Some(now), now).await.unwrap());
    assert!(tx.users().set_email(user.id, &new, None, now).await.unwrap(), "a refusal does not spoil the transaction");
    assert!(
        tx.users().set_email(other.id, &other.email, Some(now), now).await.unwrap(),
        "to keep one's own is no conflict"
    );
    tx.commit().await.unwrap();
    let account = harness.users().own_account(user.id).await.unwrap().unwrap();
    assert_eq!((&account.user.email, account.user.email_verified_at, account.user.updated_at), (&new, None, now));
    assert_eq!(harness.users().account(&user.email).await.unwrap(), None);
    let account = harness.users().account(&other.email).await.unwrap().unwrap();
    assert_eq!((account.user.id, account.user.email_verified_at), (other.id, Some(now)));
}

async fn nobody_is_nobody(harness: &impl Harness) {
    let id = fixtures(harness).shop.id();
    assert_eq!(begin(harness).await.users().find(id).await.unwrap(), None);
    assert_eq!(harness.users().principal(id).await.unwrap(), None);
    assert_eq!(harness.users().profile(id).await.unwrap(), None);
    assert_eq!(harness.users().own_account(id).await.unwrap(), None);
    let nowhere = Email::stored("nobody@nowhere.example".to_owned());
    assert_eq!(harness.users().account(&nowhere).await.unwrap(), None);
}
