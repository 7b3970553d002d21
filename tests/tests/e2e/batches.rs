//! Batches of questions from outside: the whole way, a killed node, several nodes, a budget, and the end of rights.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use serde_json::{Value, json};
use souk_e2e::{Client, Cluster, Conduct, Database, PROMPT, Server, Upstream, on_each_database};

use crate::assistant::{asks, settings};

on_each_database!(
    a_batch_goes_its_whole_way_and_is_nobody_elses,
    a_file_with_faults_fails_and_nobody_is_asked,
    what_fails_is_asked_again_and_what_is_at_fault_is_not,
    a_node_is_killed_in_the_middle_and_every_line_is_answered_once,
    a_cancelled_batch_keeps_what_was_answered,
    a_batch_ends_with_the_rights_of_whoever_made_it,
    no_budget_is_overspent_by_a_batch_beside_other_calls,
    what_is_old_goes_and_so_does_what_was_somebodys,
);

/// How long a batch may take, on a machine that runs other tests too.
const PATIENCE: Duration = Duration::from_mins(2);

async fn shop(database: Database, upstream: &Upstream, more: &[(&str, &str)]) -> Server {
    let settings = settings(upstream, &[&[("SOUK__JOBS__LEASE_SECONDS", "2")], more].concat());
    let settings: Vec<(&str, &str)> = settings.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let mut server = Server::prepared(database, &settings);
    server.run().await;
    server
}

/// A line that asks the model of [`settings`].
pub(crate) fn line(custom_id: &str, most: u64) -> String {
    let body = json!({ "model": "small", "messages": [{ "role": "user", "content": "Hello?" }], "max_tokens": most });
    json!({ "custom_id": custom_id, "method": "POST", "url": "/v1/chat/completions", "body": body }).to_string()
}

fn lines(count: usize) -> String {
    (0..count).map(|n| line(&format!("line-{n}"), 50) + "\n").collect()
}

/// Brings a file.
async fn bring(client: &Client, purpose: &str, content: &str) -> souk_e2e::Reply {
    let mut body = Vec::new();
    for (head, text) in [
        ("name=\"purpose\"", purpose),
        ("name=\"file\"; filename=\"asked.jsonl\"\r\nContent-Type: application/jsonl", content),
    ] {
        body.extend(format!("--edge\r\nContent-Disposition: form-data; {head}\r\n\r\n{text}\r\n").bytes());
    }
    body.extend(b"--edge--\r\n");
    let request = client.request("POST", "/v1/files").header("content-type", "multipart/form-data; boundary=edge");
    client.send(request.body(body)).await
}

fn batch_of(file: &Value, endpoint: &str) -> Value {
    json!({ "input_file_id": file["id"], "endpoint": endpoint, "completion_window": "24h", "metadata": { "for": "a test" } })
}

/// Makes a batch of these lines.
async fn begin(client: &Client, content: &str) -> Value {
    let file = bring(client, "batch", content).await.expect(200).json();
    client.post("/v1/batches", &batch_of(&file, "/v1/chat/completions")).await.expect(200).json()
}

fn id(of: &Value) -> &str {
    of["id"].as_str().unwrap()
}

