//! What a model is told beside the end of a conversation, from outside: what was said elsewhere and what was summed up. Without either the
//! talk goes on.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use souk_e2e::{Client, Conduct, Database, Fault, FaultProxy, Server, Upstream, on_each_database};

on_each_database!(
    what_was_said_elsewhere_is_found_by_its_meaning_and_words_do_without_it,
    the_model_that_comes_with_the_program_does_for_that_too,
    what_cannot_be_recalled_is_not_missed,
    what_does_not_fit_is_told_in_short_and_without_that_the_talk_goes_on,
);

async fn started(database: Database, upstream: &Upstream, more: &[(&str, &str)]) -> Server {
    let url = upstream.url();
    let own = [
        ("SOUK__ASSISTANT__PROVIDERS__NEAR__PROTOCOL", "compatible"),
        ("SOUK__ASSISTANT__PROVIDERS__NEAR__URL", url.as_str()),
        ("SOUK__ASSISTANT__MODELS__SMALL__DEPLOYMENTS", "near/upstream"),
        ("SOUK__ASSISTANT__AGAIN_AFTER_MS", "0"),
        // It is to answer, however it did before.
        ("SOUK__DEPENDENCIES__ASSISTANT__RESET_SECONDS", "1"),
    ];
    let mut server = Server::prepared(database, &[&own[..], more].concat());
    server.run().await;
    server
}

/// Says something in a conversation, and waits for the whole answer.
async fn says(client: &Client, conversation: &str, text: &str) {
    let message = json!({ "role": "user", "parts": [{ "type": "text", "text": text }] });
    let body = json!({ "id": conversation, "trigger": "submit-message", "messages": [message] });
    let answer = client.post("/api/v1/chat", &body).await.expect(200).text();
    assert!(answer.contains("\"type\":\"finish\""), "{answer}");
}

/// What the model was told last.
fn told(upstream: &Upstream) -> String {
    upstream.counted().last().unwrap().asked["messages"].to_string()
}

/// What a counter says, 0 when there is none.
async fn counted(server: &Server, name: &str) -> u64 {
    let metrics = server.client().get("/metrics").await.expect(200).text();
    let mut lines = metrics.lines().filter_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    lines.next().map_or(0, |value| value.parse().unwrap())
}

async fn what_was_said_elsewhere_is_found_by_its_meaning_and_words_do_without_it(database: Database) {
    let upstream = Upstream::start(|_| Conduct::Words(2)).await;
    let meanings = Upstream::start(|_| Conduct::Words(1)).await;
    let (way, address) = FaultProxy::before(&meanings.url());
    let more = [
        ("SOUK__CHAT__MEMORIES", "2"),
        ("SOUK__ASSISTANT__PROVIDERS__FAR__PROTOCOL", "compatible"),
        ("SOUK__ASSISTANT__PROVIDERS__FAR__URL", address.as_str()),
        ("SOUK__ASSISTANT__MODELS__VECTORS__DEPLOYMENTS", "far/three"),
        ("SOUK__ASSISTANT__MODELS__VECTORS__DIMENSION", "3"),
        ("SOUK__ASSISTANT__SEARCH_EMBEDDING", "vectors"),
    ];
    let server = started(database, &upstream, &more).await;
    let buyer = server.signed_in("buyer").await;
    says(&buyer, "chat-1", "My uncle sold me an old vessel").await;
    says(&buyer, "chat-2", "Which boat was it?").await;
    assert!(told(&upstream).contains("My uncle"), "no word is the same: {}", told(&upstream));
    says(&buyer, "chat-3", "Where is my lantern?").await;
    assert!(!told(&upstream).contains("My uncle"), "that is something else: {}", told(&upstream));
    let other = server.signed_in("seller").await;
    says(&other, "chat-1", "Which boat was it?").await;
    assert!(!told(&upstream).contains("My uncle"), "of others nothing is remembered");
    assert_eq!(counted(&server, "memory_recalled_by_words_total").await, 0);

    way.set(Fault::Refuse);
    says(&buyer, "chat-4", "Which boat was it?").await;
    assert!(!told(&upstream).contains("My uncle"), "{}", told(&upstream));
    says(&buyer, "chat-5", "Who sold me the old one, was it my uncle?").await;
    assert!(told(&upstream).contains("My uncle sold me an old vessel"), "words do: {}", told(&upstream));
    assert_eq!(counted(&server, "memory_recalled_by_words_total").await, 2);
    assert_eq!(counted(&server, "memory_recall_failed_total").await, 0);
    assert!(server.log().contains("memory_recalled_by_words") && !server.log().contains("vessel"), "{}", server.log());
    server.settled().await;
}

