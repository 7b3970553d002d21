//! While the database stands still, is cut off or comes back; while Redis dies; while more is asked than can be done.

use std::time::{Duration, Instant};

use serde_json::json;
use souk_e2e::{Database, Fault, FaultProxy, Load, PostgresServer, RedisServer, Server, permille};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

use crate::shop;

/// How long the database is away; `scripts/soak` asks for more.
#[expect(clippy::disallowed_methods, reason = "the test runner says by environment how long a test is")]
fn away() -> Duration {
    let seconds = std::env::var("SOUK_OUTAGE_SECONDS").map_or(3, |text| text.parse().expect("SOUK_OUTAGE_SECONDS"));
    Duration::from_secs(seconds)
}

const READERS: usize = 8;

/// A node whose way to the database can misbehave.
async fn behind_a_proxy(database: Database, settings: &[(&str, &str)]) -> (FaultProxy, Server) {
    let (proxy, through) = FaultProxy::before(&database.url().unwrap());
    let own = [("DATABASE_URL", through.as_str())];
    let mut server = Server::prepared(database, &[&own[..], settings].concat());
    server.run().await;
    (proxy, server)
}

/// Paths that are read from the database each time: who asks is known, and nothing of it is kept.
fn uncached(product: &serde_json::Value) -> Vec<String> {
    vec![format!("{}/files", shop::path(product)), "/api/v1/categories".to_owned(), "/api/v1/users/me".to_owned()]
}

const PATIENT: [(&str, &str); 2] =
    [("SOUK__DATABASE__ACQUIRE_TIMEOUT_MS", "1500"), ("SOUK__DATABASE__ANSWER_TIMEOUT_MS", "1000")];

/// What befalls the database.
#[derive(Debug, Clone, Copy)]
enum Outage {
    /// The way to it has a fault.
    Way(Fault),
    /// It is stopped hard, and recovers when it starts again.
    Stopped,
    /// It and all its processes stand still.
    Frozen,
}

