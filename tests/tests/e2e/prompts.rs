//! Prompts from outside: written, rendered and rolled back over a restart, and hostile templates that cost nothing.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use souk_e2e::{Client, Conduct, Database, Server, Upstream, on_each_database};

on_each_database!(
    a_prompt_is_written_tried_and_rolled_back,
    no_template_holds_the_shop_up,
    a_prompt_asks_a_model_and_its_answers_are_counted,
    an_answer_is_heard_as_it_is_said_and_ends_when_nobody_hears_it,
    with_a_key_an_answer_is_made_once,
);

const BASE: &str = "/api/v1/assistant/prompts";

fn says(system: &str) -> Value {
    json!({
        "messages": [
            { "role": "system", "template": system },
            { "role": "user", "template": "{{ title }}{% for note in notes %}\n- {{ note }}{% endfor %}" },
        ],
        "variables": [
            { "name": "title", "type": "text", "maxLength": 2000 },
            { "name": "notes", "type": "texts", "default": [] },
        ],
    })
}

async fn written(admin: &Client, name: &str, version: &Value) {
    admin.post(BASE, &json!({ "name": name })).await.expect(201);
    admin.post(&format!("{BASE}/{name}/versions"), version).await.expect(201);
}

async fn split(admin: &Client, name: &str, weights: &[(u32, u32)]) {
    let shares: Vec<_> =
        weights.iter().map(|(version, weight)| json!({ "version": version, "weight": weight })).collect();
    admin.put(&format!("{BASE}/{name}/split"), &json!({ "shares": shares })).await.expect(200);
}

async fn a_prompt_is_written_tried_and_rolled_back(database: Database) {
    let mut server = Server::start(database).await;
    let admin = server.signed_in("admin").await;
    written(&admin, "sell", &says("You sell.")).await;
    admin.post(&format!("{BASE}/sell/versions"), &says("You sell loudly.")).await.expect(201);
    split(&admin, "sell", &[(1, 100)]).await;
    split(&admin, "sell", &[(2, 100)]).await;

    let buyer = server.signed_in("buyer").await;
    let render = format!("{BASE}/sell/render");
    let values = json!({ "variables": { "title": "{{ 7 * 7 }} {% include 'x' %}", "notes": ["<b>\"é\"</b>", "日本 \u{1f4a1}"] } });
    let told = buyer.post(&render, &values).await.expect(200).json();
    assert_eq!(
        (&told["version"], &told["messages"][1]["text"]),
        (&json!(2), &json!("{{ 7 * 7 }} {% include 'x' %}\n- <b>\"é\"</b>\n- 日本 \u{1f4a1}")),
        "values stand as they are"
    );
    let refused = buyer.post(&render, &json!({ "variables": { "notes": "none" } })).await.expect(400);
    assert!(refused.text().contains("/variables/title") && refused.text().contains("/variables/notes"));
    buyer.post(&format!("{BASE}/sell/rollback"), &json!({})).await.expect(403);

    server.kill();
    server.run().await;
    let admin = server.signed_in("admin").await;
    admin.post(&format!("{BASE}/sell/rollback"), &json!({})).await.expect(200);
    let buyer = server.signed_in("buyer").await;
    let told = buyer.post(&render, &values).await.expect(200).json();
    assert_eq!((&told["version"], &told["messages"][0]["text"]), (&json!(1), &json!("You sell.")));
    let actions = server.tables().run("SELECT action FROM audit_logs WHERE entity_type = 'prompt' ORDER BY id");
    let actions = actions.concat().join(" ");
    assert!(actions.contains("prompt.roll_back") && actions.contains("prompt.write_version"), "{actions}");
    let calls = server.tables().number("SELECT count(*) FROM assistant_calls");
    assert_eq!(calls, 0, "nobody was asked");
}

