//! What the cache promises.

use std::{
    collections::HashSet,
    sync::atomic::{AtomicU32, Ordering},
};

use domain::{cache::Entry, id::ProductId};
use uuid::Uuid;

use super::*;
use crate::SystemEntropy;

const MINUTE: Policy =
    Policy { fresh: Duration::from_mins(1), stale: Duration::from_mins(1), absent: Duration::from_secs(10) };

fn cache() -> LocalCache {
    LocalCache::new(500, Duration::from_mins(5), Arc::new(SystemEntropy))
}

fn key() -> Key {
    Key::new("lamps", [Tag::Products])
}

fn entry(text: &str) -> Arc<Entry> {
    Arc::new(Entry::Present { tag: "\"1\"".to_owned(), coding: None, body: text.as_bytes().into() })
}

async fn miss(cache: &LocalCache) -> Lead {
    match cache.look(&key(), MINUTE).await {
        Looked::Miss(lead) => lead,
        other => panic!("not a miss: {other:?}"),
    }
}

async fn hit(cache: &LocalCache) -> Arc<Entry> {
    match cache.look(&key(), MINUTE).await {
        Looked::Hit(entry) => entry,
        other => panic!("not a hit: {other:?}"),
    }
}

#[tokio::test]
async fn keeps_the_contract() {
    let cache: Arc<dyn Cache> = Arc::new(cache());
    domain::testing::contract::cache::run(&cache, &cache).await;
}

#[tokio::test]
async fn an_entry_is_served_until_one_of_its_tags_is_old() {
    let cache = cache();
    miss(&cache).await.fill(entry("one"));
    assert_eq!(hit(&cache).await, entry("one"));
    let other = Tag::Product(ProductId(Uuid::from_u128(7)));
    cache.invalidate(&[Tag::Categories, other], &[]).await.unwrap();
    assert_eq!(hit(&cache).await, entry("one"));
    cache.invalidate(&[Tag::Products], &[]).await.unwrap();
    miss(&cache).await.fill(entry("two"));
    assert_eq!(hit(&cache).await, entry("two"));
}

