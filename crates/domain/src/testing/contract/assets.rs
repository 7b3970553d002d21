//! Who holds bytes, and how much is kept for whom.

use std::time::Duration;

use super::{Harness, at_once, begin, fixtures};
use crate::{
    Error,
    assets::{
        Digest, Edition, Holder, Kept, Place, Stored,
        ports::{Held, Reach},
    },
    clock::Timestamp,
    permission::Role,
    testing::Fixtures,
};

/// Runs the cases.
pub async fn run(harness: &impl Harness) {
    bytes_are_known_from_their_claim_on(harness).await;
    each_holder_counts(harness).await;
    what_nobody_held_is_not_let_go(harness).await;
    what_nobody_holds_goes_when_it_is_old(harness).await;
    an_edition_that_went_is_not_held(harness).await;
    of_holding_and_taking_out_one_comes_first(harness).await;
    bytes_are_walked_by_digest(harness).await;
    usage_is_counted_up_to_its_end(harness).await;
    usage_counts_each_of_many_at_once(harness).await;
}

/// Bytes nobody else has.
fn some(given: &Fixtures) -> Stored {
    let text = format!("bytes {} {}", given.serial(), given.shop.now());
    Stored { digest: Digest::of(text.as_bytes()), size: 1 << 40 }
}

async fn claimed(harness: &impl Harness, stored: &Stored, fresh: u64, at: Timestamp) -> Kept {
    let mut tx = begin(harness).await;
    let edition = tx.blobs().claim(stored, Edition(fresh), at).await.unwrap();
    tx.commit().await.unwrap();
    Kept { place: Place { digest: stored.digest, edition }, size: stored.size }
}

async fn held(harness: &impl Harness, kept: &Kept, reach: Reach) -> Result<(), Error> {
    let mut tx = begin(harness).await;
    tx.blobs().hold(kept, reach).await?;
    tx.commit().await
}

async fn let_go(harness: &impl Harness, kept: &Kept, reach: Reach, at: Timestamp) {
    let mut tx = begin(harness).await;
    tx.blobs().release(&kept.digest(), reach, at).await.unwrap();
    tx.commit().await.unwrap();
}

/// Takes out all that is old by then; the cases share one store, so others' may be among it.
async fn taken_out(harness: &impl Harness, before: Timestamp) -> Vec<Place> {
    let mut all = Vec::new();
    loop {
        let gone = harness.blobs().condemn(before, 2).await.unwrap();
        if gone.is_empty() {
            return all;
        }
        all.extend(gone);
    }
}

async fn bytes_are_known_from_their_claim_on(harness: &impl Harness) {
    let given = fixtures(harness);
    let (stored, now) = (some(&given), given.shop.now());
    assert_eq!(harness.blobs().find(&stored.digest).await.unwrap(), None);
    let kept = claimed(harness, &stored, u64::MAX, now).await;
    assert_eq!(kept.place.edition, Edition(u64::MAX));
    let later = now + Duration::from_secs(1);
    let again = claimed(harness, &stored, 2, later).await;
    assert_eq!(again, kept, "the first edition counts");
    let expected = Held { place: kept.place, size: 1 << 40, references: 0, public: 0, touched_at: later };
    assert_eq!(harness.blobs().find(&stored.digest).await.unwrap(), Some(expected));
    let other = Place { edition: Edition(2), ..kept.place };
    assert_eq!(harness.blobs().known(&[other, kept.place]).await.unwrap(), [kept.place]);
    assert!(harness.blobs().known(&[]).await.unwrap().is_empty());
}

async fn each_holder_counts(harness: &impl Harness) {
    let given = fixtures(harness);
    let (stored, now) = (some(&given), given.shop.now());
    let kept = claimed(harness, &stored, 1, now).await;
    let mut tx = begin(harness).await;
    assert!(!tx.blobs().share(&stored.digest, Reach::Public).await.unwrap(), "nobody holds it");
    tx.blobs().hold(&kept, Reach::Private).await.unwrap();
    assert!(tx.blobs().share(&stored.digest, Reach::Public).await.unwrap());
    tx.commit().await.unwrap();
    let found = harness.blobs().find(&stored.digest).await.unwrap().unwrap();
    assert_eq!((found.references, found.public), (2, 1));
    let mut tx = begin(harness).await;
    tx.blobs().release(&stored.digest, Reach::Public, now).await.unwrap();
    tx.rollback().await.unwrap();
    assert_eq!(harness.blobs().find(&stored.digest).await.unwrap(), Some(found), "undone with its transaction");
    let later = now + Duration::from_secs(5);
    let_go(harness, &kept, Reach::Public, later).await;
    let found = harness.blobs().find(&stored.digest).await.unwrap().unwrap();
    assert_eq!((found.references, found.public, found.touched_at), (1, 0, later));
}

async fn what_nobody_held_is_not_let_go(harness: &impl Harness) {
    let given = fixtures(harness);
    let (stored, now) = (some(&given), given.shop.now());
    let kept = claimed(harness, &stored, 1, now).await;
    for (hold, release) in
        [(None, Reach::Private), (Some(Reach::Private), Reach::Public), (Some(Reach::Public), Reach::Private)]
    {
        let mut tx = begin(harness).await;
        if let Some(reach) = hold {
            tx.blobs().hold(&kept, reach).await.unwrap();
        }
        let refused = tx.blobs().release(&stored.digest, release, now).await;
        assert!(matches!(refused, Err(Error::Internal(_))), "{refused:?}");
        tx.rollback().await.unwrap();
    }
}