async fn no_template_holds_the_shop_up(database: Database) {
    let server = Server::start(database).await;
    let admin = server.signed_in("admin").await;
    admin.post(BASE, &json!({ "name": "hostile" })).await.expect(201);
    let versions = format!("{BASE}/hostile/versions");
    let began = Instant::now();
    for template in [
        "{{ x }}".to_owned(),
        "{% for a in range(10**9) %}x{% endfor %}".to_owned(),
        "{% for a in range(99999) %}{% for b in range(99999) %}x{% endfor %}{% endfor %}".to_owned(),
        "{{ 'x' * 1000000000 }}".to_owned(),
        format!("{{{{ {}1{} }}}}", "(".repeat(5_000), ")".repeat(5_000)),
        "{% include '/etc/passwd' %}".to_owned(),
        "{{ debug() }}".to_owned(),
    ] {
        let body = json!({ "messages": [{ "role": "user", "template": template }] });
        let refused = admin.post(&versions, &body).await.expect(400);
        assert!(refused.text().contains("/messages/0/template"), "{template:.40}: {}", refused.text());
    }
    assert!(began.elapsed() < Duration::from_mins(2), "{:?}", began.elapsed());
    // What grows with its values ends too.
    let grows = json!({
        "messages": [{ "role": "user", "template": "{% for a in range(x|length) %}{% for b in range(x|length) %}word {% endfor %}{% endfor %}" }],
        "variables": [{ "name": "x", "type": "text", "maxLength": 2000 }],
    });
    admin.post(&versions, &grows).await.expect(201);
    let values = json!({ "version": 1, "variables": { "x": "x".repeat(2000) } });
    let refused = admin.post(&format!("{BASE}/hostile/render"), &values).await.expect(400);
    assert!(
        refused.text().contains("/variables") && refused.text().contains("message 0, line 1"),
        "{}",
        refused.text()
    );
    admin.get("/health").await.expect(200);
}

async fn assisted(database: Database, upstream: &Upstream) -> Server {
    let url = upstream.url();
    let settings = [
        ("SOUK__ASSISTANT__PROVIDERS__NEAR__PROTOCOL", "compatible"),
        ("SOUK__ASSISTANT__PROVIDERS__NEAR__URL", url.as_str()),
        ("SOUK__ASSISTANT__PROVIDERS__NEAR__FIRST_SECONDS", "60"),
        ("SOUK__ASSISTANT__MODELS__SMALL__DEPLOYMENTS", "near/upstream"),
        ("SOUK__ASSISTANT__MODELS__SMALL__MAX_OUTPUT", "1000"),
        ("SOUK__ASSISTANT__AGAIN_AFTER_MS", "0"),
    ];
    let mut server = Server::prepared(database, &settings);
    server.run().await;
    server
}

