//! The cache of two nodes over one Redis, which is stopped, emptied, frozen and started again.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use domain::{
    cache::{Cache, Epochs, Key, Looked, Tag},
    clock::Timestamp,
    event::{Entity, Event},
    id::EventId,
    relay::Numbered,
    testing::{
        MemoryEpochs,
        contract::cache::{self as contract, LONG, entry, hit, key, miss},
    },
};
use e2e::{Corner, RedisServer};
use serde_json::json;
use souk_platform::{RedisCache, RedisSettings, SystemClock, SystemEntropy};
use tokio::task::JoinSet;

use crate::node::{Node, node_with, settings, waited};

/// A node with its cache.
struct Caching {
    node: Node,
    cache: Arc<dyn Cache>,
}

/// A node that serves from the cache.
async fn caching(corner: &Corner, epochs: &Arc<MemoryEpochs>) -> Caching {
    let caching = starting(settings(corner), epochs);
    begins(&caching).await;
    serves(&caching).await;
    caching
}

fn starting(settings: RedisSettings, epochs: &Arc<MemoryEpochs>) -> Caching {
    let mut node = node_with(settings);
    let epochs: Arc<dyn Epochs> = Arc::<MemoryEpochs>::clone(epochs);
    let room = (500, Duration::from_mins(5));
    let cache = RedisCache::new(node.redis.clone(), epochs, room, Arc::new(SystemClock), Arc::new(SystemEntropy));
    let kept = cache.clone();
    node.running.spawn(async move { kept.keep().await });
    Caching { node, cache: Arc::new(cache) }
}

/// What the feed of a node does when it starts, with a log of nothing.
async fn begins(caching: &Caching) {
    assert_eq!(caching.cache.resume(0).await, 0);
    caching.cache.resumed().await;
}

