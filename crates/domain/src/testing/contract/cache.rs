//! What every cache is held to, on one node and between two.

use std::{
    future::poll_fn,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    task::Poll,
    time::Duration,
};

use serde_json::json;
use uuid::Uuid;

use super::at_once;
use crate::{
    cache::{Cache, Entry, Key, Lead, Looked, Policy, Tag},
    clock::Timestamp,
    event::{Entity, Event},
    id::{EventId, ProductId},
    relay::Numbered,
};

/// Long enough for every case.
pub const LONG: Policy =
    Policy { fresh: Duration::from_mins(10), stale: Duration::from_mins(10), absent: Duration::from_mins(10) };

/// Runs the cases: what is made old on `here` is old on `there`. They may be the same node. The tags are used by
/// nobody else, and both nodes serve from what they keep.
pub async fn run(here: &Arc<dyn Cache>, there: &Arc<dyn Cache>) {
    an_entry_is_served_until_one_of_its_tags_is_old(here, there).await;
    what_was_read_before_a_write_is_never_kept_after_it(here, there).await;
    every_kind_of_entry_comes_back_as_it_was(here, there).await;
    of_many_who_miss_one_makes_it(here).await;
    who_gives_up_passes_the_duty_on(here).await;
    what_is_old_by_time_is_served_while_one_makes_it_anew(here).await;
    the_log_makes_old_only_what_nobody_did(here, there).await;
    very_large_entries_are_given_and_not_kept(here).await;
}

/// An answer of this text.
pub fn entry(text: &str) -> Arc<Entry> {
    Arc::new(Entry::Present { tag: "\"1\"".to_owned(), coding: None, body: text.as_bytes().into() })
}

/// A key that is new each time, of one product.
pub fn key(name: &str) -> Key {
    let number = next();
    let product = Tag::Product(ProductId(Uuid::from_u128(0xcace << 64 | u128::from(number))));
    Key::new(format!("{name}|{number}"), [product, Tag::Categories])
}