async fn a_prompt_asks_a_model_and_its_answers_are_counted(database: Database) {
    let upstream = Upstream::start(|n| match n {
        3 => Conduct::Refuse(400),
        4 => Conduct::Late(Duration::from_mins(1)),
        _ => Conduct::Words(3),
    })
    .await;
    let mut server = assisted(database, &upstream).await;
    let admin = server.signed_in("admin").await;
    written(&admin, "sell", &says("You sell.")).await;
    admin.post(&format!("{BASE}/sell/versions"), &says("You sell loudly.")).await.expect(201);
    split(&admin, "sell", &[(1, 50), (2, 50)]).await;
    let buyer = server.signed_in("buyer").await;
    let generations = format!("{BASE}/sell/generations");
    let values = json!({ "variables": { "title": "a secret lamp" } });

    let first = buyer.post(&generations, &values).await.expect(201).json();
    let version = first["version"].clone();
    assert_eq!((&first["text"], &first["usage"]["outputTokens"]), (&json!("word word word "), &json!(3)));
    for _ in 0..2 {
        let again = buyer.post(&generations, &values).await.expect(201).json();
        assert_eq!(again["version"], version, "the same one while the split holds");
        let outcome = format!("/api/v1/assistant/generations/{}/outcome", again["id"].as_str().unwrap());
        buyer.post(&outcome, &json!({ "value": true })).await.expect(200);
        admin.post(&outcome, &json!({ "value": false })).await.expect(404);
    }
    buyer.post(&generations, &values).await.expect(422);
    let told = &upstream.counted()[0].asked["messages"];
    let system = if version == 1 { "You sell." } else { "You sell loudly." };
    assert_eq!((&told[0]["content"], &told[1]["content"]), (&json!(system), &json!("a secret lamp")), "{told}");

    // Its node is killed while the model thinks: both rows are there, and the report knows of it.
    let mut lost = tokio::task::JoinSet::new();
    let (caller, asked) = (server.signed_in("buyer").await, generations.clone());
    lost.spawn(async move { caller.request("POST", &asked).json(&values).send().await });
    upstream.until("the fifth question came", |all| all.len() == 5).await;
    server.kill();
    lost.join_next().await;
    server.run().await;
    let tables = server.tables();
    assert_eq!(tables.number("SELECT count(*) FROM prompt_generations WHERE state = 'running'"), 1);
    let linked = "SELECT count(*) FROM assistant_calls c JOIN prompt_generations g ON g.id = c.generation_id";
    assert_eq!(tables.number(linked), 5, "every call that was begun has its row, and says what for");
    assert_eq!(tables.number(&format!("{linked} WHERE g.state = 'running' AND c.state = 'reserved'")), 1);
    let admin = server.signed_in("admin").await;
    let report = admin.get(&format!("{BASE}/sell/report")).await.expect(200).json();
    let own = &report["versions"][0];
    assert_eq!(
        (&own["version"], &own["runs"], &own["done"], &own["failed"], &own["open"]),
        (&version, &json!(5), &json!(3), &json!(1), &json!(1))
    );
    assert_eq!(
        (&own["outcomes"][0]["count"], &own["outcomes"][0]["mean"], &own["outcomes"][0]["tooFew"]),
        (&json!(2), &json!(1.0), &json!(true))
    );
    assert_eq!(own["tokens"]["completion"], 9, "{report}");
    assert!(!server.log().contains("a secret lamp"), "what is asked is not for the logs");
    for told in [
        "model || state || coalesce(reason, '') FROM prompt_generations",
        "metric FROM prompt_outcomes",
        "request || model || deployment || coalesce(fault, '') FROM assistant_calls",
        "CAST(payload AS text) FROM events",
        "CAST(metadata AS text) FROM audit_logs",
    ] {
        let all = tables.run(&format!("SELECT {told}")).concat().join(" ");
        assert!(!all.is_empty() && !all.contains("secret lamp") && !all.contains("word word"), "{told}: {all}");
    }
    admin.delete(&format!("{BASE}/sell")).await.expect(409);
}

/// A shop with a prompt that serves.
async fn selling(database: Database, upstream: &Upstream) -> (Server, Client) {
    let server = assisted(database, upstream).await;
    let admin = server.signed_in("admin").await;
    written(&admin, "sell", &says("You sell.")).await;
    split(&admin, "sell", &[(1, 1)]).await;
    let buyer = server.signed_in("buyer").await;
    (server, buyer)
}