async fn goes_and_comes(outage: Outage) {
    let mut postgres = PostgresServer::start();
    let (proxy, server) = behind_a_proxy(Database::on(&postgres), &PATIENT).await;
    let seller = server.signed_in("seller").await;
    let product = shop::create(&seller, &shop::lamp()).await;
    let load = Load::begin(&seller, &server.url(), READERS, &uncached(&product));
    let begun = Instant::now();
    load.flows(100, Duration::from_secs(1)).await;
    let before = load.between(begun, Instant::now());
    assert!(before.iter().all(|asked| asked.status == 200), "{before:?}");

    let struck = Instant::now();
    match outage {
        Outage::Way(fault) => proxy.set(fault),
        Outage::Stopped => postgres.stop(),
        Outage::Frozen => postgres.freeze(),
    }
    load.flows(50, away()).await;
    assert_eq!(server.client().get("/health").await.status, 200);
    let ready = server.client().get("/ready").await;
    assert_eq!((ready.status, &ready.json()["modes"][0]["name"]), (503, &json!("database")));
    let metrics = server.client().get("/metrics").await.text();
    assert!(metrics.contains("dependency_state{dependency=\"database\"} 2"), "{metrics}");
    let asked = Instant::now();
    let written = seller.post("/api/v1/products", &shop::lamp()).await;
    assert_eq!((written.status, written.header("retry-after")), (503, "2"), "{}", written.text());
    assert!(asked.elapsed() < Duration::from_secs(2), "{:?}", asked.elapsed());

    match outage {
        Outage::Way(_) => proxy.set(Fault::None),
        Outage::Stopped => postgres.again(),
        Outage::Frozen => postgres.thaw(),
    }
    let mended = Instant::now();
    load.flows(200, Duration::from_secs(6)).await;
    // A change is stored again as well, and once.
    shop::create(&seller, &shop::lamp()).await;
    let all = load.end().await;
    // Who asked before may have been answered just then.
    let during: Vec<_> = all.iter().filter(|asked| asked.at >= struck && asked.at < mended).cloned().collect();
    let refused: Vec<_> = during.iter().filter(|asked| asked.status != 200).collect();
    assert!(!refused.is_empty());
    for asked in refused {
        assert_eq!((asked.status, asked.retry_after), (503, Some(2)), "{asked:?}");
        assert!(asked.took < Duration::from_secs(2), "{asked:?}");
    }
    // Once it is known, nobody waits at all: nothing piles up.
    let known: Vec<_> =
        during.iter().filter(|asked| asked.at > struck + Duration::from_millis(1500)).cloned().collect();
    assert!(known.len() > 20, "{}", known.len());
    assert!(permille(&known, 500) < Duration::from_millis(200), "{:?}", permille(&known, 500));
    let last = all.iter().filter(|asked| asked.status != 200).map(|asked| asked.at + asked.took).max().unwrap();
    let again = last.saturating_duration_since(mended);
    assert!(again < Duration::from_secs(5), "full service after {again:?}");
    let after: Vec<_> = all.iter().filter(|asked| asked.at > mended + Duration::from_secs(5)).cloned().collect();
    let (usual, now) = (permille(&before, 990), permille(&after, 990));
    println!(
        "{outage:?}: {} refused of {}, slowest {:?}; all well {again:?} after its return; p99 {usual:?} before, {now:?} after",
        during.iter().filter(|asked| asked.status != 200).count(),
        during.len(),
        during.iter().map(|asked| asked.took).max().unwrap(),
    );
    assert!(now < (usual * 4).max(Duration::from_millis(500)), "p99 {now:?} after, {usual:?} before");
    assert!(server.client().get("/ready").await.status == 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_stands_still_holds_nobody_up_and_is_found_again() {
    goes_and_comes(Outage::Way(Fault::BlackHole)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_is_stopped_holds_nobody_up_and_is_found_again() {
    goes_and_comes(Outage::Way(Fault::Refuse)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_of_the_database_that_stops_hard_is_found_again() {
    goes_and_comes(Outage::Stopped).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_of_the_database_that_stands_still_is_found_again() {
    goes_and_comes(Outage::Frozen).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_way_to_the_database_that_breaks_once_costs_a_moment() {
    let (proxy, server) = behind_a_proxy(Database::postgres(), &PATIENT).await;
    let seller = server.signed_in("seller").await;
    let product = shop::create(&seller, &shop::lamp()).await;
    let load = Load::begin(&seller, &server.url(), READERS, &uncached(&product));
    for fault in [
        Fault::Reset,
        Fault::DropAfter(1),
        Fault::HalfClose,
        Fault::Delay(Duration::from_millis(5)),
        Fault::Drip { bytes: 64, every: Duration::from_millis(1) },
    ] {
        load.flows(30, Duration::ZERO).await;
        proxy.set(fault);
        load.flows(30, Duration::from_millis(300)).await;
        let mended = Instant::now();
        proxy.set(Fault::None);
        load.flows(60, Duration::from_secs(5)).await;
        let late = load.between(mended + Duration::from_secs(4), Instant::now());
        assert!(late.iter().all(|asked| asked.status == 200), "{fault:?}: {late:?}");
    }
    let all = load.end().await;
    assert!(all.iter().all(|asked| matches!(asked.status, 200 | 503)), "{all:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redis_that_dies_under_load_fails_nobody() {
    for killed in [true, false] {
        let mut redis = RedisServer::start();
        let corner = redis.corner();
        let (proxy, url) = FaultProxy::before(&corner.url);
        let through = ("REDIS_URL", url.as_str());
        let quick = ("SOUK__REDIS__RESPONSE_TIMEOUT_MS", "250");
        let mut node = Server::prepared(Database::postgres_with(Some(corner)), &[through, quick]);
        node.run().await;
        node.caching().await;
        let seller = node.signed_in("seller").await;
        let product = shop::create(&seller, &shop::lamp()).await;
        let mut paths = uncached(&product);
        paths.extend([shop::path(&product), "/api/v1/products?limit=5".to_owned()]);
        let load = Load::begin(&seller, &node.url(), READERS, &paths);
        let begun = Instant::now();
        load.flows(300, Duration::from_secs(1)).await;
        let before = load.between(begun, Instant::now());
        let struck = Instant::now();
        if killed {
            redis.stop();
        } else {
            proxy.set(Fault::BlackHole);
        }
        load.flows(300, Duration::from_secs(2)).await;
        let during = load.between(struck, Instant::now());
        let ready = node.client().get("/ready").await.expect(200).json();
        assert_eq!((&ready["degraded"], &ready["modes"][0]["name"]), (&json!(["redis"]), &json!("redis")), "{ready}");
        let metrics = node.client().get("/metrics").await.text();
        // The cache that nodes share went with it.
        for line in ["dependency_state{dependency=\"redis\"} 2", "\ncache_trusted 0\n"] {
            assert!(metrics.contains(line), "{line}: {metrics}");
        }
        let all = load.end().await;
        let failed: Vec<_> = all.iter().filter(|asked| asked.status != 200).collect();
        assert!(failed.is_empty(), "{failed:?}");
        let (usual, now) = (permille(&before, 990), permille(&during, 990));
        println!("killed {killed}: p99 {usual:?} before, {now:?} while Redis is away; none of {} failed", all.len());
        assert!(now < (usual * 2).max(Duration::from_millis(400)), "p99 {now:?}, {usual:?} before");
        if killed {
            redis.again();
        } else {
            proxy.set(Fault::None);
        }
        node.caching().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_finds_no_room_is_told_at_once_and_the_node_says_how_it_is() {
    let settings = [
        ("SOUK__HTTP__REQUESTS_AT_ONCE", "4"),
        ("SOUK__HTTP__REQUESTS_WAITING", "4"),
        ("SOUK__HTTP__REQUESTS_WAIT_MS", "1000"),
    ];
    // It is slow to notice, so that requests are held up.
    let (proxy, server) = behind_a_proxy(Database::postgres(), &settings).await;
    let client = server.client();
    client.get("/api/v1/categories").await.expect(200);
    proxy.set(Fault::BlackHole);
    let mut flood = tokio::task::JoinSet::new();
    for _ in 0..60 {
        let client = client.apart(server.url());
        flood.spawn(async move {
            let at = Instant::now();
            (client.get("/api/v1/categories").await, at.elapsed())
        });
    }
    let mut refused = 0;
    while refused < 56 {
        let (reply, took) = flood.join_next().await.unwrap().unwrap();
        reply.error(503, "OVERLOADED");
        assert_eq!(reply.header("retry-after"), "1");
        assert!(took < Duration::from_secs(10), "{took:?}");
        refused += 1;
        if refused == 56 {
            // The four inside go on waiting, and how the node is can be asked all the while.
            assert_eq!(client.get("/health").await.status, 200);
            assert_eq!(client.get("/ready").await.status, 503);
            let metrics = client.get("/metrics").await.expect(200).text();
            let shed = |reason: &str| {
                let line = format!("requests_shed_total{{reason=\"{reason}\"}} ");
                let found = metrics.lines().find_map(|found| found.strip_prefix(&line));
                found.map_or(0, |count| count.parse::<usize>().unwrap())
            };
            assert!(shed("full") > 0 && shed("late") > 0 && shed("full") + shed("late") == refused, "{metrics}");
        }
    }
    proxy.set(Fault::None);
    while let Some(ended) = flood.join_next().await {
        let (reply, _) = ended.unwrap();
        assert_eq!(reply.status, 200, "{}", reply.text());
    }
    client.get("/api/v1/categories").await.expect(200);
}

/// Somebody asks, and breaks off: what was begun for them ends.
#[tokio::test(flavor = "multi_thread")]
async fn who_breaks_off_is_waited_for_by_nobody() {
    // Takes connections, and answers nothing.
    let peer = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", peer.local_addr().unwrap());
    let settings = [
        ("SOUK__OAUTH__MOCK__PRESET", "oidc"),
        ("SOUK__OAUTH__MOCK__ISSUER", url.as_str()),
        ("SOUK__OAUTH__MOCK__CLIENT_ID", "souk"),
        ("SOUK__OAUTH__MOCK__CLIENT_SECRET", "secret"),
        ("SOUK__OAUTH__OTHER__PRESET", "oidc"),
        ("SOUK__OAUTH__OTHER__ISSUER", url.as_str()),
        ("SOUK__OAUTH__OTHER__CLIENT_ID", "souk"),
        ("SOUK__OAUTH__OTHER__CLIENT_SECRET", "secret"),
        ("SOUK__DEPENDENCIES__PROVIDERS__TIMEOUT_MS", "30000"),
        ("SOUK__CALLS__HEAD_MS", "30000"),
    ];
    let mut server = Server::prepared(Database::sqlite(), &settings);
    server.run().await;
    let (way, through) = FaultProxy::before(&server.url());
    // The line breaks; and whoever asked is ended, which closes their half in order. Each asks a provider that nobody failed to reach yet.
    for (to, provider, breaks) in [(through, "mock", true), (server.url(), "other", false)] {
        let mut asking = TcpStream::connect(to.trim_start_matches("http://")).await.unwrap();
        let query = "redirectUrl=http://localhost:5173/in&codeChallenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
        let head = format!("GET /api/v1/auth/oauth/{provider}/start?{query} HTTP/1.1\r\nHost: souk.example\r\n\r\n");
        asking.write_all(head.as_bytes()).await.unwrap();
        let (mut asked, _) = peer.accept().await.unwrap();
        if breaks {
            way.set(Fault::Reset);
        }
        drop(asking);
        // Half a minute would be the provider's, if anybody still waited.
        let ended = tokio::time::timeout(Duration::from_secs(15), asked.read_to_end(&mut Vec::new())).await;
        assert!(ended.is_ok(), "breaks {breaks}: the provider is still waited for");
    }
}
