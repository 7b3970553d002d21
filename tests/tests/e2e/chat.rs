//! Conversations from outside: answers are kept as they are said, and whoever comes back is told all of it, on any node.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use souk_e2e::{Client, Cluster, Conduct, Database, Server, Upstream, on_each_database};

use crate::shop;

on_each_database!(
    an_answer_is_streamed_and_kept_over_a_restart,
    a_cut_upstream_is_an_error_and_what_it_said_is_kept,
    whoever_goes_away_ends_the_answer_unless_it_is_to_go_on,
    an_answer_is_stopped_on_demand,
    what_is_longer_than_the_window_is_refused_at_both_doors_and_a_long_talk_is_cut_to_it,
    a_tool_does_what_its_person_may_and_writes_what_they_confirm,
);

const SETTLED: &str = "SELECT count(*) FROM assistant_calls WHERE state = 'settled'";

fn settings(upstream: &Upstream) -> Vec<(&'static str, String)> {
    vec![
        ("SOUK__ASSISTANT__PROVIDERS__NEAR__PROTOCOL", "compatible".to_owned()),
        ("SOUK__ASSISTANT__PROVIDERS__NEAR__URL", upstream.url()),
        ("SOUK__ASSISTANT__PROVIDERS__NEAR__FIRST_SECONDS", "60".to_owned()),
        ("SOUK__ASSISTANT__MODELS__SMALL__DEPLOYMENTS", "near/upstream".to_owned()),
        ("SOUK__ASSISTANT__MODELS__SMALL__MAX_OUTPUT", "1000".to_owned()),
        ("SOUK__ASSISTANT__AGAIN_AFTER_MS", "0".to_owned()),
    ]
}

async fn assisted(database: Database, upstream: &Upstream) -> Server {
    assisted_with(database, upstream, &[]).await
}

async fn assisted_with(database: Database, upstream: &Upstream, more: &[(&str, &str)]) -> Server {
    let settings = settings(upstream);
    let own = settings.iter().map(|(name, value)| (*name, value.as_str()));
    let settings: Vec<(&str, &str)> = own.chain(more.iter().copied()).collect();
    let mut server = Server::prepared(database, &settings);
    server.run().await;
    server
}

fn asks(id: &str, text: &str, more: &Value) -> Value {
    let message = json!({ "id": id, "role": "user", "parts": [{ "type": "text", "text": text }] });
    let mut body = json!({ "id": "chat-1", "trigger": "submit-message", "messages": [message] });
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    body
}

/// What a stream says: its text, and the type of its last chunk before the mark of the end.
fn said(stream: &str) -> (String, String) {
    assert!(stream.ends_with("data: [DONE]\n\n"), "{stream}");
    let chunks: Vec<Value> = stream
        .split("\n\n")
        .filter_map(|one| one.strip_prefix("data: "))
        .filter_map(|data| serde_json::from_str(data).ok())
        .collect();
    assert_eq!((&chunks[0]["type"], &chunks[1]["type"]), (&json!("start"), &json!("start-step")));
    let text = chunks.iter().filter_map(|chunk| chunk["delta"].as_str()).collect();
    (text, chunks.last().unwrap()["type"].as_str().unwrap().to_owned())
}

/// The messages of the one conversation there is.
async fn messages(client: &Client) -> Vec<Value> {
    let listed = client.get("/api/v1/conversations").await.expect(200).json();
    let path = format!("/api/v1/conversations/{}/messages", listed["items"][0]["id"].as_str().unwrap());
    client.get(&path).await.expect(200).json()["items"].as_array().unwrap().clone()
}