async fn what_nobody_holds_goes_when_it_is_old(harness: &impl Harness) {
    let given = fixtures(harness);
    let now = given.shop.now();
    let (idle, used, again) = (some(&given), some(&given), some(&given));
    let idle = claimed(harness, &idle, 1, now).await;
    let used = claimed(harness, &used, 1, now).await;
    held(harness, &used, Reach::Private).await.unwrap();
    let again = claimed(harness, &Stored { digest: again.digest, size: 3 }, 1, now).await;
    let later = now + Duration::from_secs(10);
    claimed(harness, &Stored { digest: again.digest(), size: 3 }, 2, later).await;
    assert!(!taken_out(harness, now).await.contains(&idle.place), "it is not older than that");
    let gone = taken_out(harness, now + Duration::from_secs(1)).await;
    assert!(gone.contains(&idle.place) && !gone.contains(&used.place) && !gone.contains(&again.place), "{gone:?}");
    assert_eq!(harness.blobs().find(&idle.digest()).await.unwrap(), None);
    let_go(harness, &used, Reach::Private, later).await;
    let gone = taken_out(harness, later + Duration::from_secs(1)).await;
    assert!(gone.contains(&used.place) && gone.contains(&again.place), "{gone:?}");
}

async fn an_edition_that_went_is_not_held(harness: &impl Harness) {
    let given = fixtures(harness);
    let (stored, now) = (some(&given), given.shop.now());
    let late = claimed(harness, &stored, 1, now).await;
    assert!(taken_out(harness, now + Duration::from_secs(1)).await.contains(&late.place));
    assert!(matches!(held(harness, &late, Reach::Public).await, Err(Error::Unavailable { .. })));
    let anew = claimed(harness, &stored, 2, now).await;
    assert_ne!(anew, late);
    assert!(matches!(held(harness, &late, Reach::Public).await, Err(Error::Unavailable { .. })), "those are others");
    held(harness, &anew, Reach::Public).await.unwrap();
}

async fn of_holding_and_taking_out_one_comes_first(harness: &impl Harness) {
    let given = fixtures(harness);
    for round in 0..20 {
        let (stored, now) = (some(&given), given.shop.now());
        let kept = claimed(harness, &stored, round, now).await;
        let before = now + Duration::from_secs(1);
        let holds = async { held(harness, &kept, Reach::Private).await.is_ok() };
        let takes = async { taken_out(harness, before).await.contains(&kept.place) };
        let ended = at_once(vec![Box::pin(holds), Box::pin(takes)]).await;
        assert_eq!(ended.iter().filter(|done| **done).count(), 1, "held or taken out, never both");
        let found = harness.blobs().find(&stored.digest).await.unwrap();
        assert!(found.is_none_or(|held| held.references == 1));
    }
}

async fn bytes_are_walked_by_digest(harness: &impl Harness) {
    let given = fixtures(harness);
    let now = given.shop.now();
    let mut mine = Vec::new();
    for _ in 0..5 {
        mine.push(claimed(harness, &some(&given), 1, now).await.digest());
    }
    mine.sort();
    let (mut walked, mut after) = (Vec::new(), None);
    loop {
        let some = harness.blobs().list(after.as_ref(), 2).await.unwrap();
        assert!(some.len() <= 2);
        let Some(last) = some.last() else { break };
        after = Some(last.place.digest);
        walked.extend(some.into_iter().map(|held| held.place.digest));
    }
    assert!(walked.is_sorted());
    walked.retain(|digest| mine.contains(digest));
    assert_eq!(walked, mine);
}

async fn usage_is_counted_up_to_its_end(harness: &impl Harness) {
    let given = fixtures(harness);
    let owner = given.seller().await;
    let seller = owner.sellers.sole().unwrap();
    for holder in [Holder::Person(owner.user), Holder::Seller(seller)] {
        assert_eq!(harness.blobs().usage(holder).await.unwrap(), 0);
        let mut tx = begin(harness).await;
        assert!(!tx.usage().charge(holder, 11, 10).await.unwrap(), "the first may be too much");
        assert!(tx.usage().charge(holder, 4, 10).await.unwrap());
        assert!(!tx.usage().charge(holder, 7, 10).await.unwrap());
        assert!(tx.usage().charge(holder, 6, 10).await.unwrap());
        assert!(tx.usage().charge(holder, 0, 10).await.unwrap());
        tx.usage().refund(holder, 3).await.unwrap();
        assert!(matches!(tx.usage().refund(holder, 8).await, Err(Error::Internal(_))));
        tx.rollback().await.unwrap();
        let mut tx = begin(harness).await;
        assert!(tx.usage().charge(holder, 1 << 50, 1 << 50).await.unwrap());
        tx.usage().refund(holder, (1 << 50) - 7).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(harness.blobs().usage(holder).await.unwrap(), 7);
    }
}

async fn usage_counts_each_of_many_at_once(harness: &impl Harness) {
    let given = fixtures(harness);
    let holder = Holder::Person(given.person(Role::User).await.user);
    let one = || async {
        given
            .shop
            .write("charge", |mut tx| async move {
                let charged = tx.usage().charge(holder, 10, 35).await?;
                tx.commit(charged).await
            })
            .await
            .is_ok_and(|charged| charged)
    };
    let ended =
        at_once((0..4).map(|_| -> std::pin::Pin<Box<dyn Future<Output = bool> + Send>> { Box::pin(one()) }).collect())
            .await;
    assert_eq!(ended.iter().filter(|charged| **charged).count(), 3);
    assert_eq!(harness.blobs().usage(holder).await.unwrap(), 30);
}
