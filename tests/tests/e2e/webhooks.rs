//! Webhooks that go out: to receivers that are well, dead, slow, come and go; over kills, restarts and nodes.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use souk_e2e::{Client, Cluster, Database, Hook, Manner, Receiver, Server, on_each_database};

use crate::shop;

on_each_database!(
    who_is_well_hears_everything_whatever_the_others_do,
    nothing_is_lost_by_kills,
    what_is_gone_is_switched_off_and_comes_back,
    an_address_inside_is_never_called,
    both_secrets_sign_while_they_overlap
);

const ALL: &str = "/api/v1/webhooks/endpoints";
/// The receivers of these tests are on this machine, where nobody may be sent without it.
pub(crate) const INSIDE: (&str, &str) = ("SOUK__CALLS__ALLOWED_NETWORKS", "127.0.0.0/8");
/// How long anything may take that is waited for, on a machine that runs other tests too.
pub(crate) const PATIENCE: Duration = Duration::from_secs(90);

async fn started(database: Database) -> Server {
    let mut server = Server::prepared(database, &[INSIDE]);
    server.run().await;
    server
}

/// Makes an endpoint; with its secret.
pub(crate) async fn endpoint(client: &Client, url: &str, more: Value) -> (Value, String) {
    let mut body = json!({ "url": url });
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let made = client.post(ALL, &body).await.expect(201).json();
    let secret = made["secret"].as_str().unwrap().to_owned();
    (made, secret)
}

pub(crate) fn path(endpoint: &Value) -> String {
    format!("{ALL}/{}", endpoint["id"].as_str().unwrap())
}

/// Makes products, and gives their ids.
async fn products(seller: &Client, count: usize) -> BTreeSet<String> {
    let mut ids = BTreeSet::new();
    for n in 0..count {
        let mut body = shop::lamp();
        body["name"] = json!(format!("Lamp number {n}"));
        ids.insert(shop::create(seller, &body).await["id"].as_str().unwrap().to_owned());
    }
    ids
}

/// The products that were told.
fn told(hooks: &[Hook]) -> BTreeSet<String> {
    hooks.iter().map(|hook| hook.json()["data"]["productId"].as_str().unwrap().to_owned()).collect()
}

/// Whether every message came in one form, however often.
fn assert_repeats_are_the_same(hooks: &[Hook]) {
    let mut bodies = BTreeMap::new();
    for hook in hooks {
        assert_eq!(bodies.entry(&hook.id).or_insert(&hook.body), &&hook.body, "{}", hook.id);
    }
}

async fn who_is_well_hears_everything_whatever_the_others_do(database: Database) {
    let server = started(database).await;
    let seller = server.signed_in("seller").await;
    let well = Receiver::healthy().await;
    let flapping = Receiver::start(|n| Manner::Answer(if n < 9 && n % 2 == 0 { 500 } else { 200 })).await;
    let hanging = Receiver::start(|_| Manner::Hang).await;
    let slow = Receiver::start(|_| Manner::Slowly(200, Duration::from_secs(1))).await;
    let created = json!({ "eventTypes": ["product.created"] });
    let (endpoint_of_well, secret) = endpoint(&seller, &well.url(), created.clone()).await;
    for url in [flapping.url(), hanging.url(), slow.url(), "http://127.0.0.1:9/".to_owned()] {
        endpoint(&seller, &url, created.clone()).await;
    }
    let thin = json!({ "eventTypes": ["product.updated"], "payload": "thin" });
    let other = Receiver::healthy().await;
    endpoint(&seller, &other.url(), thin).await;
    let made = products(&seller, 40).await;
    let last = Instant::now();
    let hooks = well.until("everything arrives", |hooks| told(hooks) == made).await;
    assert!(last.elapsed() < Duration::from_secs(5), "the others held it up for {:?}", last.elapsed());
    assert_eq!(hooks.len(), made.len(), "each once");
    for hook in &hooks {
        assert!(hook.is_signed_with(&secret), "{hook:?}");
        let body = hook.json();
        assert_eq!((&body["type"], &body["data"]["product"]["price"]), (&json!("product.created"), &json!(19.95)));
        assert!(hook.id.starts_with("msg_"));
    }
    // What failed once comes again after five seconds, under its id.
    let hooks = flapping.until("all arrive there in the end", |hooks| {
        let arrived: Vec<_> = hooks.iter().filter(|hook| hook.answered == Some(200)).cloned().collect();
        told(&arrived) == made
    });
    assert_repeats_are_the_same(&hooks.await);
    let stats = seller.get(&format!("{}/stats", path(&endpoint_of_well))).await.expect(200).json();
    assert_eq!((&stats["delivered"], &stats["failed"]), (&json!(40), &json!(0)), "{stats}");
    let messages = format!("{}/messages", path(&endpoint_of_well));
    let message = seller.get(&format!("{messages}?limit=1")).await.expect(200).json()["items"][0].clone();
    let attempts = format!("{messages}/{}/attempts", message["id"].as_str().unwrap());
    let attempts = seller.get(&attempts).await.expect(200).json();
    assert_eq!((&attempts["total"], &attempts["items"][0]["status"]), (&json!(1), &json!(204)), "{attempts}");
    assert_eq!(other.hooks().len(), 0, "nobody changed a product");
    let id = made.first().unwrap();
    seller.patch(&format!("/api/v1/products/{id}"), &json!({ "price": 5 })).await.expect(200);
    let hooks = other.until("a thin one", |hooks| !hooks.is_empty()).await;
    assert_eq!(hooks[0].json()["data"], json!({ "entity": { "type": "product", "id": id } }));
}

