//! Uploads in portions.

use std::time::Duration;

use super::{Harness, begin, fixtures};
use crate::{
    actor::Principal,
    assets::{
        Digest, Edition, Kept, Place, Stored,
        ports::Reach,
        uploads::{Outcome, Part, Purpose, Resumable, UploadState, expire_uploads},
    },
    id::{ModelId, ProductId},
    testing::Fixtures,
};

/// Runs the cases.
pub async fn run(harness: &impl Harness) {
    an_upload_is_found_as_it_was_stored(harness).await;
    portions_come_back_in_order(harness).await;
    open_uploads_are_counted(harness).await;
    what_is_over_is_forgotten(harness).await;
}

fn upload(given: &Fixtures, by: &Principal, product: ProductId) -> Resumable {
    let now = given.shop.now();
    Resumable {
        id: given.shop.id(),
        by: by.user,
        seller: by.seller.unwrap(),
        purpose: Purpose::File {
            product,
            name: "Bauplan ü.stl".to_owned(),
            media_type: "model/stl".to_owned(),
            licence: Some("CC0".to_owned()),
            public: true,
        },
        length: 10,
        offset: 0,
        state: UploadState::Receiving,
        outcome: None,
        created_at: now,
        expires_at: now + Duration::from_hours(24),
    }
}

async fn stored(harness: &impl Harness, given: &Fixtures) -> Resumable {
    let ada = given.seller().await;
    let product = given.stored_product(ada.seller.unwrap(), |_| ()).await;
    let upload = upload(given, &ada, product.id);
    let mut tx = begin(harness).await;
    tx.uploads().insert(&upload).await.unwrap();
    for holder in upload.holders() {
        assert!(tx.usage().charge(holder, upload.length, 100).await.unwrap());
    }
    tx.commit().await.unwrap();
    upload
}

async fn found(harness: &impl Harness, upload: &Resumable) -> Option<Resumable> {
    let mut tx = begin(harness).await;
    let found = tx.uploads().find(upload.id).await.unwrap();
    tx.rollback().await.unwrap();
    found
}

async fn add(harness: &impl Harness, given: &Fixtures, upload: &Resumable, offset: u64, size: u64) -> Digest {
    let stored = Stored { digest: Digest::of(format!("{} {offset}", given.serial()).as_bytes()), size };
    let mut tx = begin(harness).await;
    let edition = tx.blobs().claim(&stored, Edition(offset), given.shop.now()).await.unwrap();
    let kept = Kept { place: Place { digest: stored.digest, edition }, size };
    tx.blobs().hold(&kept, Reach::Private).await.unwrap();
    tx.uploads().add_part(upload.id, &Part { offset, kept }).await.unwrap();
    tx.commit().await.unwrap();
    stored.digest
}

async fn an_upload_is_found_as_it_was_stored(harness: &impl Harness) {
    let given = fixtures(harness);
    let mut upload = stored(harness, &given).await;
    assert_eq!(found(harness, &upload).await.as_ref(), Some(&upload));
    upload.offset = 10;
    upload.state = UploadState::Done;
    upload.outcome = Some(Outcome::Made { id: given.shop.id::<ModelId>().0, version: Some(3) });
    upload.expires_at += Duration::from_secs(7);
    let mut tx = begin(harness).await;
    tx.uploads().update(&upload).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(found(harness, &upload).await.as_ref(), Some(&upload));
    assert_eq!(harness.uploads().get(upload.id).await.unwrap().as_ref(), Some(&upload));
    let mut tx = begin(harness).await;
    tx.uploads().delete(upload.id).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(found(harness, &upload).await, None);
}

async fn portions_come_back_in_order(harness: &impl Harness) {
    let given = fixtures(harness);
    let (one, other) = (stored(harness, &given).await, stored(harness, &given).await);
    let tail = add(harness, &given, &one, 7, 3).await;
    let head = add(harness, &given, &one, 0, 7).await;
    add(harness, &given, &other, 0, 1).await;
    assert_eq!(harness.uploads().parts(one.id).await.unwrap(), [(head, 7), (tail, 3)]);
    let mut tx = begin(harness).await;
    let mut sorted = [head, tail];
    sorted.sort_unstable();
    assert_eq!(tx.uploads().take_parts(one.id).await.unwrap(), sorted);
    tx.commit().await.unwrap();
    assert_eq!(harness.uploads().parts(one.id).await.unwrap(), []);
    assert_eq!(harness.uploads().parts(other.id).await.unwrap().len(), 1);
}

async fn open_uploads_are_counted(harness: &impl Harness) {
    let given = fixtures(harness);
    let mut upload = stored(harness, &given).await;
    for (state, open) in UploadState::ALL.into_iter().zip([1, 1, 0, 0]) {
        upload.state = state;
        let mut tx = begin(harness).await;
        tx.uploads().update(&upload).await.unwrap();
        assert_eq!(tx.uploads().open_of(upload.by).await.unwrap(), open, "{state:?}");
        tx.commit().await.unwrap();
        let finishing = harness.uploads().finishing(1000).await.unwrap();
        assert_eq!(finishing.contains(&upload.id), state == UploadState::Finishing);
    }
}

async fn what_is_over_is_forgotten(harness: &impl Harness) {
    let given = fixtures(harness);
    let upload = stored(harness, &given).await;
    let digest = add(harness, &given, &upload, 0, 4).await;
    expire_uploads(&given.shop).await.unwrap();
    assert!(found(harness, &upload).await.is_some());
    given.clock.advance(Duration::from_hours(24) + Duration::from_secs(1));
    assert!(expire_uploads(&given.shop).await.unwrap() >= 1);
    assert_eq!(found(harness, &upload).await, None);
    assert_eq!(harness.blobs().find(&digest).await.unwrap().unwrap().references, 0);
    for holder in upload.holders() {
        assert_eq!(harness.blobs().usage(holder).await.unwrap(), 0);
    }
    let kinds: Vec<_> = harness.events_of(upload.id.0).await.unwrap().into_iter().map(|event| event.kind).collect();
    assert_eq!(kinds, ["upload.deleted"]);
}
