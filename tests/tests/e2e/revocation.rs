//! What one node ends is over on the others within a second, and a request of somebody known costs no statement.

use std::time::{Duration, Instant};

use serde_json::json;
use souk_e2e::{Client, Cluster, Database, Line, Server};

use crate::shop;

/// Within this time an end is to be heeded by all nodes.
const SOON: Duration = Duration::from_secs(1);
const EMAIL: &str = "ada@revocation.example.com";
const PASSWORD: &str = "correct horse battery";

/// The sum of all metrics whose line begins like this.
async fn number(node: &Server, name: &str) -> u64 {
    let text = node.client().get("/metrics").await.text();
    let values = text.lines().filter(|line| line.starts_with(name)).filter_map(|line| line.rsplit(' ').next());
    values.map(|value| value.parse::<u64>().unwrap()).sum()
}

/// Whether a node takes this caller for signed in. It reads nothing else for the answer.
async fn is_known(client: &Client) -> bool {
    let reply = client.get("/health").await.expect(200);
    !reply.header("www-authenticate").contains("invalid_token")
}

/// How long until a node does not take them for signed in any more.
async fn time_until_unknown(client: &Client, from: Instant) -> Duration {
    while is_known(client).await {
        assert!(from.elapsed() < Duration::from_secs(30), "it is never heeded");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    from.elapsed()
}

async fn ends_at_once(database: Database) {
    let cluster = Cluster::start(database, 2, &[]).await;
    let [here, there] = &cluster.nodes[..] else { panic!("two nodes") };
    let person = shop::person(here, EMAIL).await;
    let mut delays = Vec::new();
    for round in 0..20 {
        let goes = person.sign_in(EMAIL, PASSWORD).await;
        let watched = goes.at(there.url());
        assert!(is_known(&watched).await);
        let began = Instant::now();
        let mut watching = tokio::task::JoinSet::new();
        watching.spawn(async move { time_until_unknown(&watched, began).await });
        if round % 2 == 0 {
            goes.post("/api/v1/auth/logout", &json!({})).await.expect(200);
        } else {
            person.delete("/api/v1/sessions?except=current").await.expect(200);
        }
        assert!(!is_known(&goes).await, "where it was ended it is over before the answer");
        delays.extend(watching.join_all().await);
    }
    delays.sort();
    println!("delays: {delays:?}");
    assert!(delays.last().unwrap() < &SOON, "{delays:?}");
    let told = number(there, "revocation_delay_seconds_count").await;
    assert!(told >= 20, "only {told} ends were heard of");

    // A role that is given and taken counts as soon.
    let buyer = here.signed_in("buyer").await.at(there.url());
    let email = here.demo_accounts().into_iter().find(|account| account.role == "buyer").unwrap().email;
    for (verb, status) in [("grant", 200), ("revoke", 403)] {
        buyer.get("/api/v1/users/me").await.expect(200);
        let (done, said) = here.run_command(&["user", verb, "--role", "admin", "--email", &email]);
        assert!(done.success(), "{said}");
        let began = Instant::now();
        while buyer.get("/api/v1/audit").await.status != status {
            // A command calls nobody; it is found by looking.
            assert!(began.elapsed() < 5 * SOON, "{verb} is not heeded");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    // However often somebody known calls, the database is not asked.
    let (asking, count) = (person.at(there.url()), 600_u64);
    assert!(is_known(&asking).await);
    let (before, began) = (number(there, "db_query_duration_seconds_count").await, Instant::now());
    for _ in 0..count {
        assert!(is_known(&asking).await);
    }
    let asked = number(there, "db_query_duration_seconds_count").await - before;
    // What the background asks in this time.
    let background = 30 * (began.elapsed().as_secs() + 1);
    assert!(background < count / 2, "the machine is too slow for this to tell anything: {:?}", began.elapsed());
    assert!(asked <= background, "{count} requests made {asked} statements");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_end_is_heeded_within_a_second_through_redis() {
    ends_at_once(Database::postgres()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_end_is_heeded_within_a_second_through_postgres_alone() {
    ends_at_once(Database::postgres_with(None)).await;
}

/// Embedded there is one process, and the command line beside it.
#[tokio::test(flavor = "multi_thread")]
async fn an_end_is_heeded_at_once_on_sqlite_and_costs_no_statements() {
    let server = Server::start(Database::sqlite()).await;
    let person = shop::person(&server, EMAIL).await;
    let goes = person.sign_in(EMAIL, PASSWORD).await;
    assert!(is_known(&goes).await);
    goes.post("/api/v1/auth/logout", &json!({})).await.expect(200);
    assert!(!is_known(&goes).await && is_known(&person).await);
    let (before, began) = (number(&server, "db_query_duration_seconds_count").await, Instant::now());
    for _ in 0..600 {
        assert!(is_known(&person).await);
    }
    let asked = number(&server, "db_query_duration_seconds_count").await - before;
    let background = 30 * (began.elapsed().as_secs() + 1);
    assert!(background < 300, "the machine is too slow for this to tell anything: {:?}", began.elapsed());
    assert!(asked <= background, "600 requests made {asked} statements");
}

/// The node that gives events their numbers stands still: what others end is heeded all the same.
#[tokio::test(flavor = "multi_thread")]
async fn an_end_does_not_wait_for_the_relay() {
    let cluster = Cluster::start(Database::postgres(), 3, &[]).await;
    let [relay, here, there] = &cluster.nodes[..] else { panic!("three nodes") };
    assert_eq!(number(relay, "relay_leader").await, 1, "the first node leads");
    let person = shop::person(here, EMAIL).await;
    let watched = person.at(there.url());
    assert!(is_known(&watched).await);
    relay.freeze();
    let began = Instant::now();
    person.post("/api/v1/auth/logout", &json!({})).await.expect(200);
    let delay = time_until_unknown(&watched, began).await;
    relay.thaw();
    assert!(delay < SOON, "{delay:?}");
}

/// Without news of the log a node says that it cannot know who calls. It does not say that they are nobody.
#[tokio::test(flavor = "multi_thread")]
async fn a_node_without_news_trusts_nobody_and_sends_nobody_away() {
    let database = Database::postgres_with(None);
    let url = database.url().unwrap();
    let (credentials, place) = url.rsplit_once('@').unwrap();
    let (address, name) = place.split_once('/').unwrap();
    let mut line = Line::to(address).await;
    let through = format!("{credentials}@{}/{name}", line.here());
    let settings = [
        ("DATABASE_URL", through.as_str()),
        ("SOUK__DATABASE__ACQUIRE_TIMEOUT_MS", "500"),
        ("SOUK__IDENTITY__SILENCE_SECONDS", "5"),
    ];
    let mut server = Server::prepared(database, &settings);
    server.run().await;
    let person = shop::person(&server, EMAIL).await;
    assert!(is_known(&person).await);
    line.cut().await;
    let until = Instant::now() + Duration::from_secs(30);
    loop {
        let reply = person.delete("/api/v1/sessions/019f0000-0000-7000-8000-000000000000").await;
        assert_eq!(reply.status, 503, "{}", reply.text());
        assert!(!reply.header("retry-after").is_empty(), "{:?}", reply.headers);
        // While it may be trusted still the database is what is missing; afterwards nobody is known.
        let log = server.log();
        if log.contains("it is not known who calls") {
            break;
        }
        assert!(Instant::now() < until, "it trusts for ever:\n{log}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    // Public routes go on, and do not say that the token is bad.
    assert!(is_known(&person).await);
    line.mend().await;
    let until = Instant::now() + Duration::from_secs(30);
    while person.get("/api/v1/users/me").await.status != 200 {
        assert!(Instant::now() < until, "it does not come back");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