/// The number of this name in the environment.
#[expect(clippy::disallowed_methods, reason = "the test runner says by environment how long a test is")]
fn asked(name: &str, otherwise: usize) -> usize {
    std::env::var(name).map_or(otherwise, |text| text.parse().unwrap())
}

/// Makes a product, however often the server dies meanwhile; gives its id and when it was acknowledged.
async fn acknowledged(seller: &Client, n: usize) -> (String, Instant) {
    let began = Instant::now();
    let mut body = shop::lamp();
    body["name"] = json!(format!("Lamp number {n}"));
    loop {
        let request = seller.request("POST", "/api/v1/products").header("idempotency-key", format!("lamp-{n}"));
        match seller.try_send(request.json(&body)).await {
            Ok(reply) if reply.status == 201 => {
                return (reply.json()["id"].as_str().unwrap().to_owned(), Instant::now());
            }
            _ => assert!(began.elapsed() < PATIENCE, "product {n} was not made"),
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Events at 25 a second for many endpoints, of which one is dead, one slow and one comes and goes, while the server is killed again and
/// again. The suite runs it for a short while; `scripts/soak` for long.
async fn nothing_is_lost_by_kills(database: Database) {
    let events = asked("SOUK_HOOK_EVENTS", 60);
    let (endpoints, kills) = (asked("SOUK_HOOK_ENDPOINTS", 6), asked("SOUK_HOOK_KILLS", 2));
    let mut server = started(database).await;
    let seller = server.signed_in("seller").await;
    let created = json!({ "eventTypes": ["product.created"] });
    let slow = Receiver::start(|_| Manner::Slowly(200, Duration::from_millis(500))).await;
    // Each message fails there once at most: what failed twice is sent again after five minutes.
    let flapping = Receiver::start(|n| Manner::Answer(if n < 6 { 503 } else { 200 })).await;
    let mut well = Vec::new();
    for _ in 0..endpoints - 3 {
        let receiver = Receiver::healthy().await;
        let (_, secret) = endpoint(&seller, &receiver.url(), created.clone()).await;
        well.push((receiver, secret));
    }
    for url in [slow.url(), flapping.url(), "http://127.0.0.1:9/".to_owned()] {
        endpoint(&seller, &url, created.clone()).await;
    }
    let (mut made, mut restarts) = (BTreeMap::new(), Vec::new());
    let mut port_keeps = seller.clone();
    for n in 0..events {
        let due = tokio::time::Instant::now() + Duration::from_millis(40);
        let (id, at) = acknowledged(&port_keeps, n).await;
        made.insert(id, at);
        // In the midst of deliveries, evenly.
        if restarts.len() < kills && (n + 1) * (kills + 1) >= events * (restarts.len() + 1) {
            let killed = Instant::now();
            server.kill();
            server.run_again().await;
            restarts.push((killed, Instant::now()));
            port_keeps = seller.at(server.url());
        }
        tokio::time::sleep_until(due).await;
    }
    let all: BTreeSet<String> = made.keys().cloned().collect();
    let mut delays = Vec::new();
    for (receiver, secret) in &well {
        let hooks = receiver.until("none is lost", |hooks| told(hooks) == all).await;
        assert_repeats_are_the_same(&hooks);
        let ids: BTreeSet<_> = hooks.iter().map(|hook| &hook.id).collect();
        assert_eq!(ids.len(), made.len(), "one message for each event");
        assert!(hooks.iter().all(|hook| hook.is_signed_with(secret)));
        for hook in &hooks {
            let since = made[hook.json()["data"]["productId"].as_str().unwrap()];
            // What was in the hands of a process that died waits for its lease.
            let near = |(killed, ready): &(Instant, Instant)| {
                since + Duration::from_secs(2) > *killed && since < *ready + Duration::from_secs(15)
            };
            if !restarts.iter().any(near) {
                delays.push(hook.at.saturating_duration_since(since));
            }
        }
    }
    delays.sort_unstable();
    if let Some(p99) = delays.get(delays.len() * 99 / 100) {
        println!("{} deliveries outside of restarts, 99 of 100 within {p99:?}", delays.len());
        assert!(*p99 < Duration::from_secs(5), "{p99:?}");
    }
    for receiver in [&slow, &flapping] {
        let arrived =
            |hooks: &[Hook]| hooks.iter().filter(|hook| hook.answered == Some(200)).cloned().collect::<Vec<_>>();
        let hooks = receiver.until("all arrive there in the end", |hooks| told(&arrived(hooks)) == all).await;
        assert_repeats_are_the_same(&hooks);
    }
}

async fn what_is_gone_is_switched_off_and_comes_back(database: Database) {
    let server = started(database).await;
    let seller = server.signed_in("seller").await;
    let gone = Receiver::start(|n| Manner::Answer(if n == 0 { 410 } else { 204 })).await;
    let told_of_it = Receiver::healthy().await;
    let (one, _) = endpoint(&seller, &gone.url(), json!({ "eventTypes": ["product.created"] })).await;
    endpoint(&seller, &told_of_it.url(), json!({ "eventTypes": ["webhook_endpoint.disabled"] })).await;
    products(&seller, 1).await;
    let hooks = told_of_it.until("the owner hears of it", |hooks| !hooks.is_empty()).await;
    assert_eq!(
        (&hooks[0].json()["data"]["endpointId"], &hooks[0].json()["data"]["reason"]),
        (&one["id"], &json!("gone"))
    );
    let off = seller.get(&path(&one)).await.expect(200).json();
    assert_eq!((&off["enabled"], &off["disabledReason"]), (&json!(false), &json!("gone")));
    seller.patch(&path(&one), &json!({ "enabled": true })).await.expect(200);
    let body = json!({ "since": one["createdAt"] });
    let recovered = seller.post(&format!("{}/recover", path(&one)), &body).await.expect(202).json();
    assert_eq!(recovered["messages"], 1);
    let hooks = gone.until("it is sent again", |hooks| hooks.len() >= 2).await;
    assert_eq!((&hooks[0].id, hooks[0].answered), (&hooks[1].id, Some(410)));
    let message = seller.get(&format!("{}/messages", path(&one))).await.expect(200).json()["items"][0].clone();
    let resend = format!("{}/messages/{}/resend", path(&one), message["id"].as_str().unwrap());
    let began = Instant::now();
    while seller.post(&resend, &json!({})).await.status != 202 {
        assert!(began.elapsed() < PATIENCE, "it is on its way for ever");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let hooks = gone.until("and once more", |hooks| hooks.len() >= 3).await;
    assert_eq!(hooks[2].id, hooks[0].id);
}

async fn an_address_inside_is_never_called(database: Database) {
    let server = Server::start(database).await;
    let seller = server.signed_in("seller").await;
    let inside = Receiver::healthy().await;
    let port = inside.url().rsplit_once(':').unwrap().1.to_owned();
    for host in ["127.0.0.1", "2130706433", "0x7f.1", "[::1]", "[::ffff:127.0.0.1]", "169.254.169.254"] {
        let reply = seller.post(ALL, &json!({ "url": format!("http://{host}:{port}") })).await;
        reply.error(400, "VALIDATION_ERROR");
        assert!(reply.names("/url"), "{}", reply.text());
    }
    // What a name leads to is found when it is called.
    let (one, _) = endpoint(&seller, &format!("http://localhost:{port}"), json!({})).await;
    let queued = seller.post(&format!("{}/test", path(&one)), &json!({})).await.expect(202).json();
    let attempts = format!("{}/messages/{}/attempts", path(&one), queued["messageId"].as_str().unwrap());
    let began = Instant::now();
    let attempt = loop {
        let attempts = seller.get(&attempts).await.expect(200).json();
        if attempts["total"] != 0 {
            break attempts["items"][0].clone();
        }
        assert!(began.elapsed() < PATIENCE, "it was never tried");
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    assert_eq!((&attempt["error"], &attempt["status"]), (&json!("blocked"), &Value::Null));
    assert_eq!(inside.hooks().len(), 0);
}

async fn both_secrets_sign_while_they_overlap(database: Database) {
    let server = started(database).await;
    let buyer = server.signed_in("buyer").await;
    let well = Receiver::healthy().await;
    let (one, first) = endpoint(&buyer, &well.url(), json!({})).await;
    let rotate = format!("{}/secret/rotate", path(&one));
    let second = buyer.post(&rotate, &json!({})).await.expect(201).json()["secret"].as_str().unwrap().to_owned();
    buyer.post(&format!("{}/test", path(&one)), &json!({})).await.expect(202);
    let hooks = well.until("it arrives", |hooks| !hooks.is_empty()).await;
    assert!(hooks[0].is_signed_with(&first) && hooks[0].is_signed_with(&second) && first != second);
    assert!(!hooks[0].is_signed_with("whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="));
    assert_eq!(hooks[0].json()["type"], "webhook.test");
    let log = server.log();
    assert!(!log.contains(&first) && !log.contains(&second), "a secret stands in the log");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_several_nodes_one_sends_each_message() {
    let cluster = Cluster::start(Database::postgres(), 3, &[INSIDE]).await;
    let seller = cluster.nodes[0].signed_in("seller").await;
    let well = Receiver::healthy().await;
    let mut bodies = BTreeSet::new();
    endpoint(&seller, &well.url(), json!({ "eventTypes": ["product.created"] })).await;
    for node in &cluster.nodes {
        bodies.append(&mut products(&seller.at(node.url()), 20).await);
    }
    let hooks = well.until("everything arrives", |hooks| told(hooks) == bodies).await;
    assert_eq!(hooks.len(), bodies.len(), "each once");
}
