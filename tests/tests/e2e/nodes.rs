//! Several nodes of one shop, with Redis and without, and while Redis goes and comes.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use souk_e2e::{Client, Cluster, Database, RedisServer, Reply, Server, on_each_database};

on_each_database!(a_patient_policy_lets_calls_wait_for_their_turn);

const LISTS: &str = "SOUK__LIMITS__LIST_PRODUCTS";

#[tokio::test(flavor = "multi_thread")]
async fn three_nodes_admit_together_no_more_than_one_limit() {
    let cluster = Cluster::start(Database::postgres(), 3, &[(LISTS, "30/86400")]).await;
    let clients: Vec<Client> = cluster.nodes.iter().map(Server::client).collect();
    let mut calls = tokio::task::JoinSet::new();
    for client in &clients {
        for _ in 0..30 {
            let client = client.clone();
            calls.spawn(async move { client.get("/api/v1/products?limit=1").await });
        }
    }
    let replies = calls.join_all().await;
    let statuses = |wanted: u16| replies.iter().filter(|reply| reply.status == wanted).count();
    assert_eq!((statuses(200), statuses(429)), (30, 60));
    let mut left: Vec<u32> = replies.iter().filter(|reply| reply.status == 200).map(remaining).collect();
    left.sort_unstable();
    assert_eq!(left, (0..30).collect::<Vec<_>>(), "each call of one count, whatever the node");

    let refused = clients[2].get("/api/v1/products").await;
    refused.error(429, "RATE_LIMITED");
    assert_eq!(refused.header("ratelimit-policy"), "\"list_products\";q=30;w=86400");
    assert!(refused.header("ratelimit").starts_with("\"list_products\";r=0;t="), "{}", refused.header("ratelimit"));
    assert_eq!((refused.header("ratelimit-limit"), refused.header("ratelimit-remaining")), ("30", "0"));
    let retry: u32 = refused.header("retry-after").parse().unwrap();
    assert!(retry > 2000 && retry <= 2880, "a thirtieth of a day: {retry}");

    // Whoever signs in is counted apart, and is the same person on every node; administrators are not counted.
    let seller = cluster.nodes[0].signed_in("seller").await;
    assert_eq!(remaining(&seller.get("/api/v1/products").await.expect(200)), 29);
    let there = seller.at(cluster.nodes[1].url());
    assert_eq!(remaining(&there.get("/api/v1/products").await.expect(200)), 28);
    let admin = cluster.nodes[0].signed_in("admin").await.at(cluster.nodes[2].url());
    assert_eq!(admin.get("/api/v1/products").await.expect(200).header("ratelimit"), "");

    let mut counted = [0, 0];
    for client in &clients {
        let text = client.get("/metrics").await.text();
        counted[0] += metric(&text, "limiter_decisions_total{policy=\"list_products\",outcome=\"allowed\"}");
        counted[1] += metric(&text, "limiter_decisions_total{policy=\"list_products\",outcome=\"refused\"}");
        assert_eq!((metric(&text, "redis_up"), metric(&text, "bus_up")), (1, 1));
        assert_eq!(metric(&text, "limiter_fallbacks_total"), 0);
    }
    assert_eq!(counted, [32, 61]);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_redis_each_node_counts_by_itself() {
    let cluster = Cluster::start(Database::postgres_with(None), 2, &[(LISTS, "5/86400")]).await;
    for node in &cluster.nodes {
        let client = node.client();
        assert_eq!(admitted(&client, 10).await, 5);
        let ready = client.get("/ready").await.expect(200).json();
        assert_eq!((&ready["redis"], &ready["embedded"]), (&Value::Bool(true), &json!(["redis", "files"])), "{ready}");
        let up = "bus_up";
        waited(async || metric(&client.get("/metrics").await.text(), up) == 1).await;
        assert!(node.log().contains("hears other nodes through the database"), "{}", node.log());
    }
    // The first comes to know the second, through the log of the shop at the least: what one writes, the other reads.
    let seller = cluster.nodes[0].signed_in("seller").await;
    let product = crate::shop::create(&seller, &crate::shop::lamp()).await;
    cluster.nodes[1].client().get(&crate::shop::path(&product)).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn redis_that_goes_and_comes_under_traffic_is_noticed_by_nobody() {
    let mut redis = RedisServer::start();
    let mut node = Server::prepared(Database::postgres_with(Some(redis.corner())), &[(LISTS, "20/86400")]);
    node.run().await;
    let client = node.client();
    assert_eq!(client.get("/ready").await.expect(200).json()["redis"], true);
    let traffic = Traffic::begin(&client);
    traffic.flows().await;
    redis.stop();
    waited(async || client.get("/ready").await.json()["redis"] == false).await;
    let ready = client.get("/ready").await.expect(200).json();
    assert_eq!((&ready["degraded"], &ready["embedded"]), (&json!(["redis"]), &json!(["files"])), "{ready}");
    traffic.flows().await;
    redis.again();
    waited(async || client.get("/ready").await.json()["redis"] == true).await;
    traffic.flows().await;
    let (ok, refused) = traffic.end().await;
    assert!(ok <= 60, "a limit of Redis, one of the node, and one of a Redis that forgot: {ok}");
    assert!(ok >= 20 && refused > 0, "{ok}, {refused}");
    let text = client.get("/metrics").await.text();
    assert!(metric(&text, "limiter_fallbacks_total") > 0, "{text}");
    assert!(metric(&text, "redis_calls_total{outcome=\"skipped\"}") > 0, "{text}");
    assert!(node.stop().await.success());
}

#[tokio::test]
async fn redis_away_at_the_start_is_a_warning() {
    let mut redis = RedisServer::start();
    let corner = redis.corner();
    redis.stop();
    let mut node = Server::prepared(Database::postgres_with(Some(corner)), &[(LISTS, "5/86400")]);
    node.run().await;
    let client = node.client();
    assert_eq!(client.get("/ready").await.expect(200).json()["degraded"], json!(["redis"]));
    assert_eq!(admitted(&client, 8).await, 5);
    assert!(node.log().contains("Redis is away"), "{}", node.log());
    redis.again();
    waited(async || client.get("/ready").await.json()["degraded"] == json!([])).await;
    assert_eq!(admitted(&client, 8).await, 5, "counted by Redis from now on");
    assert!(node.stop().await.success());
}

async fn a_patient_policy_lets_calls_wait_for_their_turn(database: Database) {
    let of = |field: &str| format!("SOUK__LIMITS__POLICIES__TREE__{field}");
    let settings = [
        (of("APPLIES_TO"), "list_categories"),
        (of("BY"), "global"),
        (of("LIMIT"), "2"),
        (of("WINDOW_SECONDS"), "6"),
        (of("MODE"), "wait"),
        (of("MAX_WAIT_MS"), "10000"),
        (of("MAX_WAITING"), "1"),
    ];
    let settings: Vec<_> = settings.iter().map(|(name, value)| (name.as_str(), *value)).collect();
    let mut server = Server::prepared(database, &settings);
    server.run().await;
    let began = Instant::now();
    let mut calls = tokio::task::JoinSet::new();
    for _ in 0..5 {
        let client = server.client();
        calls.spawn(async move { (client.get("/api/v1/categories").await, began.elapsed()) });
    }
    let mut replies = calls.join_all().await;
    replies.sort_by_key(|(reply, took)| (reply.status, *took));
    let statuses: Vec<u16> = replies.iter().map(|(reply, _)| reply.status).collect();
    assert_eq!(statuses, [200, 200, 200, 429, 429], "two at once, one that waits, and no more");
    let (first, held) = (replies[0].1, replies[2].1);
    assert!(held >= Duration::from_millis(2900), "{held:?}");
    assert!(first < held, "{first:?}");
    let text = server.client().get("/metrics").await.text();
    assert_eq!(metric(&text, "limiter_decisions_total{policy=\"tree\",outcome=\"held\"}"), 1);
}

/// Somebody who asks all the time, in four places at once.
struct Traffic {
    stop: std::sync::Arc<std::sync::atomic::AtomicBool>,
    calls: std::sync::Arc<std::sync::atomic::AtomicU64>,
    running: tokio::task::JoinSet<(u64, u64)>,
}

impl Traffic {
    fn begin(client: &Client) -> Self {
        use std::sync::atomic::Ordering::Relaxed;
        let (stop, calls) =
            (<std::sync::Arc<std::sync::atomic::AtomicBool>>::default(), <std::sync::Arc<_>>::default());
        let mut traffic = Self { stop, calls, running: tokio::task::JoinSet::new() };
        for _ in 0..4 {
            let (client, stop, calls) = (client.clone(), traffic.stop.clone(), traffic.calls.clone());
            traffic.running.spawn(async move {
                let (mut ok, mut refused) = (0, 0);
                while !stop.load(Relaxed) {
                    let reply = client.get("/api/v1/products?limit=1").await;
                    match reply.status {
                        200 => ok += 1,
                        429 => refused += 1,
                        _ => panic!("{}: {}", reply.what, reply.text()),
                    }
                    calls.fetch_add(1, Relaxed);
                }
                (ok, refused)
            });
        }
        traffic
    }

    /// Waits until some hundred calls more are answered.
    async fn flows(&self) {
        let calls = || self.calls.load(std::sync::atomic::Ordering::Relaxed);
        let from = calls();
        waited(async || calls() > from + 300).await;
    }

    async fn end(self) -> (u64, u64) {
        self.stop.store(true, std::sync::atomic::Ordering::Relaxed);
        let each = self.running.join_all().await;
        each.into_iter().fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1))
    }
}

async fn admitted(client: &Client, calls: usize) -> usize {
    let mut admitted = 0;
    for _ in 0..calls {
        let reply = client.get("/api/v1/products?limit=1").await;
        assert!(matches!(reply.status, 200 | 429), "{}: {}", reply.what, reply.text());
        admitted += usize::from(reply.status == 200);
    }
    admitted
}

fn remaining(reply: &Reply) -> u32 {
    reply.header("ratelimit-remaining").parse().unwrap()
}

/// The value of a metric; 0 when it was never counted.
fn metric(text: &str, name: &str) -> u64 {
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    line.map_or(0, |value| value.parse().unwrap())
}

async fn waited(mut happened: impl AsyncFnMut() -> bool) {
    let until = Instant::now() + Duration::from_secs(30);
    while !happened().await {
        assert!(Instant::now() < until, "waited in vain");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
