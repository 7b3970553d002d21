//! A storm: every fault there is strikes two nodes of one shop, one after the other, while readers read and a seller writes.
//! It says how many reads were served, and fails when fewer than 999 of a thousand were. `scripts/storm` starts it.
//!
//! The one database that both nodes share is not struck itself, since nothing can be read without it: the ways of the nodes
//! to it are, one at a time. What both share and can do without (Redis, the store of files, the mail server) is struck for both.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "this is a test: a broken expectation is a failed test"
)]

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use serde_json::json;
use souk_e2e::{
    Asked, Bucket, Client, Database, Fault, FaultProxy, Haproxy, Load, MailServer, NODES_KEY, RedisServer, Server,
    permille,
};
use tokio::task::JoinSet;

/// How long one fault lasts, and how long all is well after it.
const STRUCK: Duration = Duration::from_secs(8);
const CALM: Duration = Duration::from_secs(7);
const READERS: usize = 16;
/// Of a thousand.
const AIM: f64 = 999.0;

/// Everything that can be struck.
struct Shop {
    /// The way of each node to the database.
    ways: Vec<FaultProxy>,
    redis: RedisServer,
    redis_way: FaultProxy,
    files: FaultProxy,
    mail: FaultProxy,
    _mails: MailServer,
    nodes: Vec<Server>,
    balancer: Haproxy,
}

/// What strikes, and whom.
#[derive(Debug, Clone, Copy)]
enum Strike {
    Way(usize, Fault),
    RedisKilled,
    RedisWay(Fault),
    Files(Fault),
    Mail(Fault),
    NodeKilled(usize),
    NodeFrozen(usize),
    NodeRestarted(usize),
}

const DRIP: Fault = Fault::Drip { bytes: 200, every: Duration::from_millis(1) };
const SLOW: Fault = Fault::Delay(Duration::from_millis(20));

/// The whole storm, again and again until its time is over.
const STORM: [Strike; 20] = [
    Strike::Way(0, Fault::BlackHole),
    Strike::RedisKilled,
    Strike::NodeKilled(1),
    Strike::Files(Fault::BlackHole),
    Strike::Way(1, Fault::Refuse),
    Strike::RedisWay(Fault::BlackHole),
    Strike::Mail(Fault::Refuse),
    Strike::NodeRestarted(0),
    Strike::Way(0, Fault::Reset),
    Strike::RedisWay(SLOW),
    Strike::NodeKilled(0),
    Strike::Way(1, SLOW),
    Strike::RedisWay(Fault::Reset),
    Strike::Files(Fault::Reset),
    Strike::Way(0, Fault::DropAfter(400)),
    Strike::NodeFrozen(1),
    Strike::Mail(Fault::BlackHole),
    Strike::Way(1, DRIP),
    Strike::Way(0, Fault::HalfClose),
    Strike::RedisWay(DRIP),
];

#[tokio::main]
async fn main() {
    let seconds = std::env::args().nth(1).map_or(600, |text| text.parse().expect("how many seconds"));
    let mut shop = Shop::open().await;
    let seller = shop.nodes[0].signed_in("seller").await.apart(shop.balancer.url());
    let mut paths = vec!["/api/v1/categories".to_owned(), "/api/v1/products?limit=20".to_owned()];
    for _ in 0..20 {
        let made = seller.post("/api/v1/products", &json!({ "name": "Brass lamp", "price": 19.95 })).await;
        let path = format!("/api/v1/products/{}", made.expect(201).json()["id"].as_str().unwrap());
        paths.extend([format!("{path}/files"), path]);
    }
    let reads = Load::begin(&seller.anonymous(), &shop.balancer.url(), READERS, &paths);
    let until = Instant::now() + Duration::from_secs(seconds);
    let mut writing = JoinSet::new();
    writing.spawn(write(seller, until));
    let begun = Instant::now();
    reads.flows(200, CALM).await;
    say("calm", &reads.between(begun, Instant::now()));
    for strike in STORM.iter().cycle() {
        if Instant::now() >= until {
            break;
        }
        let struck = Instant::now();
        shop.strike(*strike).await;
        tokio::time::sleep(STRUCK).await;
        shop.mend(*strike).await;
        tokio::time::sleep(CALM).await;
        say(&format!("{strike:?}"), &reads.between(struck, Instant::now()));
    }
    let (written, refused) = writing.join_next().await.unwrap().unwrap();
    println!("writes: {written} stored, {refused} refused");
    let served = say("all", &reads.end().await);
    assert!(served >= AIM, "fewer than {AIM} of a thousand reads were served");
}

