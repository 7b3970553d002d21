//! What the epochs of a shared cache are held to, whoever keeps them.

use std::time::Duration;

use super::at_once;
use crate::cache::Epochs;

/// Runs the cases on two connections to the same epochs, which nobody else moves.
pub async fn run(one: &dyn Epochs, other: &dyn Epochs) {
    an_epoch_begins_once_for_all_who_saw_the_last(one, other).await;
    a_suspension_begins_an_epoch_and_is_never_shortened(one, other).await;
}

async fn an_epoch_begins_once_for_all_who_saw_the_last(one: &dyn Epochs, other: &dyn Epochs) {
    let before = one.standing().await.unwrap();
    assert_eq!(before.suspended, Duration::ZERO);
    one.begin(before.epoch, "first").await.unwrap();
    let after = other.standing().await.unwrap();
    assert!(after.epoch > before.epoch);
    assert_eq!(after.source, "first");
    // It saw what is over by now.
    other.begin(before.epoch, "second").await.unwrap();
    assert_eq!(one.standing().await.unwrap(), after);
    other.begin(after.epoch, "second").await.unwrap();
    let last = one.standing().await.unwrap();
    assert!(last.epoch > after.epoch);
    assert_eq!(last.source, "second");
    for done in at_once(vec![one.begin(last.epoch, "a"), other.begin(last.epoch, "b")]).await {
        done.unwrap();
    }
    let begun = one.standing().await.unwrap();
    assert!(begun.epoch > last.epoch && ["a", "b"].contains(&begun.source.as_str()), "{begun:?}");
    one.begin(last.epoch, "c").await.unwrap();
    assert_eq!(other.standing().await.unwrap(), begun, "one of those who saw the last");
}

async fn a_suspension_begins_an_epoch_and_is_never_shortened(one: &dyn Epochs, other: &dyn Epochs) {
    let before = one.standing().await.unwrap();
    one.suspend(Duration::from_mins(10)).await.unwrap();
    let suspended = other.standing().await.unwrap();
    assert!(suspended.epoch > before.epoch);
    assert_eq!(suspended.source, before.source);
    assert!((550..=600).contains(&suspended.suspended.as_secs()), "{suspended:?}");
    other.suspend(Duration::from_secs(1)).await.unwrap();
    let again = one.standing().await.unwrap();
    assert!(again.epoch > suspended.epoch);
    assert!((540..=600).contains(&again.suspended.as_secs()), "{again:?}");
    // A new epoch does not end it.
    one.begin(again.epoch, "third").await.unwrap();
    assert!(other.standing().await.unwrap().suspended > Duration::from_mins(9));
}
