//! The keys that sign tokens.

use std::time::Duration;

use super::{Harness, begin, fixtures};
use crate::identity::ports::SealedKey;

/// Runs the cases.
pub async fn run(harness: &impl Harness) {
    keys_stand_in_the_order_in_which_they_sign(harness).await;
}

async fn keys_stand_in_the_order_in_which_they_sign(harness: &impl Harness) {
    let given = fixtures(harness);
    let now = given.shop.now();
    let key = |kid: &str, minutes| SealedKey {
        kid: format!("{kid}-{}", given.serial()),
        sealed: kid.as_bytes().to_vec(),
        created_at: now,
        signs_from: now + Duration::from_mins(minutes),
    };
    let (late, early) = (key("late", 9), key("early", 3));
    let mut tx = begin(harness).await;
    for key in [&late, &early] {
        assert!(tx.signing_keys().add(key).await.unwrap());
    }
    assert!(!tx.signing_keys().add(&SealedKey { sealed: vec![1], ..late.clone() }).await.unwrap());
    tx.commit().await.unwrap();
    let mut tx = begin(harness).await;
    assert_eq!(tx.signing_keys().keys().await.unwrap(), [early.clone(), late.clone()]);
    tx.signing_keys().remove(&early.kid).await.unwrap();
    tx.signing_keys().remove("none").await.unwrap();
    assert_eq!(tx.signing_keys().keys().await.unwrap(), [late]);
    tx.commit().await.unwrap();
}