/// Waits until a node serves from the cache.
async fn serves(caching: &Caching) {
    let until = Instant::now() + Duration::from_secs(20);
    while matches!(caching.cache.look(&key("serves"), LONG).await, Looked::Bypass) {
        assert!(Instant::now() < until, "it does not serve");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Two nodes that serve, over a server of their own.
async fn two(server: &RedisServer) -> (Caching, Caching, Arc<MemoryEpochs>) {
    let epochs = Arc::default();
    let (one, two) = (caching(&server.corner(), &epochs).await, caching(&server.corner(), &epochs).await);
    serves(&one).await;
    (one, two, epochs)
}

/// What a node gives for a key whose present value is `now`, and for what it has to ask the source.
async fn read(cache: &dyn Cache, key: &Key, now: &str) -> Arc<domain::cache::Entry> {
    match cache.look(key, LONG).await {
        Looked::Hit(found) => found,
        Looked::Miss(lead) => {
            lead.fill(entry(now));
            entry(now)
        }
        Looked::Stale(..) => panic!("nothing is old by time"),
        Looked::Bypass => entry(now),
    }
}

#[tokio::test]
async fn keeps_the_contract_on_one_node_and_between_two() {
    let epochs = Arc::default();
    let corner = Corner::shared();
    let (one, two) = (caching(&corner, &epochs).await, caching(&corner, &epochs).await);
    serves(&one).await;
    contract::run(&one.cache, &one.cache).await;
    contract::run(&one.cache, &two.cache).await;
}

#[tokio::test]
async fn what_one_node_made_the_other_need_not() {
    let epochs = Arc::default();
    let corner = Corner::shared();
    let (one, two) = (caching(&corner, &epochs).await, caching(&corner, &epochs).await);
    serves(&one).await;
    let (key, until) = (key("shared"), Instant::now() + Duration::from_secs(10));
    miss(&*one.cache, &key).await.fill(entry("one"));
    // It is stored beside the answer.
    loop {
        match two.cache.look(&key, LONG).await {
            Looked::Hit(found) => break assert_eq!(found, entry("one")),
            other => assert!(Instant::now() < until, "{other:?}"),
        }
    }
    // Also after the first has gone.
    drop(one);
    assert_eq!(hit(&*two.cache, &key).await, entry("one"));
}

/// An event nobody has seen to, with its number in the log.
fn untold(seq: u64, key: &Key) -> Numbered {
    let Some(Tag::Product(product)) = key.tags.first() else { panic!("a key of a product") };
    let payload = json!({ "productId": product, "sellerId": product, "categoryId": null, "status": "published" });
    Numbered {
        seq,
        event: Event {
            id: EventId(product.0),
            kind: "product.deleted".to_owned(),
            entity: Entity::new("product", product.0),
            actor: None,
            at: Timestamp::UNIX_EPOCH,
            payload,
        },
    }
}

#[tokio::test]
async fn a_node_that_starts_goes_on_where_the_last_one_ended() {
    let server = RedisServer::start();
    let (corner, epochs) = (server.corner(), Arc::default());
    let (kept, changed, one) = (key("kept"), key("changed"), caching(&corner, &epochs).await);
    let (seen, last, epoch) = (key("seen"), key("last"), epochs.standing().await.unwrap().epoch);
    one.cache.follow(&[untold(7, &seen)]).await;
    for key in [&changed, &kept, &last] {
        miss(&*one.cache, key).await.fill(entry("one"));
    }
    // They are stored in order.
    let stored = format!("EXISTS {}cache:entry:{}:{epoch}:{}", corner.prefix, env!("CARGO_PKG_VERSION"), last.text);
    waited("they are stored", || server.tell(&stored) == ":1").await;
    drop(one);
    // Something was numbered while nobody was there.
    let two = starting(settings(&corner), &epochs);
    assert_eq!(two.cache.resume(8).await, 7);
    for _ in 0..20 {
        assert!(matches!(two.cache.look(&kept, LONG).await, Looked::Bypass), "it serves before it has caught up");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    two.cache.follow(&[untold(8, &changed)]).await;
    two.cache.resumed().await;
    serves(&two).await;
    drop(miss(&*two.cache, &changed).await);
    assert_eq!(hit(&*two.cache, &kept).await, entry("one"), "the rest is as good as it was");
    assert_eq!(epochs.standing().await.unwrap().epoch, epoch);
    drop(two);
    // Further behind than is worth a look, or a log that is another one.
    for last in [1_000_000, 3] {
        let epoch = epochs.standing().await.unwrap().epoch;
        let next = starting(settings(&corner), &epochs);
        assert_eq!(next.cache.resume(last).await, last);
        next.cache.resumed().await;
        let until = Instant::now() + Duration::from_secs(10);
        while epochs.standing().await.unwrap().epoch == epoch {
            assert!(Instant::now() < until, "no epoch began");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        serves(&next).await;
        drop(miss(&*next.cache, &kept).await);
    }
}

#[tokio::test]
async fn writes_go_on_without_redis_and_nothing_from_before_is_served_when_it_returns() {
    let mut server = RedisServer::start();
    let (one, two, _) = two(&server).await;
    let (key, other) = (key("outage"), key("untouched"));
    for node in [&one, &two] {
        read(&*node.cache, &key, "old").await;
        read(&*node.cache, &other, "same").await;
    }
    server.stop();
    let began = Instant::now();
    one.cache.invalidate(&key.tags[..1], &[]).await.unwrap();
    assert!(began.elapsed() < Duration::from_secs(8), "the first write waited {:?}", began.elapsed());
    assert!(matches!(two.cache.look(&key, LONG).await, Looked::Bypass));
    // Those after it do not wait for as long as they go on.
    let (began, mut slowest) = (Instant::now(), Duration::ZERO);
    while began.elapsed() < Duration::from_secs(5) {
        let sent = Instant::now();
        one.cache.invalidate(&key.tags[..1], &[]).await.unwrap();
        slowest = slowest.max(sent.elapsed());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(slowest < Duration::from_millis(500), "a write waited {slowest:?}");
    server.again();
    for node in [&one, &two] {
        waited("Redis is found", || node.node.redis.generation().is_some()).await;
        serves(node).await;
        for key in [&key, &other] {
            assert_eq!(read(&*node.cache, key, "new").await, entry("new"));
        }
        assert_eq!(hit(&*node.cache, &key).await, entry("new"));
    }
}

#[tokio::test]
async fn a_redis_that_stands_still_delays_writes_by_little_and_shows_nothing_old_when_it_goes_on() {
    let server = RedisServer::start();
    let quick = |corner: &Corner| RedisSettings {
        connect_timeout: Duration::from_secs(1),
        response_timeout: Duration::from_millis(250),
        ..settings(corner)
    };
    let epochs = Arc::default();
    let (one, two) = (starting(quick(&server.corner()), &epochs), starting(quick(&server.corner()), &epochs));
    for node in [&one, &two] {
        begins(node).await;
        serves(node).await;
    }
    let key = key("frozen");
    for node in [&one, &two] {
        read(&*node.cache, &key, "old").await;
    }
    server.freeze();
    // The second has not noticed yet, and must not serve once this has returned.
    let began = Instant::now();
    one.cache.invalidate(&key.tags[..1], &[]).await.unwrap();
    assert!(began.elapsed() < Duration::from_secs(8), "{:?}", began.elapsed());
    assert_eq!(read(&*two.cache, &key, "new").await, entry("new"));
    server.thaw();
    for node in [&one, &two] {
        serves(node).await;
        assert_eq!(read(&*node.cache, &key, "new").await, entry("new"));
    }
}

/// One node is cut off from Redis, the other is not.
#[tokio::test]
async fn a_node_that_alone_lost_redis_is_heeded_by_those_who_have_it() {
    let server = RedisServer::start();
    let (one, two, epochs) = two(&server).await;
    // This one is told of a server that is not there.
    let mut gone = RedisServer::start();
    let corner = gone.corner();
    gone.stop();
    let alone = starting(settings(&corner), &epochs);
    let key = key("alone");
    for node in [&one, &two] {
        read(&*node.cache, &key, "old").await;
        assert_eq!(hit(&*node.cache, &key).await, entry("old"));
    }
    alone.cache.invalidate(&key.tags[..1], &[]).await.unwrap();
    for node in [&one, &two] {
        assert_eq!(read(&*node.cache, &key, "new").await, entry("new"));
    }
    // And the other way round: what it was given meanwhile is sure, and seen.
    one.cache.invalidate(&key.tags[..1], &[]).await.unwrap();
    assert_eq!(read(&*two.cache, &key, "newer").await, entry("newer"));
    drop(alone);
    serves(&one).await;
    serves(&two).await;
    assert_eq!(read(&*two.cache, &key, "newest").await, entry("newest"));
    assert_eq!(hit(&*two.cache, &key).await, entry("newest"));
}

/// Two nodes with different servers would not hear of each other's writes.
#[tokio::test]
async fn nodes_that_are_told_of_different_servers_never_serve_side_by_side() {
    let (here, there) = (RedisServer::start(), RedisServer::start());
    let epochs = Arc::default();
    let one = caching(&here.corner(), &epochs).await;
    let key = key("split");
    read(&*one.cache, &key, "old").await;
    let two = starting(settings(&there.corner()), &epochs);
    begins(&two).await;
    waited("the second comes", || two.node.redis.generation().is_some()).await;
    for round in 0..8 {
        let (writer, reader) = if round % 2 == 0 { (&two, &one) } else { (&one, &two) };
        let new = format!("new {round}");
        writer.cache.invalidate(&key.tags[..1], &[]).await.unwrap();
        for node in [reader, writer] {
            assert_eq!(read(&*node.cache, &key, &new).await, entry(&new));
        }
    }
}

#[tokio::test]
async fn a_redis_that_was_emptied_shows_nothing_old() {
    let server = RedisServer::start();
    let (one, two, _) = two(&server).await;
    let key = key("emptied");
    for node in [&one, &two] {
        read(&*node.cache, &key, "old").await;
    }
    one.cache.invalidate(&key.tags[..1], &[]).await.unwrap();
    assert!(server.tell("FLUSHALL").contains("OK"));
    for node in [&one, &two] {
        assert_eq!(read(&*node.cache, &key, "new").await, entry("new"));
    }
}

/// As after the loss of the last seconds: what is old is as it was before the write.
#[tokio::test]
async fn an_older_copy_of_redis_is_another_source() {
    let mut server = RedisServer::start();
    let (one, two, epochs) = two(&server).await;
    let key = key("copy");
    for node in [&one, &two] {
        read(&*node.cache, &key, "old").await;
    }
    assert!(server.tell("SAVE").contains("OK"));
    one.cache.invalidate(&key.tags[..1], &[]).await.unwrap();
    let before = epochs.standing().await.unwrap();
    server.stop();
    server.again();
    assert!(server.tell("DBSIZE") != ":0", "it came back with its copy");
    for node in [&one, &two] {
        waited("Redis is found", || node.node.redis.generation() == Some(2)).await;
        assert_eq!(read(&*node.cache, &key, "new").await, entry("new"));
        serves(node).await;
        assert_eq!(read(&*node.cache, &key, "new").await, entry("new"));
    }
    let after = epochs.standing().await.unwrap();
    assert!(after.epoch > before.epoch && after.source != before.source, "{after:?}");
}

#[tokio::test]
async fn without_the_database_nobody_serves_and_no_write_is_sure() {
    let server = RedisServer::start();
    let (one, two, epochs) = two(&server).await;
    let key = key("database");
    read(&*one.cache, &key, "old").await;
    epochs.go_away(true);
    for node in [&one, &two] {
        let until = Instant::now() + Duration::from_secs(5);
        while !matches!(node.cache.look(&key, LONG).await, Looked::Bypass) {
            assert!(Instant::now() < until, "it still serves");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
    let began = Instant::now();
    assert!(matches!(
        one.cache.invalidate(&key.tags[..1], &[]).await,
        Err(domain::Error::Unavailable { what: "Cache", .. })
    ));
    assert!(began.elapsed() < Duration::from_secs(15));
    epochs.go_away(false);
    one.cache.invalidate(&key.tags[..1], &[]).await.unwrap();
    serves(&two).await;
    assert_eq!(read(&*two.cache, &key, "new").await, entry("new"));
}

/// What was kept in the epoch that is present again may be younger than what is stored now.
#[tokio::test]
async fn an_older_copy_of_the_database_begins_another_epoch() {
    let server = RedisServer::start();
    let (one, two, epochs) = two(&server).await;
    let (key, before) = (key("restored"), epochs.standing().await.unwrap().epoch);
    miss(&*one.cache, &key).await.fill(entry("young"));
    epochs.begin(before, &epochs.standing().await.unwrap().source).await.unwrap();
    let last = epochs.standing().await.unwrap().epoch;
    for node in [&one, &two] {
        let until = Instant::now() + Duration::from_secs(10);
        while !matches!(node.cache.look(&key, LONG).await, Looked::Bypass) {
            assert!(Instant::now() < until, "the new epoch is not seen");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
    epochs.go_back(before);
    let until = Instant::now() + Duration::from_secs(10);
    while epochs.standing().await.unwrap().epoch <= before {
        assert!(Instant::now() < until, "no epoch began after {last}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    for node in [&one, &two] {
        serves(node).await;
        assert_eq!(read(&*node.cache, &key, "old").await, entry("old"));
    }
}

/// Readers on both nodes beside a writer that moves between them, while Redis goes and comes in every way.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_read_that_begins_after_a_write_shows_what_was_before_it_whatever_redis_does() {
    let mut server = RedisServer::start();
    let quick = RedisSettings { response_timeout: Duration::from_millis(250), ..settings(&server.corner()) };
    let epochs = Arc::default();
    let nodes = [starting(quick.clone(), &epochs), starting(quick, &epochs)];
    for node in &nodes {
        begins(node).await;
        serves(node).await;
    }
    let key = key("checked");
    let (value, acknowledged) = (Arc::new(AtomicU64::new(1)), Arc::new(AtomicU64::new(1)));
    let (done, hits) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let mut running = JoinSet::new();
    for reader in 0..6 {
        let cache = Arc::clone(&nodes[reader % 2].cache);
        let (key, value, acknowledged) = (key.clone(), Arc::clone(&value), Arc::clone(&acknowledged));
        let (done, hits) = (Arc::clone(&done), Arc::clone(&hits));
        running.spawn(async move {
            while !done.load(Ordering::SeqCst) {
                let least = acknowledged.load(Ordering::SeqCst);
                let source = || value.load(Ordering::SeqCst);
                let read = match cache.look(&key, LONG).await {
                    Looked::Hit(found) => {
                        hits.fetch_add(1, Ordering::SeqCst);
                        number(&found)
                    }
                    Looked::Miss(lead) | Looked::Stale(_, lead) => {
                        let read = source();
                        // Reading takes its time, in which a write may come.
                        tokio::task::yield_now().await;
                        lead.fill(entry(&read.to_string()));
                        read
                    }
                    Looked::Bypass => source(),
                };
                assert!(read >= least, "read {read} after {least} was acknowledged");
                tokio::task::yield_now().await;
            }
        });
    }
    let mut changing = JoinSet::new();
    changing.spawn({
        let caches = [Arc::clone(&nodes[0].cache), Arc::clone(&nodes[1].cache)];
        let (key, done) = (key.clone(), Arc::clone(&done));
        async move {
            let mut writes = 0_u64;
            while !done.load(Ordering::SeqCst) {
                for cache in &caches {
                    let new = value.fetch_add(1, Ordering::SeqCst) + 1;
                    cache.invalidate(&key.tags[..1], &[]).await.unwrap();
                    acknowledged.store(new, Ordering::SeqCst);
                    writes += 1;
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
            }
            writes
        }
    });
    let goes_on = async |while_what: &str| {
        let from = hits.load(Ordering::SeqCst);
        waited(while_what, || hits.load(Ordering::SeqCst) > from + 200).await;
    };
    goes_on("Redis is there").await;
    for round in 0..2 {
        server.stop();
        tokio::time::sleep(Duration::from_millis(700 + 900 * round)).await;
        server.again();
        goes_on("Redis came back empty").await;
        server.freeze();
        tokio::time::sleep(Duration::from_millis(600)).await;
        server.thaw();
        goes_on("Redis goes on").await;
        server.tell("FLUSHALL");
        goes_on("Redis was emptied").await;
        server.tell("CLIENT KILL TYPE normal");
        goes_on("the connections were cut").await;
    }
    done.store(true, Ordering::SeqCst);
    assert!(changing.join_all().await[0] > 50);
    running.join_all().await;
}

fn number(entry: &domain::cache::Entry) -> u64 {
    let domain::cache::Entry::Present { body, .. } = entry else { panic!("it is there") };
    std::str::from_utf8(body).unwrap().parse().unwrap()
}
