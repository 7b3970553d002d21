//! Prices, budgets and keys of providers that are set while all nodes run, and what is told of what was spent.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use souk_e2e::{Client, Cluster, Conduct, Database, Server, Upstream, on_each_database};

use crate::assistant::{asks, settings};

on_each_database!(what_was_set_outlasts_a_restart_and_reports_add_up);

const BASE: &str = "/api/v1/assistant";

async fn ask(client: &Client) -> (u16, Value) {
    let reply = client.post("/v1/chat/completions", &asks(false, 50)).await;
    (reply.status, reply.json())
}

async fn what_was_set_outlasts_a_restart_and_reports_add_up(database: Database) {
    let upstream = Upstream::start(|_| Conduct::Words(3)).await;
    let settings = settings(&upstream, &[]);
    let settings: Vec<_> = settings.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let mut server = Server::prepared(database, &settings);
    server.run().await;
    let (admin, buyer) = (server.signed_in("admin").await, server.signed_in("buyer").await);
    assert_eq!(ask(&buyer).await.0, 200);
    // Nine tokens asked and three answered, of 1.00 for a million until now and of 10.00 from now on.
    let price = json!({ "deployment": "near/upstream", "input": "10", "output": "10" });
    admin.post(&format!("{BASE}/prices"), &price).await.expect(201);
    admin.put(&format!("{BASE}/providers/near/key"), &json!({ "key": "sk-set-0123456789ab" })).await.expect(200);
    let budget = json!({ "name": "few", "by": "user", "span": "month", "calls": 3 });
    let budget = admin.post(&format!("{BASE}/budgets"), &budget).await.expect(201).json();
    assert_eq!(ask(&buyer).await.0, 200);
    assert!(server.stop().await.success());
    server.run().await;
    let (admin, buyer) = (server.signed_in("admin").await, server.signed_in("buyer").await);
    for _ in 0..2 {
        assert_eq!(ask(&buyer).await.0, 200);
    }
    let (status, refused) = ask(&buyer).await;
    assert_eq!((status, &refused["error"]["code"]), (429, &json!("insufficient_quota")), "{refused}");
    assert!(refused["error"]["message"].as_str().unwrap().contains("'few'"));
    let keys: Vec<_> = upstream.counted().into_iter().map(|one| one.key.unwrap()).collect();
    assert_eq!(keys, ["sk-never-shown", "sk-set-0123456789ab", "sk-set-0123456789ab", "sk-set-0123456789ab"]);
    let stored = server.tables().run("SELECT provider, hint, length(sealed) > 20 FROM provider_keys");
    assert_eq!((stored[0][0].as_str(), stored[0][1].as_str()), ("near", "89ab"));

    let until = Instant::now() + Duration::from_secs(30);
    let usage = loop {
        let usage = buyer.get(&format!("{BASE}/usage?groupBy=model")).await.expect(200).json();
        if usage["items"][0]["calls"]["settled"] == 4 {
            break usage;
        }
        assert!(Instant::now() < until, "{usage}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    // Twelve tokens a call: once for twelve millionths, three times for 120.
    assert_eq!((&usage["items"][0]["cost"], &usage["items"][0]["tokens"]["prompt"]), (&json!("0.000372"), &json!(36)));
    let table = buyer.get(&format!("{BASE}/usage?groupBy=deployment&format=csv")).await.expect(200).text();
    assert!(table.contains("near/upstream,4,0,4,0,0,0,0,0,36,12,0,0,0,0.000372,USD"), "{table}");
    let calls = admin.get(&format!("{BASE}/calls?scope=all&limit=3")).await.expect(200).json();
    assert_eq!((calls["items"].as_array().unwrap().len(), &calls["items"][0]["cost"]), (3, &json!("0.00012")));
    let path = format!("{BASE}/budgets/{}", budget["id"].as_str().unwrap());
    let spent = admin.get(&path).await.expect(200).json();
    assert_eq!((&spent["spent"][0]["calls"], &spent["spent"][0]["cost"]), (&json!(3), &json!("0.00036")));
    assert!(!server.log().contains("sk-set") && !server.log().contains("sk-never"));
}

/// Asks until an answer is as wanted: what is set on one node comes to the other by the log.
async fn until(client: &Client, what: &str, there: impl Fn(u16) -> bool) -> Duration {
    let began = Instant::now();
    loop {
        let (status, body) = ask(client).await;
        if there(status) {
            return began.elapsed();
        }
        assert!(began.elapsed() < Duration::from_secs(20), "{what}: {status} {body}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_set_on_one_node_holds_on_the_other_without_a_restart() {
    let upstream = Upstream::start(|_| Conduct::Words(3)).await;
    let settings = settings(&upstream, &[]);
    let settings: Vec<_> = settings.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let cluster = Cluster::start(Database::postgres(), 2, &settings).await;
    let [here, there] = &cluster.nodes[..] else { panic!("two nodes") };
    let admin = here.signed_in("admin").await;
    let buyer = here.signed_in("buyer").await.at(there.url());
    assert_eq!(ask(&buyer).await.0, 200);
    let budget = json!({ "name": "none", "by": "all", "span": "month", "calls": 0 });
    let budget = admin.post(&format!("{BASE}/budgets"), &budget).await.expect(201).json();
    let took = until(&buyer, "the budget", |status| status == 429).await;
    assert!(took < Duration::from_secs(5), "by the log and not by the clock: {took:?}");
    let path = format!("{BASE}/budgets/{}", budget["id"].as_str().unwrap());
    admin.delete(&path).await.expect(200);
    until(&buyer, "without the budget", |status| status == 200).await;
    admin.put(&format!("{BASE}/providers/near/key"), &json!({ "key": "sk-set-0123456789ab" })).await.expect(200);
    let began = Instant::now();
    while upstream.counted().last().unwrap().key.as_deref() != Some("sk-set-0123456789ab") {
        assert!(began.elapsed() < Duration::from_secs(5), "the other node asks by the old key");
        assert_eq!(ask(&buyer).await.0, 200);
    }
}