async fn the_model_that_comes_with_the_program_does_for_that_too(database: Database) {
    let upstream = Upstream::start(|_| Conduct::Words(2)).await;
    let server = started(database, &upstream, &[("SOUK__CHAT__MEMORIES", "1")]).await;
    let buyer = server.signed_in("buyer").await;
    says(&buyer, "chat-1", "An old vessel, please").await;
    says(&buyer, "chat-2", "My grandmother knitted socks and pullovers").await;
    says(&buyer, "chat-3", "Are there ships and boats?").await;
    let told = told(&upstream);
    assert!(told.contains("An old vessel") && !told.contains("grandmother"), "no word is the same: {told}");
}

async fn what_cannot_be_recalled_is_not_missed(database: Database) {
    let upstream = Upstream::start(|_| Conduct::Words(2)).await;
    let server = started(database, &upstream, &[("SOUK__CHAT__MEMORIES", "2")]).await;
    let buyer = server.signed_in("buyer").await;
    says(&buyer, "chat-1", "My uncle sold me an old vessel").await;
    let again = "What did my uncle sell, an old vessel?";
    says(&buyer, "chat-2", again).await;
    assert!(told(&upstream).contains("My uncle sold"), "{}", told(&upstream));
    // Nobody can read any more what was said.
    server.tables().run("UPDATE conversation_messages SET parts = 'damaged'");
    says(&buyer, "chat-3", again).await;
    assert!(told(&upstream).contains(again) && !told(&upstream).contains("My uncle sold"), "{}", told(&upstream));
    assert_eq!(counted(&server, "memory_recall_failed_total").await, 1);
    assert!(server.log().contains("memory_recall_failed"), "{}", server.log());
}

async fn what_does_not_fit_is_told_in_short_and_without_that_the_talk_goes_on(database: Database) {
    // The third call is asked to tell in short, and so is the fifth, which is refused.
    let upstream = Upstream::start(|n| match n {
        2 => Conduct::Words(7),
        4 => Conduct::Refuse(400),
        _ => Conduct::Words(1),
    })
    .await;
    let more = [("SOUK__CHAT__CONTEXT_MESSAGES", "1"), ("SOUK__CHAT__SUMMARY_TOKENS", "1")];
    let server = started(database, &upstream, &more).await;
    let buyer = server.signed_in("buyer").await;
    let short = "word ".repeat(7);
    says(&buyer, "chat-1", "My uncle sold me an old vessel").await;
    says(&buyer, "chat-1", "And now?").await;
    let asked = upstream.until("it is told in short", |all| all.len() == 3).await[2].asked.to_string();
    assert!(asked.contains("My uncle sold me") && asked.contains("minutes"), "{asked}");
    let kept = "SELECT count(*) FROM conversations WHERE summary IS NOT NULL";
    let until = Instant::now() + Duration::from_mins(1);
    while server.tables().number(kept) == 0 {
        assert!(Instant::now() < until, "it is not kept");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    says(&buyer, "chat-1", "Go on").await;
    let asked = upstream.counted()[3].asked["messages"].to_string();
    assert!(asked.contains(short.trim_end()) && !asked.contains("My uncle"), "the summary stands for it: {asked}");
    upstream.until("it is to be told in short again", |all| all.len() == 5).await;
    says(&buyer, "chat-1", "And on").await;
    let asked = upstream.counted()[5].asked["messages"].to_string();
    assert!(asked.contains(short.trim_end()), "what was summed up before is left: {asked}");
    let listed: Value = buyer.get("/api/v1/conversations").await.expect(200).json();
    assert_eq!(listed["items"].as_array().unwrap().len(), 1);
}
