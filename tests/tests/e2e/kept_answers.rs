//! Answers that are kept, from outside: the same question is asked of a provider once, over all nodes, and what somebody was told goes
//! with them.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use souk_e2e::{Client, Cluster, Conduct, Corner, Database, RedisServer, Reply, Server, Upstream, on_each_database};

use crate::assistant::{asks, settings};

on_each_database!(the_same_question_is_asked_once_and_costs_nothing_again);

const CHAT: &str = "/v1/chat/completions";

async fn ask(client: &Client, body: &Value, wish: &str) -> Reply {
    let request = client.request("POST", CHAT).json(body);
    client.send(if wish.is_empty() { request } else { request.header("cache-control", wish) }).await
}

fn told(reply: &Reply) -> String {
    reply.header("cache-status").split("; ttl").next().unwrap().to_owned()
}

async fn the_same_question_is_asked_once_and_costs_nothing_again(database: Database) {
    let upstream = Upstream::start(|n| match n {
        // The fourth question is cut, and answered when it is asked again.
        3 => Conduct::CutAfter(2),
        _ => Conduct::Words(3),
    })
    .await;
    let settings = settings(&upstream, &[("SOUK__ASSISTANT__ANSWERS", "always")]);
    let settings: Vec<_> = settings.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let mut server = Server::prepared(database, &settings);
    server.run().await;
    let (admin, buyer, seller) =
        (server.signed_in("admin").await, server.signed_in("buyer").await, server.signed_in("seller").await);
    let whole = asks(false, 50);
    let first = ask(&buyer, &whole, "").await.expect(200);
    assert_eq!((told(&first).as_str(), first.header("age")), ("souk; fwd=miss; stored", ""));
    let again = ask(&buyer, &whole, "").await.expect(200);
    assert_eq!((told(&again).as_str(), again.text() == first.text()), ("souk; hit", true));
    assert!(again.header("age").parse::<u64>().unwrap() < 60);
    // A stream is another question, and is given again as a stream.
    let piecewise = asks(true, 50);
    let first = ask(&buyer, &piecewise, "").await.expect(200);
    let again = ask(&buyer, &piecewise, "").await.expect(200);
    assert_eq!((told(&first).as_str(), told(&again).as_str()), ("souk; fwd=miss", "souk; hit"));
    assert_eq!((again.text(), again.header("content-type")), (first.text(), "text/event-stream"));
    assert!(again.text().ends_with("data: [DONE]\n\n") && again.header("content-length").is_empty());
    // Nobody else is given it.
    assert_eq!(told(&ask(&seller, &whole, "").await.expect(200)), "souk; fwd=miss; stored");
    // What was cut is not kept.
    let other = asks(true, 49);
    assert!(ask(&buyer, &other, "").await.text().contains("provider_cut"));
    let mended = ask(&buyer, &other, "").await.expect(200);
    assert!(told(&mended) == "souk; fwd=miss" && mended.text().ends_with("data: [DONE]\n\n"));
    assert_eq!(upstream.counted().len(), 5);

    assert_eq!(told(&ask(&buyer, &whole, "max-age=0").await.expect(200)), "souk; fwd=request; stored");
    assert_eq!(told(&ask(&buyer, &whole, "no-cache, no-store").await.expect(200)), "souk; fwd=request");
    let unheard = ask(&buyer, &asks(false, 48), "only-if-cached").await.expect(504).json();
    assert_eq!(unheard["error"]["code"], "not_cached");
    assert_eq!(told(&ask(&buyer, &whole, "only-if-cached").await.expect(200)), "souk; hit");
    assert_eq!(upstream.counted().len(), 7);

    let until = Instant::now() + Duration::from_secs(30);
    let usage = loop {
        let usage = buyer.get("/api/v1/assistant/usage?groupBy=user").await.expect(200).json();
        if usage["items"][0]["calls"]["cached"] == 3 && usage["items"][0]["calls"]["reserved"] == 0 {
            break usage["items"][0].clone();
        }
        assert!(Instant::now() < until, "{usage}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    // Five whole ones of nine tokens asked and three answered, and one that was cut; three that were saved.
    assert_eq!((&usage["calls"]["settled"], &usage["savedTokens"]), (&json!(5), &json!(36)), "{usage}");
    let table = buyer.get("/api/v1/assistant/usage?groupBy=deployment&format=csv").await.expect(200).text();
    assert!(table.contains("\r\nsouk/kept,3,0,0,0,0,0,3,0,0,0,0,0,36,0,USD\r\n"), "{table}");
    let calls = buyer.get("/api/v1/assistant/calls?state=cached").await.expect(200).json();
    assert_eq!((&calls["items"][0]["cost"], &calls["items"][0]["tokens"]["prompt"]), (&json!("0"), &json!(9)));
    let metrics = admin.get("/metrics").await.text();
    assert!(metrics.contains("assistant_tokens_saved_total 36"), "what was saved is counted");
}

#[tokio::test(flavor = "multi_thread")]
async fn nodes_keep_them_together_and_what_somebody_was_told_goes_with_them() {
    let redis = RedisServer::start();
    let upstream = Upstream::start(|_| Conduct::Words(3)).await;
    let settings = settings(&upstream, &[("SOUK__ASSISTANT__ANSWERS", "asked")]);
    let settings: Vec<_> = settings.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let corner: Corner = redis.corner();
    let cluster = Cluster::start(Database::postgres_with(Some(corner)), 2, &settings).await;
    let [here, there] = &cluster.nodes[..] else { panic!("two nodes") };
    let (admin, buyer) = (here.signed_in("admin").await, here.signed_in("buyer").await);
    let elsewhere = buyer.at(there.url());
    let body = asks(false, 50);
    assert_eq!(told(&ask(&buyer, &body, "").await.expect(200)), "souk; fwd=bypass", "nobody said how old it may be");
    assert_eq!(told(&ask(&buyer, &body, "max-age=600").await.expect(200)), "souk; fwd=miss; stored");
    assert_eq!(told(&ask(&elsewhere, &body, "max-age=600").await.expect(200)), "souk; hit");
    assert_eq!(upstream.counted().len(), 2);
    let me = buyer.get("/api/v1/users/me").await.expect(200).json();
    let person = me["id"].as_str().unwrap().replace('-', "");
    let kept = || redis.tell(&format!("EVAL \"return #redis.call('KEYS', '*answers:of:{person}:*')\" 0"));
    assert_eq!(kept(), ":1");
    let value = redis.tell(&format!(
        "EVAL \"local k = redis.call('KEYS', '*answers:of:{person}:*')[1] return string.find(redis.call('GET', k), 'word') or -1\" 0"
    ));
    assert_eq!(value, ":-1", "nothing of it can be read where it lies");
    admin.delete(&format!("/api/v1/users/{}", me["id"].as_str().unwrap())).await.expect(200);
    let until = Instant::now() + Duration::from_secs(30);
    while kept() != ":0" {
        assert!(Instant::now() < until, "{}", kept());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