/// The last message, once it is in this state.
async fn until(client: &Client, state: &str) -> Value {
    let until = Instant::now() + Duration::from_mins(1);
    loop {
        let last = messages(client).await.pop().unwrap();
        if last["state"] == state {
            return last;
        }
        assert!(Instant::now() < until, "{last}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Reads the beginning of an answer and goes away.
async fn leaves(client: &Client, body: &Value) {
    let request = client.request("POST", "/api/v1/chat").json(body);
    let mut answer = request.send().await.unwrap();
    let mut text = String::new();
    while !text.contains("text-delta") {
        text.push_str(std::str::from_utf8(&answer.chunk().await.unwrap().unwrap()).unwrap());
    }
}

async fn an_answer_is_streamed_and_kept_over_a_restart(database: Database) {
    let upstream = Upstream::start(|_| Conduct::Words(3)).await;
    let mut server = assisted(database, &upstream).await;
    let buyer = server.signed_in("buyer").await;
    let answer = buyer.post("/api/v1/chat", &asks("m1", "Hello?", &json!({}))).await.expect(200);
    assert_eq!(answer.header("x-vercel-ai-ui-message-stream"), "v1");
    assert_eq!(said(&answer.text()), ("word word word ".to_owned(), "finish".to_owned()));
    server.tables().until(SETTLED, 1).await;
    server.kill();
    server.run().await;
    let buyer = server.signed_in("buyer").await;
    let kept = messages(&buyer).await;
    assert_eq!(
        (&kept[0]["parts"][0]["text"], &kept[1]["parts"][1]["text"]),
        (&json!("Hello?"), &json!("word word word "))
    );
    assert_eq!((&kept[1]["state"], &kept[1]["usage"]["outputTokens"]), (&json!("done"), &json!(3)));
    buyer.post("/api/v1/chat", &asks("m2", "And now?", &json!({}))).await.expect(200);
    let asked = &upstream.counted()[1].asked;
    let contents: Vec<_> = asked["messages"].as_array().unwrap().iter().map(|one| one["content"].to_string()).collect();
    assert_eq!(contents.len(), 3, "{asked}");
    assert!(contents[0].contains("Hello?") && contents[1].contains("word word") && contents[2].contains("And now?"));
    server.tables().until(SETTLED, 2).await;
    assert!(!server.log().contains("Hello?") && !server.log().contains("And now?"), "what is said is not for the logs");
    let found = buyer.get("/api/v1/conversations?search=hel").await.expect(200).json();
    assert_eq!(found["items"].as_array().unwrap().len(), 1);
}

async fn a_cut_upstream_is_an_error_and_what_it_said_is_kept(database: Database) {
    let upstream = Upstream::start(|_| Conduct::CutAfter(4)).await;
    let server = assisted(database, &upstream).await;
    let buyer = server.signed_in("buyer").await;
    let answer = buyer.post("/api/v1/chat", &asks("m1", "Hello?", &json!({}))).await.expect(200).text();
    assert_eq!(said(&answer), ("word word word word ".to_owned(), "error".to_owned()));
    assert!(answer.contains("(provider_cut)"), "{answer}");
    let last = until(&buyer, "cut").await;
    assert_eq!(last["parts"][1]["text"], "word word word word ");
}

async fn whoever_goes_away_ends_the_answer_unless_it_is_to_go_on(database: Database) {
    let upstream = Upstream::start(|n| match n {
        0 => Conduct::Endless(Duration::from_millis(20)),
        _ => Conduct::Slowly(60, Duration::from_millis(20)),
    })
    .await;
    let server = assisted(database, &upstream).await;
    let buyer = server.signed_in("buyer").await;
    leaves(&buyer, &asks("m1", "Hello?", &json!({}))).await;
    let went = Instant::now();
    let counted = upstream.until("the call ended", |all| all[0].left.is_some()).await;
    let left = counted[0].left.unwrap().saturating_duration_since(went);
    assert!(left < Duration::from_secs(1), "after {left:?}");
    let last = until(&buyer, "cut").await;
    assert!(last["parts"][1]["text"].as_str().unwrap().starts_with("word "), "{last}");
    buyer.get("/api/v1/chat/chat-1/stream").await.expect(204);

    leaves(&buyer, &asks("m2", "And now?", &json!({ "resumable": true }))).await;
    let resumed = buyer.get("/api/v1/chat/chat-1/stream").await.expect(200).text();
    assert_eq!(said(&resumed), ("word ".repeat(60), "finish".to_owned()));
    assert_eq!(until(&buyer, "done").await["parts"][1]["text"], "word ".repeat(60));
    assert!(upstream.counted()[1].left.is_none(), "it went on");
}

async fn what_is_longer_than_the_window_is_refused_at_both_doors_and_a_long_talk_is_cut_to_it(database: Database) {
    let upstream = Upstream::start(|_| Conduct::Words(3)).await;
    // A thousand tokens for an answer, and a little less for what is asked.
    let small = [
        ("SOUK__ASSISTANT__MODELS__SMALL__WINDOW", "2000"),
        ("SOUK__CHAT__TOOL_ROUNDS", "0"),
        ("SOUK__CHAT__SUMMARY_TOKENS", "0"),
    ];
    let server = assisted_with(database, &upstream, &small).await;
    let buyer = server.signed_in("buyer").await;
    let long = "word ".repeat(4_000);
    let refused = buyer.post("/api/v1/chat", &asks("m1", &long, &json!({}))).await.expect(400).text();
    assert!(refused.contains("context_length_exceeded"), "{refused}");
    let body = json!({ "model": "small", "messages": [{ "role": "user", "content": long }] });
    let refused = buyer.post("/v1/chat/completions", &body).await.expect(400).json();
    assert_eq!(
        (&refused["error"]["code"], &refused["error"]["param"]),
        (&json!("context_length_exceeded"), &json!("messages"))
    );
    assert!(upstream.counted().is_empty(), "nobody was asked");
    assert_eq!(server.tables().number("SELECT count(*) FROM assistant_calls"), 0);
    assert_eq!(buyer.get("/api/v1/conversations").await.expect(200).json()["items"], json!([]), "and it left no trace");
    for number in 1..=5 {
        let text = format!("Question {number}: {}", "word ".repeat(250));
        buyer.post("/api/v1/chat", &asks(&format!("m{number}"), &text, &json!({}))).await.expect(200);
    }
    let asked = upstream.counted().pop().unwrap().asked["messages"].to_string();
    assert!(
        asked.contains("Question 5:") && asked.contains("Question 4:") && !asked.contains("Question 1:"),
        "{asked}"
    );
    assert!(asked.len() < 2_000 * 4, "{} bytes", asked.len());
    assert_eq!(messages(&buyer).await.len(), 10, "all of it is kept");
}

async fn an_answer_is_stopped_on_demand(database: Database) {
    let upstream = Upstream::start(|_| Conduct::Endless(Duration::from_millis(20))).await;
    let server = assisted(database, &upstream).await;
    let buyer = server.signed_in("buyer").await;
    leaves(&buyer, &asks("m1", "Hello?", &json!({ "resumable": true }))).await;
    buyer.delete("/api/v1/chat/chat-1/stream").await.expect(200);
    upstream.until("the call ended", |all| all[0].left.is_some()).await;
    until(&buyer, "cut").await;
    // A new question ends what is under way; so does deleting the conversation.
    leaves(&buyer, &asks("m2", "And now?", &json!({ "resumable": true }))).await;
    leaves(&buyer, &asks("m3", "And now?", &json!({ "resumable": true }))).await;
    upstream.until("the call ended", |all| all[1].left.is_some()).await;
    let listed = buyer.get("/api/v1/conversations").await.expect(200).json();
    let path = format!("/api/v1/conversations/{}", listed["items"][0]["id"].as_str().unwrap());
    buyer.delete(&path).await.expect(200);
    upstream.until("the call ended", |all| all[2].left.is_some()).await;
    assert_eq!(server.tables().number("SELECT count(*) FROM conversation_messages"), 0);
}

/// What came of the tool in an answer.
fn outcome(stream: &str) -> Value {
    let chunks = stream.split("\n\n").filter_map(|one| one.strip_prefix("data: "));
    let mut chunks = chunks.filter_map(|data| serde_json::from_str::<Value>(data).ok());
    chunks.find(|chunk| chunk["type"].as_str().is_some_and(|kind| kind.starts_with("tool-output"))).unwrap()
}

async fn a_tool_does_what_its_person_may_and_writes_what_they_confirm(database: Database) {
    let upstream = Upstream::start(|n| match n {
        0 => Conduct::Uses("draft_listing", r#"{"name":"A walnut lamp","price":"49.00"}"#),
        2 => Conduct::Uses("list_own_products", r#"{"limit":5,"sellerId":"00000000-0000-7000-8000-000000000009"}"#),
        4.. => Conduct::Uses("search_products", r#"{"query":"lamp"}"#),
        _ => Conduct::Words(2),
    })
    .await;
    let server = assisted(database, &upstream).await;
    let seller = server.signed_in("seller").await;
    let answer = seller.post("/api/v1/chat", &asks("m1", "Draft a lamp", &json!({}))).await.expect(200).text();
    assert_eq!(said(&answer), ("word word ".to_owned(), "finish".to_owned()), "{answer}");
    let proposal = outcome(&answer)["output"].clone();
    assert_eq!(proposal["status"], "proposed", "{answer}");
    let drafts = || server.tables().number("SELECT count(*) FROM products WHERE name = 'A walnut lamp'");
    assert_eq!(drafts(), 0, "nothing is written that nobody confirmed");
    let word = proposal["confirmation"].as_str().unwrap();
    assert!(!upstream.counted()[1].asked.to_string().contains(word), "the model cannot confirm it");
    // The person can, once; and nobody else.
    let confirm = json!({ "tool": "draft_listing", "arguments": proposal["arguments"], "confirmation": word });
    let calls = "/api/v1/assistant/tools/calls";
    let other = shop::seller(&server, "other@example.com").await;
    other.post(calls, &confirm).await.error(400, "VALIDATION_ERROR");
    seller.post(calls, &confirm).await.expect(200);
    seller.post(calls, &confirm).await.expect(200);
    assert_eq!(drafts(), 1);
    // Somebody else's account is not there for them, whatever the model wants.
    let answer = seller.post("/api/v1/chat", &asks("m2", "Those of others", &json!({}))).await.expect(200).text();
    assert_eq!(outcome(&answer)["type"], "tool-output-error", "{answer}");
    assert!(upstream.counted()[3].asked.to_string().contains("Seller not found"), "{}", upstream.counted()[3].asked);
    // A model that never stops wanting tools is stopped.
    let answer = seller.post("/api/v1/chat", &asks("m3", "And on", &json!({}))).await.expect(200).text();
    assert_eq!(said(&answer).1, "error");
    assert!(answer.contains("(tool_loop)"), "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_is_resumed_on_another_node_and_ends_with_the_node_that_makes_it() {
    let upstream = Upstream::start(|n| match n {
        0 => Conduct::Slowly(100, Duration::from_millis(20)),
        _ => Conduct::Endless(Duration::from_millis(20)),
    })
    .await;
    let settings = settings(&upstream);
    let settings: Vec<(&str, &str)> = settings.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let mut cluster = Cluster::start(Database::postgres(), 2, &settings).await;
    let buyer = cluster.nodes[0].signed_in("buyer").await;
    let there = buyer.at(cluster.nodes[1].url());
    leaves(&buyer, &asks("m1", "Hello?", &json!({ "resumable": true }))).await;
    let resumed = there.get("/api/v1/chat/chat-1/stream").await.expect(200).text();
    assert_eq!(said(&resumed), ("word ".repeat(100), "finish".to_owned()));

    leaves(&buyer, &asks("m2", "And now?", &json!({ "resumable": true }))).await;
    let mut reading = there.request("GET", "/api/v1/chat/chat-1/stream").send().await.unwrap();
    let mut text = String::new();
    while !text.contains("text-delta") {
        text.push_str(std::str::from_utf8(&reading.chunk().await.unwrap().unwrap()).unwrap());
    }
    cluster.nodes[0].kill();
    while let Some(chunk) = reading.chunk().await.unwrap() {
        text.push_str(std::str::from_utf8(&chunk).unwrap());
    }
    assert_eq!(said(&text.replace(": \n\n", "")).1, "error");
    assert_eq!(until(&there, "cut").await["fault"], "The server that made this answer ended");
    there.get("/api/v1/chat/chat-1/stream").await.expect(204);
    // It is answered on as if nothing had been.
    leaves(&there, &asks("m3", "And now?", &json!({}))).await;
}
