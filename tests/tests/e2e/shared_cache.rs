//! The cache of several nodes: no node gives what was before an acknowledged write, whatever becomes of Redis (ruling R28).

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use serde_json::json;
use souk_e2e::{Client, Cluster, Database, Ledger, RedisServer, Server};
use tokio::task::JoinSet;

use crate::shop;

const BYPASSED: &str = r#"cache_lookups_total{tier="memory",outcome="bypass"}"#;
const LIST: &str = "/api/v1/products?limit=5";

/// Three nodes that all serve from the cache.
async fn three(database: Database, settings: &[(&str, &str)]) -> Cluster {
    let cluster = Cluster::start(database, 3, settings).await;
    serving(&cluster).await;
    cluster
}

/// Waits until every node serves from the cache.
async fn serving(cluster: &Cluster) {
    for node in &cluster.nodes {
        node.caching().await;
    }
}

/// The sum of all metrics whose line begins like this.
async fn number(node: &Server, name: &str) -> u64 {
    let text = node.client().get("/metrics").await.text();
    let values = text.lines().filter(|line| line.starts_with(name)).filter_map(|line| line.rsplit(' ').next());
    values.map(|value| value.parse::<u64>().unwrap()).sum()
}

/// Writers that go from node to node, and readers on all of them, until told to stop.
struct Load {
    stop: Arc<AtomicBool>,
    ledgers: Vec<Arc<Ledger>>,
    running: JoinSet<u64>,
}

impl Load {
    async fn begin(cluster: &Cluster, things: usize) -> Self {
        let owner = cluster.nodes[0].signed_in("seller").await;
        let mut load = Self { stop: Arc::default(), ledgers: Vec::new(), running: JoinSet::new() };
        for _ in 0..things {
            let (product, ledger) = (shop::create(&owner, &shop::lamp()).await, Arc::new(Ledger::default()));
            ledger.acknowledged(3);
            load.ledgers.push(Arc::clone(&ledger));
            let id = product["id"].as_str().unwrap().to_owned();
            for node in &cluster.nodes {
                for listed in [false, true] {
                    let (client, id, ledger) = (node.client(), id.clone(), Arc::clone(&ledger));
                    load.running.spawn(read(client, id, listed, ledger, Arc::clone(&load.stop)));
                }
            }
            let owners = cluster.nodes.iter().map(|node| owner.at(node.url())).collect();
            load.running.spawn(write(owners, shop::path(&product), ledger, Arc::clone(&load.stop)));
        }
        load
    }

