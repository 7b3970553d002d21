//! The assistant from outside: what its models use is written down whatever happens, and no budget is overspent.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use serde_json::{Value, json};
use souk_e2e::{Client, Conduct, Counted, Database, PROMPT, Server, Upstream, on_each_database};

on_each_database!(
    answers_pass_through_and_each_call_has_its_row,
    many_calls_at_once_never_spend_more_than_a_budget,
    a_cut_upstream_is_an_error_and_what_it_said_is_written_down,
    whoever_goes_away_ends_the_call_within_a_second,
    every_call_has_a_row_though_the_node_is_killed,
    odd_answers_have_codes_of_their_own,
);

/// Settings of a shop whose one model is asked there: of 1.00 for a million tokens, and of 100 tokens at most.
pub(crate) fn settings(upstream: &Upstream, more: &[(&str, &str)]) -> Vec<(String, String)> {
    let own = [
        ("SOUK__ASSISTANT__PROVIDERS__NEAR__PROTOCOL", "compatible"),
        ("SOUK__ASSISTANT__PROVIDERS__NEAR__URL", &upstream.url()),
        ("SOUK__ASSISTANT__PROVIDERS__NEAR__KEY", "sk-never-shown"),
        ("SOUK__ASSISTANT__PROVIDERS__NEAR__FIRST_SECONDS", "3"),
        ("SOUK__ASSISTANT__MODELS__SMALL__DEPLOYMENTS", "near/upstream"),
        ("SOUK__ASSISTANT__MODELS__SMALL__MAX_OUTPUT", "100"),
        ("SOUK__ASSISTANT__MODELS__SMALL__WINDOW", "10000000"),
        ("SOUK__ASSISTANT__PRICES__NOW__DEPLOYMENT", "near/upstream"),
        ("SOUK__ASSISTANT__PRICES__NOW__INPUT", "1"),
        ("SOUK__ASSISTANT__PRICES__NOW__OUTPUT", "1"),
        ("SOUK__ASSISTANT__AGAIN_AFTER_MS", "0"),
        // It is to answer, however it did before.
        ("SOUK__DEPENDENCIES__ASSISTANT__VOLUME", "10000"),
    ];
    own.iter().chain(more).map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

async fn shop(database: Database, upstream: &Upstream, more: &[(&str, &str)]) -> Server {
    let settings = settings(upstream, more);
    let settings: Vec<(&str, &str)> = settings.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let mut server = Server::prepared(database, &settings);
    server.run().await;
    server
}

pub(crate) fn asks(stream: bool, most: u64) -> Value {
    json!({ "model": "small", "messages": [{ "role": "user", "content": "Hello?" }], "stream": stream, "max_tokens": most })
}

async fn ask(client: &Client, body: &Value) -> souk_e2e::Reply {
    client.post("/v1/chat/completions", body).await
}

const ROWS: &str = "SELECT state, prompt_tokens, completion_tokens, coalesce(cost, -1), coalesce(fault, '-') FROM assistant_calls ORDER BY id";

/// The rows of the ledger, once so many ended and none is open.
async fn rows(server: &Server, ended: usize) -> Vec<String> {
    let until = Instant::now() + Duration::from_mins(1);
    loop {
        let rows: Vec<String> = server.tables().run(ROWS).iter().map(|row| row.join(" ")).collect();
        if rows.len() >= ended && !rows.iter().any(|row| row.starts_with("reserved")) {
            return rows;
        }
        assert!(Instant::now() < until, "{rows:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn answers_pass_through_and_each_call_has_its_row(database: Database) {
    let upstream = Upstream::start(|_| Conduct::Words(3)).await;
    let server = shop(database, &upstream, &[]).await;
    let buyer = server.signed_in("buyer").await;
    let mut body = asks(false, 50);
    body["logit_bias"] = json!({ "5": 1 });
    let whole = ask(&buyer, &body).await.expect(200).json();
    assert_eq!((&whole["system_fingerprint"], &whole["model"]), (&json!("fp"), &json!("upstream")), "the very bytes");
    body["stream"] = true.into();
    let text = ask(&buyer, &body).await.expect(200).text();
    assert!(text.ends_with("data: [DONE]\n\n") && text.contains("\"system_fingerprint\":\"fp\""), "{text}");
    assert!(!text.contains("prompt_tokens"), "nobody asked what was used");
    body["stream_options"] = json!({ "include_usage": true });
    let text = ask(&buyer, &body).await.expect(200).text();
    assert!(text.contains("\"prompt_tokens\":9"), "{text}");
    let asked = upstream.counted();
    for Counted { asked, .. } in &asked {
        assert_eq!((&asked["logit_bias"], &asked["max_tokens"]), (&json!({ "5": 1 }), &json!(50)));
    }
    assert_eq!(asked[1].asked["stream_options"], json!({ "include_usage": true }), "so that it is known here");
    assert_eq!(rows(&server, 3).await, ["settled 9 3 12000 -"; 3]);
    let key = buyer.post("/api/v1/api-keys", &json!({ "name": "Robot", "scopes": ["assistant:use"] })).await;
    let robot = buyer.with_token(key.expect(201).json()["text"].as_str().unwrap());
    ask(&robot, &asks(false, 5)).await.expect(200);
    let narrow = buyer.post("/api/v1/api-keys", &json!({ "name": "Other", "scopes": ["account:own"] })).await;
    let narrow = buyer.with_token(narrow.expect(201).json()["text"].as_str().unwrap());
    assert_eq!(ask(&narrow, &asks(false, 5)).await.expect(403).json()["error"]["type"], "permission_error");
    assert_eq!(rows(&server, 4).await.len(), 4);
    assert_eq!(server.tables().number("SELECT count(*) FROM assistant_calls WHERE key_id IS NOT NULL"), 1);
    assert!(!server.log().contains("sk-never-shown") && !server.log().contains("Hello?"));
    let metrics = server.client().get("/metrics").await.text();
    assert!(metrics.contains("assistant_tokens_total{kind=\"completion\"}"), "what was used is counted");
}

async fn many_calls_at_once_never_spend_more_than_a_budget(database: Database) {
    let upstream = Upstream::start(|_| Conduct::All).await;
    // A question has (6 + 16) tokens at most and an answer 100: of 1.00 for a million that is 0.000122 for a call, and 49 of them.
    let budget = [
        ("SOUK__ASSISTANT__BUDGETS__ALL__BY", "all"),
        ("SOUK__ASSISTANT__BUDGETS__ALL__COST", "0.006"),
        ("SOUK__HTTP__REQUESTS_WAITING", "1000"),
    ];
    let server = shop(database, &upstream, &budget).await;
    let buyer = server.signed_in("buyer").await;
    let calls = (0..200).map(|n| {
        let buyer = &buyer;
        async move {
            let reply = ask(buyer, &asks(n % 2 == 0, 100)).await;
            if reply.status != 200 {
                let error = reply.expect(429).json();
                assert_eq!(error["error"]["code"], "insufficient_quota", "{error}");
                return 0;
            }
            1
        }
    });
    let answered: usize = join_all(calls).await.into_iter().sum();
    let said: u64 = upstream.counted().iter().map(|one| one.words).sum();
    let rows = rows(&server, answered).await;
    assert_eq!((rows.len(), upstream.counted().len()), (answered, answered));
    let calls = u64::try_from(answered).unwrap();
    assert_eq!(said, calls * 100);
    let spent = server.tables().number("SELECT CAST(sum(cost) AS bigint) FROM assistant_windows");
    assert_eq!(spent, calls * (PROMPT + 100) * 1000, "what was used, by the figures of the provider");
    // What the question did not use is given back, and makes room for some more.
    assert!((49..200).contains(&answered) && spent <= 6_000_000, "{answered} calls spent {spent}");
}

async fn a_cut_upstream_is_an_error_and_what_it_said_is_written_down(database: Database) {
    // Fifty places to break off at, spread without a pattern that a buffer could share.
    let upstream = Upstream::start(|n| Conduct::CutAfter(u64::try_from(n * 37 % 50 + 1).unwrap())).await;
    let server = shop(database, &upstream, &[]).await;
    let buyer = server.signed_in("buyer").await;
    for _ in 0..50 {
        let text = ask(&buyer, &asks(true, 100)).await.expect(200).text();
        assert!(text.contains("\"code\":\"provider_cut\"") && !text.contains("[DONE]"), "{text}");
    }
    let rows = rows(&server, 50).await;
    let counted = upstream.counted();
    assert_eq!((rows.len(), counted.len()), (50, 50));
    // "word " is five bytes, and a guess says that four are a token.
    for (row, counted) in rows.iter().zip(&counted) {
        let said = (counted.words * 5).div_ceil(4).min(100);
        assert_eq!(*row, format!("estimated 6 {said} {} cut", (6 + said) * 1000));
    }
}

async fn whoever_goes_away_ends_the_call_within_a_second(database: Database) {
    let upstream = Upstream::start(|n| match n {
        0 => Conduct::Endless(Duration::from_millis(20)),
        // Nothing is written to the reader who went away before the first word.
        1 => Conduct::Late(Duration::from_mins(5)),
        _ => Conduct::Endless(Duration::from_mins(5)),
    })
    .await;
    let server = shop(database, &upstream, &[("SOUK__ASSISTANT__PROVIDERS__NEAR__FIRST_SECONDS", "600")]).await;
    let buyer = server.signed_in("buyer").await;
    for (number, stream) in [(0, true), (1, false), (2, true)] {
        let request = buyer.request("POST", "/v1/chat/completions").json(&asks(stream, 100));
        let asking = async {
            let mut answer = request.send().await.unwrap();
            while answer.chunk().await.unwrap().is_some() {}
        };
        let reached =
            upstream.until("the question came", |all| all.get(number).is_some_and(|one| number == 1 || one.words > 0));
        tokio::select! {
            () = asking => panic!("it ended by itself"),
            _ = reached => {}
        }
        // Both are dropped by now, and with them the connection.
        let went = Instant::now();
        let counted = upstream.until("the call ended", |all| all[number].left.is_some()).await;
        let left = counted[number].left.unwrap().saturating_duration_since(went);
        assert!(left < Duration::from_secs(1), "question {number}: after {left:?}");
    }
    let rows = rows(&server, 3).await;
    assert!(rows.iter().all(|row| row.starts_with("estimated 6 ") && row.ends_with("abandoned")), "{rows:?}");
}

/// How many kills; `scripts/soak` may ask for more.
#[expect(clippy::disallowed_methods, reason = "the test runner says by environment how long a test is")]
fn kills() -> usize {
    std::env::var("SOUK_LLM_KILLS").map_or(5, |text| text.parse().expect("SOUK_LLM_KILLS is a number"))
}

async fn every_call_has_a_row_though_the_node_is_killed(database: Database) {
    let upstream = Upstream::start(|_| Conduct::Endless(Duration::from_millis(20))).await;
    let mut server = shop(database, &upstream, &[]).await;
    for round in 1..=kills() {
        let buyer = server.signed_in("buyer").await;
        let calls = (0..8).map(|_| {
            let request = buyer.request("POST", "/v1/chat/completions").json(&asks(true, 100));
            async move {
                if let Ok(mut answer) = request.send().await {
                    while let Ok(Some(_)) = answer.chunk().await {}
                }
            }
        });
        let begun = upstream.until("the calls began", |all| all.len() >= round * 8);
        tokio::select! {
            _ = join_all(calls) => panic!("they ended by themselves"),
            _ = begun => {}
        }
        server.kill();
        let rows = server.tables().number("SELECT count(*) FROM assistant_calls");
        let asked = u64::try_from(upstream.counted().len()).unwrap();
        assert!(rows >= asked, "round {round}: {rows} rows of {asked} calls");
        server.run().await;
    }
    // A while later each that was lost is given up, marked, and counted as the most it can have used.
    let asked = u64::try_from(upstream.counted().len()).unwrap();
    server
        .tables()
        .run("UPDATE assistant_calls SET started_at = '2020-01-01T00:00:00.000000Z' WHERE state = 'reserved'");
    let admin = server.signed_in("admin").await;
    admin.post("/api/v1/schedules/settle_calls/run", &json!({})).await.expect(202);
    let told = rows(&server, usize::try_from(asked).unwrap()).await;
    let lost = told.iter().filter(|row| row.ends_with(" 100 122000 lost")).count();
    println!(
        "{} kills: the provider was asked {asked} times, {} calls have a row, {lost} are marked as lost",
        kills(),
        told.len()
    );
    assert!(told.len() >= usize::try_from(asked).unwrap() && lost > 0, "{told:?}");
    for row in &told {
        let marked = row.starts_with("estimated ") && [" lost", " abandoned"].iter().any(|end| row.ends_with(end));
        assert!(marked, "{row}");
    }
}

async fn odd_answers_have_codes_of_their_own(database: Database) {
    let upstream = Upstream::start(|n| match n {
        0 | 1 => Conduct::Garbage,
        2 => Conduct::Untold(None),
        3 => Conduct::Untold(Some(0)),
        4 => Conduct::Over(7),
        5 => Conduct::Late(Duration::from_secs(30)),
        6 => Conduct::Refuse(401),
        7 => Conduct::Refuse(400),
        _ => Conduct::Words(1),
    })
    .await;
    let server = shop(database, &upstream, &[]).await;
    let buyer = server.signed_in("buyer").await;
    let code = async |stream: bool, status: u16| {
        let error = ask(&buyer, &asks(stream, 100)).await.expect(status).json()["error"].clone();
        assert!(!error["message"].as_str().unwrap().contains("sk-"), "{error}");
        error["code"].as_str().unwrap().to_owned()
    };
    assert_eq!(code(false, 502).await, "provider_invalid_answer");
    assert_eq!(code(true, 502).await, "provider_cut");
    ask(&buyer, &asks(false, 100)).await.expect(200);
    // Zero says nothing: who asks what was used is told a guess, and that it is one.
    let mut told = asks(true, 100);
    told["stream_options"] = json!({ "include_usage": true });
    let text = ask(&buyer, &told).await.expect(200).text();
    assert!(text.contains("\"estimated\":true") && text.ends_with("data: [DONE]\n\n"), "{text}");
    ask(&buyer, &asks(false, 100)).await.expect(200);
    let began = Instant::now();
    assert_eq!(code(true, 504).await, "provider_timeout");
    assert!(began.elapsed() < Duration::from_secs(20), "the first word may take three seconds");
    assert_eq!(code(false, 502).await, "provider_authentication");
    assert_eq!(code(false, 400).await, "provider_refused");
    let mut odd = asks(false, 100);
    odd["model"] = "unheard of".into();
    assert_eq!(ask(&buyer, &odd).await.expect(404).json()["error"]["code"], "model_not_found");
    let mut long = asks(false, 100);
    long["messages"][0]["content"] = "word ".repeat(2 * 1024 * 1024).into();
    ask(&buyer, &long).await.expect(200);
    let states: Vec<String> =
        rows(&server, 9).await.iter().map(|row| row.split(' ').next().unwrap().to_owned()).collect();
    let expected =
        ["estimated", "estimated", "estimated", "estimated", "overrun", "estimated", "failed", "failed", "settled"];
    assert_eq!(states, expected);
}
