//! Passkeys.

use std::time::Duration;

use super::{Harness, begin, fixtures, page};
use crate::{
    id::{PasskeyId, UserId},
    identity::Passkey,
    permission::Role,
    testing::Fixtures,
};

/// Runs the cases.
pub async fn run(harness: &impl Harness) {
    a_passkey_reads_back_as_it_was_stored_and_changed(harness).await;
    a_credential_is_one_persons(harness).await;
    the_passkeys_of_a_person_are_listed(harness).await;
}

fn passkey(given: &Fixtures, user: UserId) -> Passkey {
    let n = given.serial();
    Passkey {
        id: given.shop.id::<PasskeyId>(),
        user,
        name: format!("Zoë's \u{1F511} {n}"),
        credential: n.to_be_bytes().repeat(60),
        key: vec![0, 0xff, b'\''],
        created_at: given.shop.now(),
        last_used_at: None,
    }
}

async fn store(harness: &impl Harness, passkey: &Passkey) -> bool {
    let mut tx = begin(harness).await;
    let stored = tx.passkeys().insert(passkey).await.unwrap();
    tx.commit().await.unwrap();
    stored
}

async fn person(given: &Fixtures) -> UserId {
    given.person(Role::User).await.user
}

async fn a_passkey_reads_back_as_it_was_stored_and_changed(harness: &impl Harness) {
    let given = fixtures(harness);
    let mut kept = passkey(&given, person(&given).await);
    assert!(store(harness, &kept).await);
    assert_eq!(harness.passkeys().get(kept.user, kept.id).await.unwrap().as_ref(), Some(&kept));
    assert_eq!(harness.passkeys().get(person(&given).await, kept.id).await.unwrap(), None, "it is one person's");
    assert_eq!(harness.factors().ways(kept.user).await.unwrap().unwrap().passkeys, 1);
    given.clock.advance(Duration::from_secs(1));
    let now = given.shop.now();
    let mut tx = begin(harness).await;
    let passkeys = tx.passkeys();
    passkeys.used(kept.id, &[7], now).await.unwrap();
    passkeys.rename(kept.id, "Phone").await.unwrap();
    (kept.key, kept.last_used_at, kept.name) = (vec![7], Some(now), "Phone".to_owned());
    assert_eq!(passkeys.find(kept.id).await.unwrap().as_ref(), Some(&kept));
    assert_eq!(passkeys.by_credential(&kept.credential).await.unwrap().as_ref(), Some(&kept));
    assert_eq!(passkeys.by_credential(&kept.credential[..8]).await.unwrap(), None);
    assert_eq!(passkeys.find(given.shop.id()).await.unwrap(), None);
    passkeys.delete(kept.id).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(harness.passkeys().get(kept.user, kept.id).await.unwrap(), None);
}

async fn a_credential_is_one_persons(harness: &impl Harness) {
    let given = fixtures(harness);
    let (ada, bob) = (person(&given).await, person(&given).await);
    let hers = passkey(&given, ada);
    assert!(store(harness, &hers).await);
    let his = Passkey { credential: hers.credential.clone(), ..passkey(&given, bob) };
    let nobodys = passkey(&given, given.shop.id());
    let mut tx = begin(harness).await;
    assert!(!tx.passkeys().insert(&his).await.unwrap());
    assert!(!tx.passkeys().insert(&nobodys).await.unwrap());
    // No refusal spoils the transaction.
    assert_eq!(tx.passkeys().credentials(bob).await.unwrap(), Vec::<Vec<u8>>::new());
    assert_eq!(tx.passkeys().credentials(ada).await.unwrap(), [hers.credential]);
    tx.commit().await.unwrap();
}

async fn the_passkeys_of_a_person_are_listed(harness: &impl Harness) {
    let given = fixtures(harness);
    let (user, other) = (person(&given).await, person(&given).await);
    store(harness, &passkey(&given, other)).await;
    let mut kept = Vec::new();
    for _ in 0..3 {
        given.clock.advance(Duration::from_secs(1));
        let one = passkey(&given, user);
        assert!(store(harness, &one).await);
        kept.insert(0, one);
    }
    let listed = harness.passkeys().list(user, page(1, 2)).await.unwrap();
    assert_eq!((listed.total, listed.pages, listed.items.as_slice()), (3, 2, &kept[..2]));
    assert_eq!(harness.passkeys().list(user, page(2, 2)).await.unwrap().items, kept[2..]);
    let all: Vec<_> = kept.iter().rev().map(|one| one.credential.clone()).collect();
    assert_eq!(begin(harness).await.passkeys().credentials(user).await.unwrap(), all);
}