async fn an_answer_is_heard_as_it_is_said_and_ends_when_nobody_hears_it(database: Database) {
    let upstream = Upstream::start(|n| match n {
        0 => Conduct::Words(3),
        1 => Conduct::CutAfter(4),
        2 => Conduct::Endless(Duration::from_millis(20)),
        _ => Conduct::Late(Duration::from_mins(1)),
    })
    .await;
    let (server, buyer) = selling(database, &upstream).await;
    let (tables, generations) = (server.tables(), format!("{BASE}/sell/generations"));
    let values = json!({ "variables": { "title": "lamp" } });
    let aloud = || buyer.request("POST", &generations).header("accept", "text/event-stream").json(&values);

    let whole = buyer.send(aloud()).await.expect(201).text();
    assert!(whole.contains("data: {\"text\":\"word \",\"type\":\"delta\"}"), "{whole}");
    let last = whole.trim_end().rsplit("\n\n").next().unwrap().strip_prefix("data: ").unwrap();
    let last: Value = serde_json::from_str(last).unwrap();
    assert_eq!(
        (&last["type"], &last["generation"]["text"], &last["generation"]["usage"]["outputTokens"]),
        (&json!("generation"), &json!("word word word "), &json!(3))
    );
    let cut = buyer.send(aloud()).await.expect(201).text();
    assert!(cut.contains("provider_cut") && !cut.contains("\"generation\""), "{cut}");

    let mut answer = aloud().send().await.unwrap();
    let heard = answer.chunk().await.unwrap().unwrap();
    assert!(!heard.is_empty());
    drop(answer);
    tables.until("SELECT count(*) FROM prompt_generations WHERE state = 'running'", 0).await;
    tables.until("SELECT count(*) FROM assistant_calls WHERE fault = 'abandoned'", 1).await;
    upstream.until("the provider is asked no further", |all| all.len() > 2 && all[2].left.is_some()).await;
    // And so it is with a whole one that nobody waits for.
    let whole = buyer.request("POST", &generations).json(&values).timeout(Duration::from_secs(2));
    assert!(buyer.try_send(whole).await.is_err(), "it was answered");
    tables.until("SELECT count(*) FROM prompt_generations WHERE reason = 'abandoned' AND state = 'failed'", 2).await;
    tables.until("SELECT count(*) FROM assistant_calls WHERE fault = 'abandoned'", 2).await;
    let linked = "SELECT count(*) FROM assistant_calls c JOIN prompt_generations g ON g.id = c.generation_id";
    assert_eq!(tables.number(linked), 4, "every call says what for");
}

async fn with_a_key_an_answer_is_made_once(database: Database) {
    let upstream = Upstream::start(|n| match n {
        0 => Conduct::Late(Duration::from_mins(1)),
        _ => Conduct::Late(Duration::from_secs(2)),
    })
    .await;
    let (mut server, buyer) = selling(database, &upstream).await;
    let (path, values) = (format!("{BASE}/sell/generations"), json!({ "variables": { "title": "lamp" } }));
    let keyed = |by: &Client, values: &Value| by.request("POST", &path).header("idempotency-key", "once").json(values);

    // While it is made, and while nobody knows that its node was killed.
    let mut asking = tokio::task::JoinSet::new();
    let (by, request) = (buyer.clone(), keyed(&buyer, &values));
    asking.spawn(async move { by.try_send(request).await.is_ok() });
    upstream.until("the first question came", |all| all.len() == 1).await;
    buyer.send(keyed(&buyer, &values)).await.expect(409);
    server.kill();
    assert_eq!(asking.join_next().await.unwrap().ok(), Some(false));
    server.run().await;
    let buyer = server.signed_in("buyer").await;
    buyer.send(keyed(&buyer, &values)).await.expect(409);
    server.tables().run("UPDATE prompt_generations SET state = 'failed', reason = 'lost', ended_at = started_at");

    let first = buyer.send(keyed(&buyer, &values)).await.expect(201);
    let again = buyer.send(keyed(&buyer, &values)).await.expect(201);
    assert_eq!((first.text(), again.header("idempotency-replayed")), (again.text(), "true"));
    buyer.send(keyed(&buyer, &json!({ "variables": { "title": "pen" } }))).await.expect(422);
    server.kill();
    server.run().await;
    let buyer = server.signed_in("buyer").await;
    assert_eq!(buyer.send(keyed(&buyer, &values)).await.expect(201).text(), first.text(), "it outlasts its node");
    assert_eq!(upstream.counted().len(), 2, "nobody was asked again");
}