/// The batch once it is as it should be.
async fn until(client: &Client, batch: &Value, what: &str, there: impl Fn(&Value) -> bool) -> Value {
    let began = Instant::now();
    loop {
        let told = client.get(&format!("/v1/batches/{}", id(batch))).await.expect(200).json();
        if there(&told) {
            return told;
        }
        assert!(began.elapsed() < PATIENCE, "{what}: {told}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn ended(client: &Client, batch: &Value) -> Value {
    let over = ["completed", "failed", "expired", "cancelled"];
    until(client, batch, "it ends", |told| over.contains(&told["status"].as_str().unwrap())).await
}

/// The lines of a file.
async fn content(client: &Client, file: &Value) -> Vec<Value> {
    let Some(id) = file.as_str() else { return Vec::new() };
    let text = client.get(&format!("/v1/files/{id}/content")).await.expect(200).text();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn names(lines: &[Value]) -> Vec<&str> {
    lines.iter().map(|line| line["custom_id"].as_str().unwrap()).collect()
}

async fn a_batch_goes_its_whole_way_and_is_nobody_elses(database: Database) {
    let upstream = Upstream::start(|_| Conduct::Words(3)).await;
    let more = [
        ("SOUK__ASSISTANT__MODELS__VECTORS__DEPLOYMENTS", "near/vectors"),
        ("SOUK__ASSISTANT__MODELS__VECTORS__DIMENSION", "3"),
    ];
    let server = shop(database, &upstream, &more).await;
    let (buyer, seller) = (server.signed_in("buyer").await, server.signed_in("seller").await);
    let file = bring(&buyer, "batch", &lines(25)).await.expect(200).json();
    assert_eq!(
        (&file["object"], &file["purpose"], &file["filename"]),
        (&json!("file"), &json!("batch"), &json!("asked.jsonl"))
    );
    assert_eq!(bring(&buyer, "fine-tune", "{}").await.expect(400).json()["error"]["param"], "purpose");
    let batch = buyer.post("/v1/batches", &batch_of(&file, "/v1/chat/completions")).await.expect(200).json();
    assert_eq!((&batch["status"], &batch["metadata"]["for"]), (&json!("validating"), &json!("a test")));
    let told = ended(&buyer, &batch).await;
    assert_eq!(told["request_counts"], json!({ "total": 25, "completed": 25, "failed": 0 }), "{told}");
    assert_eq!((&told["status"], &told["error_file_id"]), (&json!("completed"), &Value::Null));
    assert_eq!(told["usage"]["total_tokens"], 25 * (PROMPT + 3));
    let output = content(&buyer, &told["output_file_id"]).await;
    let expected: Vec<String> = (0..25).map(|n| format!("line-{n}")).collect();
    assert_eq!(names(&output), expected, "in the order of the input");
    let first = &output[0];
    assert_eq!((&first["response"]["status_code"], &first["error"]), (&json!(200), &Value::Null));
    assert_eq!(first["response"]["body"]["choices"][0]["message"]["content"], "word word word ");
    assert_eq!(upstream.counted().len(), 25, "each was asked once");
    let rows = server.tables().number("SELECT count(*) FROM assistant_calls WHERE state = 'settled'");
    assert_eq!(rows, 25, "and each has its row");
    assert_eq!(
        server.tables().number("SELECT count(*) FROM assistant_batch_lines"),
        0,
        "what was said is in the file alone"
    );

    let vectors = json!({ "custom_id": "v", "method": "POST", "url": "/v1/embeddings", "body": { "model": "vectors", "input": ["a boat", "a lamp"] } });
    let source = bring(&buyer, "batch", &vectors.to_string()).await.expect(200).json();
    let made = buyer.post("/v1/batches", &batch_of(&source, "/v1/embeddings")).await.expect(200).json();
    let made = ended(&buyer, &made).await;
    let vectors = content(&buyer, &made["output_file_id"]).await;
    assert_eq!(vectors[0]["response"]["body"]["data"][1]["embedding"], json!([0.0, 1.0, 0.25]), "{made}");

    for path in [
        format!("/v1/files/{}", id(&file)),
        format!("/v1/files/{}/content", id(&file)),
        format!("/v1/files/{}/content", told["output_file_id"].as_str().unwrap()),
        format!("/v1/batches/{}", id(&batch)),
    ] {
        assert_eq!(seller.get(&path).await.expect(404).json()["error"]["type"], "invalid_request_error");
    }
    seller.post(&format!("/v1/batches/{}/cancel", id(&batch)), &json!({})).await.expect(404);
    seller.send(seller.request("DELETE", &format!("/v1/files/{}", id(&file)))).await.expect(404);
    seller.post("/v1/batches", &batch_of(&file, "/v1/chat/completions")).await.expect(404);
    assert_eq!(seller.get("/v1/files").await.expect(200).json()["data"], json!([]));

    let page = buyer.get("/v1/files?limit=2").await.expect(200).json();
    assert_eq!((page["data"].as_array().unwrap().len(), &page["has_more"]), (2, &json!(true)));
    let after = page["last_id"].as_str().unwrap();
    let rest = buyer.get(&format!("/v1/files?limit=2&after={after}")).await.expect(200).json();
    assert_eq!((rest["data"].as_array().unwrap().len(), &rest["has_more"]), (2, &json!(false)));
    let outputs = buyer.get("/v1/files?purpose=batch_output&order=asc").await.expect(200).json();
    assert_eq!(outputs["data"][0]["id"], told["output_file_id"]);
    let listed = buyer.get("/v1/batches").await.expect(200).json();
    assert_eq!((&listed["data"][0]["id"], &listed["data"][1]["id"]), (&made["id"], &batch["id"]));
    buyer.post(&format!("/v1/batches/{}/cancel", id(&batch)), &json!({})).await.expect(409);
    let gone = buyer.send(buyer.request("DELETE", &format!("/v1/files/{}", id(&file)))).await.expect(200).json();
    assert_eq!(gone["deleted"], true);
    buyer.get(&format!("/v1/files/{}", id(&file))).await.expect(404);
    assert!(!server.log().contains("Hello?"), "what is asked stands in no log");
    let metrics = server.client().get("/metrics").await.text();
    assert!(metrics.contains("assistant_batches_total{state=\"completed\"} 2"), "ends are counted");
    assert!(metrics.contains("assistant_batch_lines_total{outcome=\"answered\"} 26"), "and lines");
    let actions =
        "SELECT action, count(*) FROM audit_logs WHERE entity_type LIKE 'assistant_%' GROUP BY action ORDER BY action";
    let actions: Vec<String> = server.tables().run(actions).iter().map(|row| row.join(" ")).collect();
    assert_eq!(
        actions,
        ["assistant_batch.create 2", "assistant_batch.end 2", "assistant_file.create 4", "assistant_file.delete 1"]
    );
}

async fn a_file_with_faults_fails_and_nobody_is_asked(database: Database) {
    let upstream = Upstream::start(|_| Conduct::Words(3)).await;
    let server = shop(database, &upstream, &[("SOUK__ASSISTANT__BATCH_LINES", "5")]).await;
    let buyer = server.signed_in("buyer").await;
    let mut stream: Value = serde_json::from_str(&line("streams", 5)).unwrap();
    stream["body"]["stream"] = true.into();
    let mut unknown: Value = serde_json::from_str(&line("unknown", 5)).unwrap();
    unknown["body"]["model"] = "large".into();
    let content = [line("a", 5), String::new(), line("a", 5), "{".to_owned(), stream.to_string(), unknown.to_string()];
    let told = begin(&buyer, &content.join("\n")).await;
    let told = ended(&buyer, &told).await;
    assert_eq!((&told["status"], &told["request_counts"]["total"]), (&json!("failed"), &json!(0)));
    let faults = told["errors"]["data"].as_array().unwrap();
    let faults: Vec<_> = faults.iter().map(|one| format!("{} {} {}", one["line"], one["code"], one["param"])).collect();
    assert_eq!(
        faults,
        [
            "3 \"duplicate_custom_id\" \"custom_id\"",
            "4 \"invalid_json_line\" null",
            "5 \"invalid_value\" \"stream\"",
            "6 \"model_not_found\" \"model\""
        ]
    );
    let told = begin(&buyer, &lines(6)).await;
    assert_eq!(ended(&buyer, &told).await["errors"]["data"][0]["code"], "too_many_lines");
    let told = begin(&buyer, "\n").await;
    assert_eq!(ended(&buyer, &told).await["errors"]["data"][0]["code"], "empty_file");
    assert_eq!(upstream.counted().len(), 0);
    assert_eq!(server.tables().number("SELECT count(*) FROM assistant_calls"), 0);
}

async fn what_fails_is_asked_again_and_what_is_at_fault_is_not(database: Database) {
    let upstream = Upstream::start(|n| match n {
        0 => Conduct::Refuse(400),
        1 => Conduct::Refuse(500),
        _ => Conduct::Words(2),
    })
    .await;
    let server = shop(database, &upstream, &[("SOUK__ASSISTANT__BATCH_AT_ONCE", "1")]).await;
    let buyer = server.signed_in("buyer").await;
    let told = begin(&buyer, &lines(3)).await;
    let told = ended(&buyer, &told).await;
    assert_eq!(
        (&told["status"], &told["request_counts"]),
        (&json!("completed"), &json!({ "total": 3, "completed": 2, "failed": 1 }))
    );
    assert_eq!(names(&content(&buyer, &told["output_file_id"]).await), ["line-1", "line-2"]);
    let refused = content(&buyer, &told["error_file_id"]).await;
    assert_eq!((names(&refused), &refused[0]["response"]["status_code"]), (vec!["line-0"], &json!(400)));
    assert_eq!(refused[0]["response"]["body"]["error"]["code"], "provider_refused");
    assert_eq!(upstream.counted().len(), 4, "one of them twice");
    assert_eq!(server.tables().number("SELECT count(*) FROM assistant_calls"), 4);
}

async fn a_node_is_killed_in_the_middle_and_every_line_is_answered_once(database: Database) {
    const LINES: usize = 60;
    let upstream = Upstream::start(|_| Conduct::Late(Duration::from_millis(150))).await;
    let mut server = shop(database, &upstream, &[]).await;
    let mut buyer = server.signed_in("buyer").await;
    let batch = begin(&buyer, &lines(LINES)).await;
    for kill in 1..=2 {
        until(&buyer, &batch, "some lines are answered", |told| {
            told["request_counts"]["completed"].as_u64() >= Some(kill * 10)
        })
        .await;
        server.kill();
        server.run().await;
        buyer = server.signed_in("buyer").await;
    }
    let told = ended(&buyer, &batch).await;
    assert_eq!((&told["status"], &told["request_counts"]["completed"]), (&json!("completed"), &json!(LINES)), "{told}");
    let output = content(&buyer, &told["output_file_id"]).await;
    let expected: Vec<String> = (0..LINES).map(|n| format!("line-{n}")).collect();
    assert_eq!(names(&output), expected, "each once");
    // A call that was begun may not have reached the provider; none reached it without its row.
    let (asked, rows) = (upstream.counted().len(), server.tables().number("SELECT count(*) FROM assistant_calls"));
    println!("2 kills: {LINES} lines, the provider was asked {asked} times, {rows} calls have a row");
    assert!((LINES..=LINES + 2 * 4).contains(&asked), "only what was under way is asked again: {asked}");
    assert!(rows >= u64::try_from(asked).unwrap());
}

async fn a_cancelled_batch_keeps_what_was_answered(database: Database) {
    let upstream =
        Upstream::start(|n| if n < 6 { Conduct::Words(1) } else { Conduct::Late(Duration::from_mins(5)) }).await;
    let more = [("SOUK__ASSISTANT__PROVIDERS__NEAR__FIRST_SECONDS", "600"), ("SOUK__ASSISTANT__BATCH_AT_ONCE", "2")];
    let server = shop(database, &upstream, &more).await;
    let buyer = server.signed_in("buyer").await;
    let batch = begin(&buyer, &lines(20)).await;
    until(&buyer, &batch, "six lines are answered", |told| told["request_counts"]["completed"] == 6).await;
    upstream.until("two more are asked", |all| all.len() == 8).await;
    let input = batch["input_file_id"].as_str().unwrap();
    buyer.send(buyer.request("DELETE", &format!("/v1/files/{input}"))).await.expect(409);
    let path = format!("/v1/batches/{}/cancel", id(&batch));
    assert_eq!(buyer.post(&path, &json!({})).await.expect(200).json()["status"], "cancelling");
    buyer.post(&path, &json!({})).await.expect(200);
    let told = ended(&buyer, &batch).await;
    assert_eq!(told["status"], "cancelled");
    assert!(told["cancelling_at"].is_i64() && told["cancelled_at"].is_i64(), "{told}");
    assert_eq!(content(&buyer, &told["output_file_id"]).await.len(), 6);
    assert_eq!((&told["error_file_id"], upstream.counted().len()), (&Value::Null, 8));
    upstream.until("nobody waits for the two", |all| all.iter().filter(|one| one.left.is_some()).count() == 2).await;
}

async fn a_batch_ends_with_the_rights_of_whoever_made_it(database: Database) {
    let upstream = Upstream::start(|_| Conduct::Late(Duration::from_millis(200))).await;
    let server = shop(database, &upstream, &[("SOUK__ASSISTANT__BATCH_AT_ONCE", "2")]).await;
    let buyer = server.signed_in("buyer").await;
    let made = buyer
        .post("/api/v1/api-keys", &json!({ "name": "Robot", "scopes": ["assistant:use"] }))
        .await
        .expect(201)
        .json();
    let robot = buyer.with_token(made["text"].as_str().unwrap());
    let other = buyer
        .post("/api/v1/api-keys", &json!({ "name": "Other", "scopes": ["assistant:use"] }))
        .await
        .expect(201)
        .json();
    let other = buyer.with_token(other["text"].as_str().unwrap());
    let batch = begin(&robot, &lines(60)).await;
    other.get(&format!("/v1/batches/{}", id(&batch))).await.expect(404);
    until(&buyer, &batch, "some lines are answered", |told| told["request_counts"]["completed"].as_u64() >= Some(4))
        .await;
    buyer.send(buyer.request("DELETE", &format!("/api/v1/api-keys/{}", id(&made)))).await.expect(200);
    let told = ended(&buyer, &batch).await;
    assert_eq!((&told["status"], &told["errors"]["data"][0]["code"]), (&json!("failed"), &json!("not_authorized")));
    let answered = content(&buyer, &told["output_file_id"]).await.len();
    let asked = upstream.counted().len();
    assert!((4..60).contains(&answered) && asked < 60, "{answered} of {asked} that were asked");
    assert_eq!(told["request_counts"]["completed"], answered);
}

async fn no_budget_is_overspent_by_a_batch_beside_other_calls(database: Database) {
    // A question has 18 tokens at most and an answer 100: at 1.00 for a million that is 0.000118, and the budget has room for few.
    const BUDGET: u64 = 4_000_000;
    let upstream = Upstream::start(|_| Conduct::All).await;
    let more = [
        ("SOUK__ASSISTANT__BUDGETS__ALL__BY", "all"),
        ("SOUK__ASSISTANT__BUDGETS__ALL__COST", "0.004"),
        ("SOUK__ASSISTANT__BUDGETS__ALL__SPAN", "month"),
        ("SOUK__ASSISTANT__BATCH_AT_ONCE", "16"),
    ];
    let server = shop(database, &upstream, &more).await;
    let buyer = server.signed_in("buyer").await;
    let content_of: String = (0..60).map(|n| line(&format!("line-{n}"), 100) + "\n").collect();
    let batch = begin(&buyer, &content_of).await;
    let beside =
        join_all((0..30).map(|_| async { buyer.post("/v1/chat/completions", &asks(false, 100)).await.status })).await;
    assert!(beside.iter().all(|status| [200, 429].contains(status)), "{beside:?}");
    // The month is longer than the batch may take, unless it is about to end: then lines wait for the next.
    let told = until(&buyer, &batch, "it ends, or waits", |told| {
        let counts = &told["request_counts"];
        told["status"] == "completed" || counts["completed"].as_u64() >= Some(1) && counts["failed"] == 0
    })
    .await;
    if told["status"] == "completed" {
        let refused = content(&buyer, &told["error_file_id"]).await;
        assert!(!refused.is_empty(), "{told}");
        for one in &refused {
            assert_eq!(
                (&one["response"]["status_code"], &one["response"]["body"]["error"]["code"]),
                (&json!(429), &json!("insufficient_quota"))
            );
        }
    }
    let until = Instant::now() + PATIENCE;
    while server.tables().number("SELECT count(*) FROM assistant_calls WHERE state = 'reserved'") > 0 {
        assert!(Instant::now() < until, "calls end");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let spent = server.tables().number("SELECT CAST(sum(cost) AS bigint) FROM assistant_windows");
    let asked = u64::try_from(upstream.counted().len()).unwrap();
    println!("{asked} calls, a batch and {} beside it, spent {spent} of {BUDGET}", beside.len());
    assert!(spent <= BUDGET && spent == asked * (PROMPT + 100) * 1000, "{spent}");
}

async fn what_is_old_goes_and_so_does_what_was_somebodys(database: Database) {
    let upstream = Upstream::start(|_| Conduct::Words(1)).await;
    let server = shop(database, &upstream, &[]).await;
    let (buyer, admin) = (server.signed_in("buyer").await, server.signed_in("admin").await);
    let batch = begin(&buyer, &lines(2)).await;
    ended(&buyer, &batch).await;
    let count = || {
        server
            .tables()
            .number("SELECT (SELECT count(*) FROM assistant_files) + (SELECT count(*) FROM assistant_batches)")
    };
    assert_eq!(count(), 3);
    server.tables().run("UPDATE assistant_files SET created_at = '2020-01-01T00:00:00.000000Z'");
    server.tables().run("UPDATE assistant_batches SET ended_at = '2020-01-01T00:00:00.000000Z'");
    let none = async |what: &str| {
        let until = Instant::now() + PATIENCE;
        while count() > 0 {
            assert!(Instant::now() < until, "{what}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    admin.post("/api/v1/schedules/purge/run", &json!({})).await.expect(202);
    none("what is old goes").await;
    assert_eq!(
        server.tables().number("SELECT CAST(sum(refs) AS bigint) FROM blobs"),
        0,
        "and its bytes are held by nobody"
    );
    let batch = begin(&buyer, &lines(2)).await;
    ended(&buyer, &batch).await;
    let person = buyer.get("/api/v1/users/me").await.expect(200).json()["id"].as_str().unwrap().to_owned();
    let deleted = admin.send(admin.request("DELETE", &format!("/api/v1/users/{person}"))).await;
    assert!(deleted.status < 300, "{}: {}", deleted.what, deleted.text());
    none("what was of somebody goes with them").await;
    assert_eq!(server.tables().number("SELECT CAST(sum(refs) AS bigint) FROM blobs"), 0);
}

#[tokio::test]
async fn on_two_nodes_each_line_is_asked_once() {
    const LINES: usize = 40;
    let upstream = Upstream::start(|_| Conduct::Late(Duration::from_millis(30))).await;
    let shared = tempfile::tempdir().unwrap();
    let folder = shared.path().to_str().unwrap();
    let settings = settings(&upstream, &[("SOUK__BLOBS__PATH", folder)]);
    let settings: Vec<(&str, &str)> = settings.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let cluster = Cluster::start(Database::postgres(), 2, &settings).await;
    let buyer = cluster.nodes[0].signed_in("buyer").await;
    let second = buyer.at(cluster.nodes[1].url());
    let content = lines(LINES);
    let batches = join_all((0..4).map(|n| begin(if n % 2 == 0 { &buyer } else { &second }, &content))).await;
    for batch in &batches {
        let told = ended(&second, batch).await;
        assert_eq!(
            (&told["status"], &told["request_counts"]["completed"]),
            (&json!("completed"), &json!(LINES)),
            "{told}"
        );
        assert_eq!(self::content(&buyer, &told["output_file_id"]).await.len(), LINES);
    }
    assert_eq!(upstream.counted().len(), 4 * LINES, "no two nodes ask the same");
}
