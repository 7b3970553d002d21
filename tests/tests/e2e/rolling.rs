//! Two nodes behind a load balancer, restarted one after the other under load: no request is lost, none is done twice, and who
//! listens hears of everything once.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use souk_e2e::{Client, Cluster, Database, Events, Haproxy, Server};

use crate::shop;

/// People who ask at the same time, each on a connection that is kept.
const CLIENTS: u64 = 8;
/// People who listen meanwhile.
const LISTENERS: u64 = 4;
/// What they wait for at the end.
const LAST: &str = "The last lamp";
/// How soon a node must be gone.
const END: Duration = Duration::from_secs(10);

/// Requests at the least; `scripts/soak` asks for more.
#[expect(clippy::disallowed_methods, reason = "the test runner says by environment how long a test is")]
fn requests() -> u64 {
    std::env::var("SOUK_ROLLING_REQUESTS").map_or(3000, |text| text.parse().expect("SOUK_ROLLING_REQUESTS is a number"))
}

/// What was asked and what was not answered as it should be.
#[derive(Default)]
struct Tally {
    asked: AtomicU64,
    made: AtomicU64,
    lost: Mutex<Vec<String>>,
    rolled: AtomicBool,
}

impl Tally {
    fn goes_on(&self) -> bool {
        !self.rolled.load(Ordering::Relaxed)
    }