#[tokio::test]
async fn what_was_read_before_a_write_is_never_kept_after_it() {
    let cache = cache();
    let before = miss(&cache).await;
    cache.invalidate(&[Tag::Products], &[]).await.unwrap();
    // Who asks now does not wait for what was read before.
    let after = miss(&cache).await;
    before.fill(entry("old"));
    let Step::Wait(_) = cache.look_at(&key(), MINUTE, Instant::now()) else {
        panic!("the old answer is not given to who asks after the write")
    };
    after.fill(entry("new"));
    assert_eq!(hit(&cache).await, entry("new"));
    // The other way round: the younger answer came first, and stays.
    cache.invalidate(&[Tag::Products], &[]).await.unwrap();
    let slow = miss(&cache).await;
    cache.invalidate(&[Tag::Products], &[]).await.unwrap();
    miss(&cache).await.fill(entry("newer"));
    slow.fill(entry("old"));
    assert_eq!(hit(&cache).await, entry("newer"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_a_thousand_who_miss_one_makes_it() {
    let (cache, made) = (cache(), Arc::new(AtomicU32::new(0)));
    let mut callers = tokio::task::JoinSet::new();
    for _ in 0..1_000 {
        let (cache, made) = (cache.clone(), Arc::clone(&made));
        callers.spawn(async move {
            match cache.look(&key(), MINUTE).await {
                Looked::Hit(given) => assert_eq!(given, entry("one")),
                Looked::Miss(lead) => {
                    made.fetch_add(1, Ordering::SeqCst);
                    tokio::task::yield_now().await;
                    lead.fill(entry("one"));
                }
                other => panic!("{other:?}"),
            }
        });
    }
    while let Some(ended) = callers.join_next().await {
        ended.unwrap();
    }
    assert_eq!(made.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn who_gives_up_passes_the_duty_on() {
    let cache = cache();
    let lead = miss(&cache).await;
    let mut waiting = tokio::task::JoinSet::new();
    waiting.spawn({
        let cache = cache.clone();
        async move { cache.look(&key(), MINUTE).await }
    });
    tokio::task::yield_now().await;
    drop(lead);
    let Looked::Miss(next) = waiting.join_next().await.unwrap().unwrap() else { panic!("the duty was not passed on") };
    next.fill(entry("two"));
    assert_eq!(hit(&cache).await, entry("two"));
}

#[tokio::test]
async fn who_waited_in_vain_for_several_asks_the_source() {
    let cache = cache();
    let mut lead = miss(&cache).await;
    let mut waiting = tokio::task::JoinSet::new();
    waiting.spawn({
        let cache = cache.clone();
        async move { cache.look(&key(), MINUTE).await }
    });
    for _ in 0..=WAITS {
        tokio::task::yield_now().await;
        drop(lead);
        // Taken before the one who waits can: they wait again.
        lead = miss(&cache).await;
    }
    assert!(matches!(waiting.join_next().await.unwrap().unwrap(), Looked::Bypass));
    drop(lead);
}

#[tokio::test]
async fn an_old_entry_is_served_while_one_caller_makes_it_anew() {
    let cache = cache();
    miss(&cache).await.fill(entry("one"));
    let later = Instant::now() + Duration::from_secs(61);
    let Step::Done(Looked::Stale(given, lead)) = cache.look_at(&key(), MINUTE, later) else { panic!("not stale") };
    assert_eq!(given, entry("one"));
    let Step::Done(Looked::Hit(given)) = cache.look_at(&key(), MINUTE, later) else { panic!("the others are served") };
    assert_eq!(given, entry("one"));
    // Old by time only: a write ends this at once.
    cache.invalidate(&[Tag::Products], &[]).await.unwrap();
    let Step::Done(Looked::Miss(_)) = cache.look_at(&key(), MINUTE, later) else { panic!("not a miss") };
    drop(lead);
    let much_later = later + Duration::from_mins(1);
    assert!(matches!(cache.look_at(&key(), MINUTE, much_later), Step::Done(Looked::Miss(_))));
}

#[tokio::test]
async fn absence_is_kept_for_a_while_of_its_own_and_lives_differ_a_little() {
    let cache = cache();
    miss(&cache).await.fill(Arc::new(Entry::Absent));
    assert_eq!(*hit(&cache).await, Entry::Absent);
    let later = Instant::now() + Duration::from_secs(11);
    assert!(matches!(cache.look_at(&key(), MINUTE, later), Step::Done(Looked::Stale(..))));
    let lives: HashSet<Duration> = (0..100).map(|_| cache.0.memory.shortened(Duration::from_mins(1))).collect();
    assert!(lives.len() > 10 && lives.iter().all(|life| (54..=60).contains(&life.as_secs())), "{lives:?}");
}

#[tokio::test]
async fn the_log_makes_old_only_what_this_process_did_not() {
    use domain::{
        clock::Timestamp,
        event::{Entity, Event},
    };
    let cache = cache();
    let id = Uuid::from_u128(7);
    let event = Event {
        id: EventId(id),
        kind: "category.updated".to_owned(),
        entity: Entity::new("category", id),
        actor: None,
        at: Timestamp::UNIX_EPOCH,
        payload: serde_json::json!({ "categoryId": id }),
    };
    let shown = [Numbered { seq: 1, event: event.clone() }];
    let key = Key::new("tree", [Tag::Categories]);
    let kept = async |text: &str| match cache.look(&key, MINUTE).await {
        Looked::Miss(lead) => {
            lead.fill(entry(text));
            false
        }
        Looked::Hit(_) => true,
        other => panic!("{other:?}"),
    };
    cache.invalidate(&[Tag::Categories], &[event.id]).await.unwrap();
    assert!(!kept("one").await);
    cache.follow(&shown).await;
    assert!(kept("").await, "its own change is not made old twice");
    cache.follow(&shown).await;
    assert!(!kept("two").await, "the change of another process is made old");
}

#[tokio::test]
async fn what_is_very_large_is_given_and_not_kept() {
    let cache = cache();
    miss(&cache).await.fill(entry(&"x".repeat(memory::BODY_MOST + 1)));
    drop(miss(&cache).await);
}