    /// Waits until so many reads more were answered.
    async fn flows(&self, reads: usize) {
        let count = || self.ledgers.iter().map(|ledger| ledger.reads()).sum::<usize>();
        let (from, until) = (count(), Instant::now() + Duration::from_mins(1));
        while count() < from + reads {
            assert!(Instant::now() < until, "reads stopped");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Ends it, and gives how many writes there were.
    async fn end(self) -> u64 {
        self.stop.store(true, Ordering::SeqCst);
        let writes = self.running.join_all().await.into_iter().sum();
        for ledger in self.ledgers {
            let stale = ledger.stale();
            assert!(stale.is_empty(), "{} of {} reads, such as {:?}", stale.len(), ledger.reads(), stale[0]);
        }
        writes
    }
}

async fn read(client: Client, id: String, listed: bool, ledger: Arc<Ledger>, stop: Arc<AtomicBool>) -> u64 {
    while !stop.load(Ordering::SeqCst) {
        let began = Instant::now();
        let (read, place) = if listed {
            let list = client.get(LIST).await.expect(200);
            let items = list.json()["items"].as_array().unwrap().clone();
            (items.iter().find(|item| item["id"] == id.as_str()).expect("it is listed")["stock"].clone(), list.what)
        } else {
            let product = client.get(&format!("/api/v1/products/{id}")).await.expect(200);
            (product.json()["stock"].clone(), product.what)
        };
        ledger.read(began, read.as_u64().unwrap(), place);
    }
    0
}

async fn write(owners: Vec<Client>, path: String, ledger: Arc<Ledger>, stop: Arc<AtomicBool>) -> u64 {
    let mut writes = 0;
    for (owner, stock) in owners.iter().cycle().zip(4_u64..) {
        if stop.load(Ordering::SeqCst) {
            break;
        }
        owner.patch(&path, &json!({ "stock": stock })).await.expect(200);
        ledger.acknowledged(stock);
        writes += 1;
        // Now and then a rest, in which answers are kept.
        if stock % 4 == 0 {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
    writes
}

#[tokio::test(flavor = "multi_thread")]
async fn no_node_gives_what_was_before_an_acknowledged_write() {
    let cluster = three(Database::postgres(), &[]).await;
    let load = Load::begin(&cluster, 2).await;
    load.flows(3_000).await;
    let writes = load.end().await;
    assert!(writes > 50, "only {writes} writes");
    for node in &cluster.nodes {
        let hits = number(node, r#"cache_lookups_total{tier="memory",outcome="hit"}"#).await;
        assert!(hits > 50, "only {hits} answers from memory");
    }
    let mut from_redis = 0;
    for node in &cluster.nodes {
        from_redis += number(node, r#"cache_lookups_total{tier="redis",outcome="hit"}"#).await;
    }
    assert!(from_redis > 0, "no node had anything from another");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_node_gives_what_was_before_a_write_while_redis_goes_and_comes() {
    let mut redis = RedisServer::start();
    let database = Database::postgres_with(Some(redis.corner()));
    let cluster = three(database, &[("SOUK__REDIS__RESPONSE_TIMEOUT_MS", "250")]).await;
    let load = Load::begin(&cluster, 2).await;
    load.flows(500).await;
    redis.stop();
    load.flows(500).await;
    redis.again();
    serving(&cluster).await;
    load.flows(500).await;
    // It stands still for as long as some hundred reads take.
    redis.freeze();
    load.flows(300).await;
    redis.thaw();
    serving(&cluster).await;
    load.flows(500).await;
    // Gone and back before anybody has to ask for a new connection twice.
    redis.stop();
    redis.again();
    load.flows(500).await;
    serving(&cluster).await;
    load.flows(500).await;
    let writes = load.end().await;
    assert!(writes > 50, "only {writes} writes");
    let mut suspended = 0;
    for node in &cluster.nodes {
        suspended += number(node, r#"cache_epochs_total{cause="suspension"}"#).await;
        assert_eq!(number(node, "cache_unsure_total").await, 0);
    }
    assert!(suspended > 0, "no write came while Redis was away");
}

/// The same checker finds what is stale where a shop is set up as it must not be: two nodes that each believe to be alone.
#[tokio::test(flavor = "multi_thread")]
async fn the_checker_sees_nodes_that_do_not_hear_of_each_other_in_time() {
    let cluster = Cluster::start(Database::postgres_with(None), 2, &[("SOUK__CACHE__MODE", "on")]).await;
    let owner = cluster.nodes[0].signed_in("seller").await;
    let (product, there, ledger) =
        (shop::create(&owner, &shop::lamp()).await, cluster.nodes[1].client(), Ledger::default());
    let (path, until) = (shop::path(&product), Instant::now() + Duration::from_mins(1));
    for stock in 4_u64.. {
        for _ in 0..2 {
            there.get(&path).await.expect(200);
        }
        owner.patch(&path, &json!({ "stock": stock })).await.expect(200);
        ledger.acknowledged(stock);
        let began = Instant::now();
        let read = there.get(&path).await.expect(200).json()["stock"].as_u64().unwrap();
        ledger.read(began, read, "the other node");
        if !ledger.stale().is_empty() {
            break;
        }
        assert!(Instant::now() < until, "{} reads and none of the past", ledger.reads());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_stood_still_gives_nothing_old_when_it_goes_on() {
    let cluster = three(Database::postgres(), &[]).await;
    let owner = cluster.nodes[0].signed_in("seller").await;
    let product = shop::create(&owner, &shop::lamp()).await;
    let (path, sleeper) = (shop::path(&product), cluster.nodes[1].client());
    for stock in [10, 11, 12] {
        for _ in 0..3 {
            sleeper.get(&path).await.expect(200);
        }
        cluster.nodes[1].freeze();
        let sent = Instant::now();
        owner.patch(&path, &json!({ "stock": stock })).await.expect(200);
        assert!(sent.elapsed() < Duration::from_secs(5), "a write waited for a node that stands still");
        // Longer than it may believe what it read before.
        tokio::time::sleep(Duration::from_millis(if stock == 12 { 1_500 } else { 0 })).await;
        cluster.nodes[1].thaw();
        assert_eq!(sleeper.get(&path).await.expect(200).json()["stock"], stock);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_beside_the_nodes_is_seen_by_all() {
    let cluster = three(Database::postgres(), &[]).await;
    let mut before = 0;
    for node in &cluster.nodes {
        for _ in 0..2 {
            before = node.client().get(LIST).await.expect(200).json()["total"].as_u64().unwrap();
        }
    }
    std::io::Write::write_all(
        &mut cluster.nodes[0].file("more.csv"),
        b"sku,name,description,price,stock\nBESIDE-1,Lamp from beside,Warm,4.50,2\n",
    )
    .unwrap();
    let done = cluster.nodes[0].command(&["import", "catalogue", "more.csv"]).status().unwrap();
    assert!(done.success(), "{}", cluster.nodes[0].log());
    let until = Instant::now() + Duration::from_secs(10);
    for node in &cluster.nodes {
        while node.client().get(LIST).await.expect(200).json()["total"] != before + 1 {
            assert!(Instant::now() < until, "{} does not see the import", node.url());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_who_ask_the_same_at_once_are_one_query_of_each_node() {
    let cluster = three(Database::postgres(), &[("SOUK__TELEMETRY__LEVEL", "info,souk::sql=debug")]).await;
    for node in &cluster.nodes {
        node.settled().await;
    }
    // Only a list with bounds on the price counts between them.
    let queries = |node: &Server| {
        node.log().lines().filter(|line| line.contains("souk::sql") && line.contains("price_minor BETWEEN")).count()
    };
    // Made before: a thousand of them take longer than an answer is kept, where much else goes on.
    let clients: Vec<Client> = cluster.nodes.iter().map(Server::client).collect();
    // A node that did not come to read the row of epochs in time asks the database for each; then another price is asked for.
    for price in 777..787 {
        let path = format!("/api/v1/products?minPrice=1&maxPrice={price}");
        let (mut before, mut bypassed) = (Vec::new(), 0);
        for node in &cluster.nodes {
            node.caching().await;
            before.push(queries(node));
            bypassed += number(node, BYPASSED).await;
        }
        let mut callers = JoinSet::new();
        for caller in 0..999 {
            let (client, path) = (clients[caller % 3].clone(), path.clone());
            callers.spawn(async move { client.get(&path).await.expect(200).body });
        }
        let mut answers = callers.join_all().await;
        answers.dedup();
        assert_eq!(answers.len(), 1);
        for node in &cluster.nodes {
            bypassed = bypassed.wrapping_sub(number(node, BYPASSED).await);
        }
        if bypassed == 0 {
            let each: Vec<usize> =
                cluster.nodes.iter().zip(before).map(|(node, before)| queries(node) - before).collect();
            assert!(each.iter().all(|queries| *queries <= 1) && each.contains(&1), "{each:?}");
            return;
        }
    }
    panic!("the nodes never served from the cache for as long as a thousand ask");
}

/// What a person may do is kept too, and as fresh: on every node they are what they became a moment ago.
#[tokio::test(flavor = "multi_thread")]
async fn who_opens_a_shop_is_a_seller_on_every_node_within_a_second() {
    let cluster = three(Database::postgres(), &[]).await;
    for round in 0..5 {
        let email = format!("ada{round}@souk.example");
        let person = shop::person(&cluster.nodes[0], &email).await;
        let everywhere: Vec<Client> = cluster.nodes.iter().map(|node| person.at(node.url())).collect();
        for there in &everywhere {
            for _ in 0..2 {
                there.post("/api/v1/products", &shop::lamp()).await.error(403, "FORBIDDEN");
            }
        }
        person.post("/api/v1/sellers", &json!({ "name": email })).await.expect(201);
        // At once where it was opened; the others hear of it in less than a second.
        person.post("/api/v1/products", &shop::lamp()).await.expect(201);
        let opened = Instant::now();
        for there in &everywhere {
            while there.post("/api/v1/products", &shop::lamp()).await.status != 201 {
                assert!(opened.elapsed() < Duration::from_secs(1), "it is not heard of");
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        }
    }
}