    /// Waits for so many requests more.
    async fn flows(&self, more: u64) {
        let until = Instant::now() + Duration::from_mins(1);
        let wanted = self.asked.load(Ordering::Relaxed) + more;
        while self.asked.load(Ordering::Relaxed) < wanted {
            assert!(Instant::now() < until, "requests stand still: {:?}", self.lost.lock().unwrap());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rolling_restart_behind_a_balancer_loses_no_request() {
    let mut cluster = Cluster::start(Database::postgres(), 2, &[("SOUK__HTTP__DRAIN_SECONDS", "4")]).await;
    let owner = cluster.nodes[0].signed_in("seller").await;
    let product = shop::path(&shop::create(&owner, &shop::lamp()).await);
    let balancer = Haproxy::before(&cluster.nodes).await;
    let tally = Arc::new(Tally::default());
    let mut listeners = tokio::task::JoinSet::new();
    for _ in 0..LISTENERS {
        let (opened, client) = tokio::sync::oneshot::channel();
        listeners.spawn(follow(owner.apart(balancer.url()), opened));
        client.await.unwrap();
    }
    let mut clients = tokio::task::JoinSet::new();
    for number in 0..CLIENTS {
        // A connection of its own.
        let client = owner.apart(balancer.url());
        clients.spawn(ask(client, number, product.clone(), Arc::clone(&tally)));
    }
    let mut restarts = 0;
    while restarts == 0 || tally.asked.load(Ordering::Relaxed) < requests() {
        for number in 0..cluster.nodes.len() {
            tally.flows(200).await;
            let node = &mut cluster.nodes[number];
            let began = Instant::now();
            assert!(node.stop().await.success(), "{}", node.log());
            assert!(began.elapsed() < END, "node {number} took {:?}", began.elapsed());
            tally.flows(200).await;
            cluster.nodes[number].run_again().await;
            balancer.up(number).await;
            restarts += 1;
        }
    }
    tally.flows(200).await;
    tally.rolled.store(true, Ordering::Relaxed);
    while let Some(ended) = clients.join_next().await {
        ended.unwrap();
    }
    let (asked, made) = (tally.asked.load(Ordering::Relaxed), tally.made.load(Ordering::Relaxed));
    owner.apart(balancer.url()).post("/api/v1/products", &json!({ "name": LAST, "price": 19.95 })).await.expect(201);
    let mut returns = 0;
    while let Some(ended) = listeners.join_next().await {
        let (heard, returned) = ended.unwrap();
        assert_eq!(heard, made, "everything that was made is heard of once");
        returns += returned;
    }
    assert!(returns >= LISTENERS, "only {returns} times a listener was sent away");
    let lost = std::mem::take(&mut *tally.lost.lock().unwrap());
    println!(
        "{restarts} restarts, {asked} requests, {made} of them writes, {} lost; {returns} returns of {LISTENERS} listeners",
        lost.len()
    );
    assert!(lost.is_empty(), "{} of {asked} requests lost: {:#?}", lost.len(), &lost[..lost.len().min(10)]);
    let stored = cluster.nodes[0].tables().number("SELECT count(*) FROM products WHERE sku LIKE 'roll-%'");
    assert_eq!(stored, made, "each write once");
    for node in &cluster.nodes {
        assert!(served(node).await, "a node got nothing after its restart:\n{}", node.log());
        let log = node.log();
        let faults: Vec<&str> = log.lines().filter(|line| line.contains("\"level\":\"ERROR\"")).collect();
        assert!(faults.is_empty(), "{faults:#?}");
    }
}

/// Asks and writes until everything was restarted. Nothing is tried again.
async fn ask(client: Client, number: u64, product: String, tally: Arc<Tally>) {
    let mut turn = 0_u64;
    while tally.goes_on() {
        turn += 1;
        let (request, status) = match turn % 4 {
            0 => {
                let key = format!("roll-{number}-{turn}");
                let body = json!({ "name": "Brass lamp", "price": 19.95, "stock": 3, "sku": key });
                (client.request("POST", "/api/v1/products").header("Idempotency-Key", &key).json(&body), 201)
            }
            1 => (client.request("GET", "/api/v1/products?limit=5"), 200),
            _ => (client.request("GET", &product), 200),
        };
        let fault = match client.try_send(request).await {
            Ok(reply) if reply.status == status && serde_json::from_slice::<Value>(&reply.body).is_ok() => None,
            Ok(reply) => Some(format!("{}: {}", reply.what, reply.text())),
            Err(error) => Some(format!("{error:?}")),
        };
        tally.asked.fetch_add(1, Ordering::Relaxed);
        match fault {
            None if status == 201 => {
                tally.made.fetch_add(1, Ordering::Relaxed);
            }
            None => {}
            Some(fault) => tally.lost.lock().unwrap().push(format!("{:?}: {fault}", std::time::SystemTime::now())),
        }
    }
}

/// Listens until the last product is made, and comes back when and as it is told to: how many were heard of before that,
/// and how often it came back.
async fn follow(client: Client, opened: tokio::sync::oneshot::Sender<()>) -> (u64, u64) {
    let (mut opened, mut last, mut heard, mut returns) = (Some(opened), None::<u64>, 0, 0);
    loop {
        let request = client.request("GET", "/api/v1/events?topics=products");
        let mut events = Events::open(match last {
            None => request,
            Some(last) => request.header("Last-Event-ID", last.to_string()),
        })
        .await;
        if let Some(opened) = opened.take() {
            opened.send(()).unwrap();
        }
        last = last.or(events.began);
        let mut retry = None;
        while let Some(message) = events.next().await {
            if let Some(id) = message.id {
                assert!(last.is_none_or(|last| last <= id), "in order");
                assert!(message.kind().is_empty() || last != Some(id), "once: {message:?}");
                last = Some(id);
            }
            retry = message.retry;
            match message.kind() {
                "product.created" if message.data.as_ref().unwrap()["product"]["name"] == LAST => {
                    return (heard, returns);
                }
                "product.created" => heard += 1,
                "" | "closing" => {}
                other => panic!("{other}: {message:?}"),
            }
        }
        returns += 1;
        let retry = retry.expect("a stream says before it ends when to come back");
        tokio::time::sleep(Duration::from_millis(retry)).await;
    }
}

/// Whether a node has made products since it was started.
async fn served(node: &Server) -> bool {
    let text = node.client().get("/metrics").await.text();
    text.lines().any(|line| line.starts_with("http_requests_total{") && line.contains("\"201\""))
}
