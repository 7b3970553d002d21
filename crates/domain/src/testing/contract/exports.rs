//! Archives of what is kept of people.

use std::time::Duration;

use super::{Harness, begin, fixtures, page};
use crate::{
    id::{ExportId, UserId},
    identity::exports::{DataExport, Ready},
    permission::Role,
    testing::Fixtures,
};

const DAY: Duration = Duration::from_hours(24);

/// Runs the cases.
pub async fn run(harness: &impl Harness) {
    an_archive_reads_back_as_it_was_made(harness).await;
    those_of_a_person_are_listed_until_they_end(harness).await;
    what_ended_is_purged_with_its_chunks(harness).await;
}

async fn stored(harness: &impl Harness, given: &Fixtures, user: UserId) -> DataExport {
    let now = given.shop.now();
    let export =
        DataExport { id: given.shop.id::<ExportId>(), user, created_at: now, expires_at: now + DAY, ready: None };
    let mut tx = begin(harness).await;
    tx.exports().insert(&export).await.unwrap();
    tx.commit().await.unwrap();
    export
}

async fn made(harness: &impl Harness, export: &DataExport, chunks: &[&[u8]]) -> bool {
    let mut tx = begin(harness).await;
    let ready = Ready { at: export.created_at, bytes: 1 << 40, chunks: u32::try_from(chunks.len()).unwrap() };
    let first = tx.exports().make_ready(export.id, ready).await.unwrap();
    if first {
        for (n, chunk) in (0..).zip(chunks) {
            tx.exports().put_chunk(export.id, n, chunk).await.unwrap();
        }
    }
    tx.commit().await.unwrap();
    first
}

async fn an_archive_reads_back_as_it_was_made(harness: &impl Harness) {
    let given = fixtures(harness);
    let (ada, eve) = (given.person(Role::User).await.user, given.person(Role::User).await.user);
    let mut export = stored(harness, &given, ada).await;
    let now = given.shop.now();
    assert_eq!(harness.exports().get(ada, export.id, now).await.unwrap().as_ref(), Some(&export));
    assert_eq!(harness.exports().get(eve, export.id, now).await.unwrap(), None, "it is one person's");
    assert_eq!(harness.exports().chunk(export.id, 0).await.unwrap(), None);
    assert!(made(harness, &export, &[b"\0\xff'", b"end"]).await);
    assert!(!made(harness, &export, &[b"again"]).await, "it is made once");
    export.ready = Some(Ready { at: export.created_at, bytes: 1 << 40, chunks: 2 });
    assert_eq!(begin(harness).await.exports().find(export.id).await.unwrap().as_ref(), Some(&export));
    assert_eq!(harness.exports().chunk(export.id, 0).await.unwrap().as_deref(), Some(b"\0\xff'".as_slice()));
    assert_eq!(harness.exports().chunk(export.id, 1).await.unwrap().as_deref(), Some(b"end".as_slice()));
    assert_eq!(harness.exports().chunk(export.id, 2).await.unwrap(), None);
    let mut tx = begin(harness).await;
    tx.exports().delete(export.id).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(harness.exports().chunk(export.id, 0).await.unwrap(), None);
    assert_eq!(begin(harness).await.exports().find(export.id).await.unwrap(), None);
    assert!(!made(harness, &export, &[b"late"]).await, "what is gone is not made");
}

async fn those_of_a_person_are_listed_until_they_end(harness: &impl Harness) {
    let given = fixtures(harness);
    let (ada, eve) = (given.person(Role::User).await.user, given.person(Role::User).await.user);
    let mut all = Vec::new();
    for _ in 0..3 {
        all.push(stored(harness, &given, ada).await);
        given.clock.advance(Duration::from_secs(1));
    }
    stored(harness, &given, eve).await;
    assert_eq!(begin(harness).await.exports().of(ada).await.unwrap(), all);
    let now = given.shop.now();
    let listed = harness.exports().list(ada, now, page(1, 2)).await.unwrap();
    assert_eq!((listed.total, listed.items), (3, vec![all[2].clone(), all[1].clone()]));
    let ends = all[0].expires_at;
    assert_eq!(harness.exports().list(ada, ends, page(1, 2)).await.unwrap().total, 2, "one has ended");
    assert_eq!(harness.exports().get(ada, all[0].id, ends).await.unwrap(), None);
    assert!(harness.exports().get(ada, all[1].id, ends).await.unwrap().is_some());
}

async fn what_ended_is_purged_with_its_chunks(harness: &impl Harness) {
    let given = fixtures(harness);
    let ada = given.person(Role::User).await.user;
    let old = stored(harness, &given, ada).await;
    assert!(made(harness, &old, &[b"old"]).await);
    given.clock.advance(Duration::from_secs(1));
    let young = stored(harness, &given, ada).await;
    assert!(made(harness, &young, &[b"young"]).await);
    while harness.exports().purge(old.expires_at, 1).await.unwrap() == 1 {}
    assert_eq!(harness.exports().chunk(old.id, 0).await.unwrap(), None);
    assert_eq!(begin(harness).await.exports().of(ada).await.unwrap().len(), 1);
    assert_eq!(harness.exports().chunk(young.id, 0).await.unwrap().as_deref(), Some(b"young".as_slice()));
}