/// A number that no case had before.
fn next() -> u32 {
    static NEXT: AtomicU32 = AtomicU32::new(1);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

/// Looks, and wants the duty to make it.
pub async fn miss(cache: &dyn Cache, key: &Key) -> Lead {
    match cache.look(key, LONG).await {
        Looked::Miss(lead) => lead,
        other => panic!("not a miss: {other:?}"),
    }
}

/// Looks, and wants what is kept.
pub async fn hit(cache: &dyn Cache, key: &Key) -> Arc<Entry> {
    match cache.look(key, LONG).await {
        Looked::Hit(entry) => entry,
        other => panic!("not a hit: {other:?}"),
    }
}

async fn an_entry_is_served_until_one_of_its_tags_is_old(here: &Arc<dyn Cache>, there: &Arc<dyn Cache>) {
    let (key, other) = (key("served"), key("other"));
    for tag in &key.tags {
        miss(&**there, &key).await.fill(entry("one"));
        assert_eq!(hit(&**there, &key).await, entry("one"));
        here.invalidate(&other.tags[..1], &[]).await.unwrap();
        assert_eq!(hit(&**there, &key).await, entry("one"));
        here.invalidate(&[*tag], &[]).await.unwrap();
        miss(&**there, &key).await.fill(entry("two"));
        assert_eq!(hit(&**there, &key).await, entry("two"));
        there.invalidate(&key.tags, &[]).await.unwrap();
        drop(miss(&**here, &key).await);
    }
}

async fn what_was_read_before_a_write_is_never_kept_after_it(here: &Arc<dyn Cache>, there: &Arc<dyn Cache>) {
    let key = key("races");
    let before = miss(&**there, &key).await;
    here.invalidate(&key.tags, &[]).await.unwrap();
    // Who asks now does not wait for what was read before.
    let after = miss(&**there, &key).await;
    before.fill(entry("old"));
    after.fill(entry("new"));
    assert_eq!(hit(&**there, &key).await, entry("new"));
    // The other way round: the younger answer came first, and stays.
    here.invalidate(&key.tags, &[]).await.unwrap();
    let slow = miss(&**there, &key).await;
    here.invalidate(&key.tags, &[]).await.unwrap();
    miss(&**there, &key).await.fill(entry("newer"));
    slow.fill(entry("old"));
    assert_eq!(hit(&**there, &key).await, entry("newer"));
}

async fn every_kind_of_entry_comes_back_as_it_was(here: &Arc<dyn Cache>, there: &Arc<dyn Cache>) {
    let body: Arc<[u8]> = (0..=u8::MAX).cycle().take(100_000).collect::<Vec<_>>().into();
    let present = |coding, body: &Arc<[u8]>| Entry::Present { tag: "\"7-é\"".to_owned(), coding, body: body.clone() };
    let kinds = [
        Entry::Absent,
        present(None, &body),
        present(Some("gzip"), &body),
        present(Some("br"), &Arc::default()),
        Entry::Present { tag: String::new(), coding: None, body },
    ];
    for kind in kinds {
        let (key, kind) = (key("kinds"), Arc::new(kind));
        miss(&**here, &key).await.fill(Arc::clone(&kind));
        assert_eq!(hit(&**here, &key).await, kind);
        // Another node has it from a tier they share, soon, or makes it by itself.
        if let Looked::Hit(found) = there.look(&key, LONG).await {
            assert_eq!(found, kind);
        }
    }
}

async fn of_many_who_miss_one_makes_it(here: &Arc<dyn Cache>) {
    let (key, made) = (key("stampede"), AtomicU32::new(0));
    let look = async || match here.look(&key, LONG).await {
        Looked::Hit(given) => assert_eq!(given, entry("one")),
        Looked::Miss(lead) => {
            made.fetch_add(1, Ordering::SeqCst);
            // The others come while this is read.
            once_more().await;
            lead.fill(entry("one"));
        }
        other => panic!("{other:?}"),
    };
    let callers = (0..1_000).map(|_| -> Pin<Box<dyn Future<Output = ()> + Send>> { Box::pin(look()) });
    at_once(callers.collect()).await;
    assert_eq!(made.load(Ordering::SeqCst), 1);
}

async fn who_gives_up_passes_the_duty_on(here: &Arc<dyn Cache>) {
    let key = key("given up");
    let lead = miss(&**here, &key).await;
    let mut waiting = here.look(&key, LONG);
    let early = poll_fn(|context| Poll::Ready(waiting.as_mut().poll(context).is_ready())).await;
    assert!(!early, "somebody else makes it");
    drop(lead);
    let Looked::Miss(next) = waiting.await else { panic!("the duty was not passed on") };
    next.fill(entry("two"));
    assert_eq!(hit(&**here, &key).await, entry("two"));
}

/// Lets others go first.
async fn once_more() {
    let mut waited = false;
    poll_fn(|context| {
        context.waker().wake_by_ref();
        if std::mem::replace(&mut waited, true) { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
}

async fn what_is_old_by_time_is_served_while_one_makes_it_anew(here: &Arc<dyn Cache>) {
    let key = key("old by time");
    let old = Policy { fresh: Duration::ZERO, ..LONG };
    let Looked::Miss(lead) = here.look(&key, old).await else { panic!("not a miss") };
    lead.fill(entry("one"));
    let Looked::Stale(given, lead) = here.look(&key, old).await else { panic!("not stale") };
    assert_eq!(given, entry("one"));
    assert_eq!(hit(&**here, &key).await, entry("one"), "the others are served");
    // Old by time only: a write ends this at once.
    here.invalidate(&key.tags[..1], &[]).await.unwrap();
    drop(miss(&**here, &key).await);
    drop(lead);
}

async fn the_log_makes_old_only_what_nobody_did(here: &Arc<dyn Cache>, there: &Arc<dyn Cache>) {
    let key = key("log");
    let event = || {
        let id = Uuid::from_u128(0x106 << 64 | u128::from(next()));
        Event {
            id: EventId(id),
            kind: "category.updated".to_owned(),
            entity: Entity::new("category", id),
            actor: None,
            at: Timestamp::UNIX_EPOCH,
            payload: json!({ "categoryId": id }),
        }
    };
    let shown = |event: &Event| [Numbered { seq: u64::from(next()), event: event.clone() }];
    let (told, untold) = (event(), event());
    here.invalidate(&[Tag::Categories], &[told.id]).await.unwrap();
    // The log shows each event once to each node.
    let nodes = if Arc::ptr_eq(here, there) { vec![here] } else { vec![here, there] };
    for node in &nodes {
        if let Looked::Miss(lead) = node.look(&key, LONG).await {
            lead.fill(entry("one"));
        }
        hit(&***node, &key).await;
        node.follow(&shown(&told)).await;
    }
    for node in nodes {
        hit(&**node, &key).await;
    }
    // Made past the cache, or by who was killed right after.
    there.follow(&shown(&untold)).await;
    drop(miss(&**here, &key).await);
}

async fn very_large_entries_are_given_and_not_kept(here: &Arc<dyn Cache>) {
    let key = key("large");
    miss(&**here, &key).await.fill(entry(&"x".repeat(1024 * 1024)));
    drop(miss(&**here, &key).await);
}