/// Writes until then, and gives how many changes were stored and how many were not.
async fn write(seller: Client, until: Instant) -> (u32, u32) {
    let (mut written, mut refused) = (0, 0);
    while Instant::now() < until {
        let request = seller.request("POST", "/api/v1/products").json(&json!({ "name": "Lamp", "price": 5 }));
        match seller.try_send(request.timeout(Duration::from_secs(10))).await {
            Ok(reply) if reply.status == 201 => written += 1,
            _ => refused += 1,
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    (written, refused)
}

/// Says what became of reads, and gives how many of a thousand were served.
fn say(name: &str, asked: &[Asked]) -> f64 {
    let mut statuses = BTreeMap::<u16, u32>::new();
    for one in asked {
        *statuses.entry(one.status).or_default() += 1;
    }
    let served = f64::from(statuses.get(&200).copied().unwrap_or_default());
    let all = f64::from(statuses.values().sum::<u32>());
    let share = 1000.0 * served / all.max(1.0);
    println!(
        "{name:45} {all:8} reads  {:7.3} % served  p50 {:?}  p99 {:?}  slowest {:?}  {statuses:?}",
        share / 10.0,
        permille(asked, 500),
        permille(asked, 990),
        permille(asked, 1000),
    );
    share
}

impl Shop {
    async fn open() -> Self {
        let redis = RedisServer::start();
        let corner = redis.corner();
        let (redis_way, redis_url) = FaultProxy::before(&corner.url);
        let bucket = Bucket::fresh().await;
        let (files, endpoint) = FaultProxy::before(&bucket.url);
        let mails = MailServer::start();
        let mail = FaultProxy::to(&mails.address().to_string());
        let database = Database::postgres_with(Some(corner));
        let (ways, urls): (Vec<_>, Vec<_>) = (0..2).map(|_| FaultProxy::before(&database.url().unwrap())).unzip();
        let mail_settings = MailServer::settings(mail.here());
        let mut settings: Vec<(&str, &str)> =
            mail_settings.iter().map(|(name, value)| (*name, value.as_str())).collect();
        settings.extend([
            ("SOUK_SECRET_KEY", NODES_KEY),
            ("DATABASE_URL", urls[0].as_str()),
            ("REDIS_URL", redis_url.as_str()),
            // As delivered, and not as for tests on a loaded machine.
            ("SOUK__DATABASE__ACQUIRE_TIMEOUT_MS", "1500"),
            ("SOUK__DATABASE__ANSWER_TIMEOUT_MS", "1000"),
            ("SOUK__REDIS__RESPONSE_TIMEOUT_MS", "250"),
            ("SOUK__BLOBS__STORE", "s3"),
            ("SOUK__BLOBS__BUCKET", bucket.name.as_str()),
            ("SOUK__BLOBS__ENDPOINT", endpoint.as_str()),
            ("AWS_ACCESS_KEY_ID", "key"),
            ("AWS_SECRET_ACCESS_KEY", "secret"),
        ]);
        let mut first = Server::prepared(database, &settings);
        first.run().await;
        let mut second = first.beside().with("DATABASE_URL", &urls[1]);
        second.run().await;
        let nodes = vec![first, second];
        let balancer = Haproxy::before_that_retries(&nodes).await;
        Self { ways, redis, redis_way, files, mail, _mails: mails, nodes, balancer }
    }

    async fn strike(&mut self, strike: Strike) {
        match strike {
            Strike::Way(node, fault) => self.ways[node].set(fault),
            Strike::RedisKilled => self.redis.stop(),
            Strike::RedisWay(fault) => self.redis_way.set(fault),
            Strike::Files(fault) => self.files.set(fault),
            Strike::Mail(fault) => self.mail.set(fault),
            Strike::NodeKilled(node) => self.nodes[node].kill(),
            Strike::NodeFrozen(node) => self.nodes[node].freeze(),
            Strike::NodeRestarted(node) => {
                assert!(self.nodes[node].stop().await.success());
            }
        }
    }

    async fn mend(&mut self, strike: Strike) {
        match strike {
            Strike::Way(node, _) => self.ways[node].set(Fault::None),
            Strike::RedisKilled => self.redis.again(),
            Strike::RedisWay(_) => self.redis_way.set(Fault::None),
            Strike::Files(_) => self.files.set(Fault::None),
            Strike::Mail(_) => self.mail.set(Fault::None),
            Strike::NodeFrozen(node) => self.nodes[node].thaw(),
            Strike::NodeKilled(node) | Strike::NodeRestarted(node) => self.nodes[node].run_again().await,
        }
        for node in 0..self.nodes.len() {
            self.balancer.up(node).await;
        }
    }
}
