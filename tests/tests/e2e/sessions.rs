//! Sessions: refresh tokens that are good once, signing out that counts at once, keys that change under a running server.

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use souk_e2e::{Client, Database, Events, Server, Socket, on_each_database};

use crate::shop;

on_each_database!(
    signing_out_ends_token_stream_and_socket,
    twenty_who_refresh_at_once_get_one_successor,
    many_who_sign_in_at_once_are_in_nobodys_way,
    a_token_of_before_ends_the_session_everywhere,
    what_was_ended_stays_ended_after_a_restart,
    a_changed_key_is_published_and_old_tokens_hold,
    a_browser_goes_on_by_cookies_and_no_other_page_does,
);

const EMAIL: &str = "ada@sessions.example.com";
const PASSWORD: &str = "correct horse battery";
const STREAM: &str = "/api/v1/events?topics=products";

/// Signs in and gives the whole answer.
async fn sign_in(client: &Client) -> Value {
    let body = json!({ "email": EMAIL, "password": PASSWORD });
    client.anonymous().post("/api/v1/auth/login", &body).await.expect(200).json()
}

async fn refresh(client: &Client, token: &str) -> souk_e2e::Reply {
    client.anonymous().post("/api/v1/auth/refresh", &json!({ "refreshToken": token })).await
}

fn text<'a>(answer: &'a Value, field: &str) -> &'a str {
    answer[field].as_str().unwrap_or_else(|| panic!("{field}: {answer}"))
}

async fn signing_out_ends_token_stream_and_socket(database: Database) {
    let server = Server::start(database).await;
    let stays = shop::person(&server, EMAIL).await;
    let signed = sign_in(&stays).await;
    let goes = stays.with_token(text(&signed, "token"));
    let (mut stream, mut kept) =
        (Events::open(goes.request("GET", STREAM)).await, Events::open(stays.request("GET", STREAM)).await);
    let (mut socket, mut other) = (goes.socket().await, stays.socket().await);
    let listed = goes.get("/api/v1/sessions").await.expect(200).json();
    assert_eq!(listed["total"], 2, "{listed}");
    let current: Vec<&Value> =
        listed["items"].as_array().unwrap().iter().filter(|one| one["current"] == true).collect();
    assert_eq!(current.len(), 1);
    assert_eq!((&current[0]["id"], &current[0]["address"]), (&signed["sessionId"], &json!("127.0.0.1")));

    goes.post("/api/v1/auth/logout", &json!({})).await.expect(200);
    let refused = goes.get("/api/v1/users/me").await;
    refused.error(401, "UNAUTHORIZED");
    assert!(refused.header("www-authenticate").contains("invalid_token"), "{:?}", refused.headers);
    refresh(&goes, text(&signed, "refreshToken")).await.error(401, "UNAUTHORIZED");
    assert_eq!(stream.told().await.data.unwrap(), json!({ "type": "closing", "reason": "sessionEnded" }));
    let closed = socket.closed().await;
    assert_eq!((closed.code, closed.reason.as_str()), (4401, "Session ended"));

    stays.get("/api/v1/users/me").await.expect(200);
    assert_eq!(other.ask(&json!({ "type": "ping" })).await["type"], "pong");
    let refresh_by_socket = json!({ "type": "refresh", "token": goes.token() });
    assert_eq!(other.ask(&refresh_by_socket).await["code"], "UNAUTHORIZED");
    let owner = server.signed_in("seller").await;
    shop::create(&owner, &shop::lamp()).await;
    assert_eq!(kept.told().await.kind(), "product.created", "the stream of the other session goes on");
    // A ticket bought before is of the session it was bought with.
    let again = stays.with_token(text(&sign_in(&stays).await, "token"));
    let ticket = again.post("/api/v1/events/tickets", &json!({})).await.expect(200).json();
    stays.delete("/api/v1/sessions?except=current").await.expect(200);
    let with = format!("{STREAM}&ticket={}", text(&ticket, "ticket"));
    server.client().get(&with).await.error(401, "UNAUTHORIZED");
    stays.delete("/api/v1/sessions").await.expect(200);
    stays.get("/api/v1/users/me").await.error(401, "UNAUTHORIZED");
}

async fn twenty_who_refresh_at_once_get_one_successor(database: Database) {
    let server = Server::start(database).await;
    let client = shop::person(&server, EMAIL).await;
    let signed = sign_in(&client).await;
    let mut racing = tokio::task::JoinSet::new();
    for _ in 0..20 {
        let (client, token) = (client.clone(), text(&signed, "refreshToken").to_owned());
        racing.spawn(async move { refresh(&client, &token).await.expect(200).json() });
    }
    let answers = racing.join_all().await;
    let successors: BTreeSet<&str> = answers.iter().map(|answer| text(answer, "refreshToken")).collect();
    assert_eq!(successors.len(), 1, "{successors:?}");
    for answer in &answers {
        client.with_token(text(answer, "token")).get("/api/v1/users/me").await.expect(200);
        assert_eq!(answer["sessionId"], signed["sessionId"]);
    }
    let generations = "SELECT max(generation) FROM sessions";
    assert_eq!(server.tables().number(generations), 1, "one branch, one step");
    refresh(&client, successors.first().unwrap()).await.expect(200);
}

async fn many_who_sign_in_at_once_are_in_nobodys_way(database: Database) {
    let mut server = Server::prepared(database, &[("SOUK__IDENTITY__MAX_SESSIONS", "5")]);
    server.run().await;
    let client = shop::person(&server, EMAIL).await;
    let mut racing = tokio::task::JoinSet::new();
    for _ in 0..12 {
        let client = client.clone();
        racing.spawn(async move { text(&sign_in(&client).await, "token").to_owned() });
    }
    let mut go_on = 0;
    for token in racing.join_all().await {
        go_on += u64::from(client.with_token(&token).get("/api/v1/users/me").await.status == 200);
    }
    assert_eq!(go_on, 5, "as many as a person may have");
    client.get("/api/v1/users/me").await.error(401, "UNAUTHORIZED");
    let metrics = server.client().get("/metrics").await.text();
    assert!(!metrics.contains("transaction_retries_total{use_case=\"sign_in\"}"), "they were in each other's way");
}

async fn a_token_of_before_ends_the_session_everywhere(database: Database) {
    let mut server = Server::prepared(database, &[("SOUK__IDENTITY__REFRESH_GRACE_SECONDS", "0")]);
    server.run().await;
    let client = shop::person(&server, EMAIL).await;
    let first = sign_in(&client).await;
    let second = refresh(&client, text(&first, "refreshToken")).await.expect(200).json();
    let thief = client.with_token(text(&second, "token"));
    thief.get("/api/v1/users/me").await.expect(200);
    refresh(&client, text(&first, "refreshToken")).await.error(401, "UNAUTHORIZED");
    thief.get("/api/v1/users/me").await.error(401, "UNAUTHORIZED");
    client.with_token(text(&first, "token")).get("/api/v1/users/me").await.error(401, "UNAUTHORIZED");
    refresh(&client, text(&second, "refreshToken")).await.error(401, "UNAUTHORIZED");
    let admin = server.signed_in("admin").await;
    let audit = admin.get("/api/v1/audit?action=session.end").await.expect(200).json();
    assert_eq!((&audit["total"], &audit["items"][0]["metadata"]["reason"]), (&json!(1), &json!("reused")), "{audit}");
    // Neither kind is taken for the other.
    client.with_token(text(&first, "refreshToken")).get("/api/v1/users/me").await.error(401, "UNAUTHORIZED");
    refresh(&client, client.token()).await.error(401, "UNAUTHORIZED");
    for kept in [text(&first, "refreshToken"), text(&second, "refreshToken"), text(&second, "token")] {
        assert!(!server.log().contains(kept), "a secret is in the log");
    }
}

async fn what_was_ended_stays_ended_after_a_restart(database: Database) {
    let mut server = Server::start(database).await;
    let stays = shop::person(&server, EMAIL).await;
    let goes = stays.with_token(text(&sign_in(&stays).await, "token"));
    goes.post("/api/v1/auth/logout", &json!({})).await.expect(200);
    assert!(server.stop().await.success());
    server.run().await;
    let here = server.url();
    goes.at(here.clone()).get("/api/v1/users/me").await.error(401, "UNAUTHORIZED");
    stays.at(here).get("/api/v1/users/me").await.expect(200);
}

async fn a_changed_key_is_published_and_old_tokens_hold(database: Database) {
    let server = Server::start(database).await;
    let person = shop::person(&server, EMAIL).await;
    let kids = async || {
        let keys = server.client().get("/.well-known/jwks.json").await.expect(200).json();
        keys["keys"].as_array().unwrap().iter().map(|key| text(key, "kid").to_owned()).collect::<Vec<_>>()
    };
    let before = kids().await;
    let (status, said) = server.run_command(&["keys", "rotate"]);
    assert!(status.success() && said.contains("  new  signs from "), "{said}");
    let (status, listed) = server.run_command(&["keys", "list"]);
    let new = said.split_whitespace().next().unwrap();
    let expected = format!("{}  signs", before[0]);
    assert!(status.success() && listed.starts_with(&expected) && listed.contains(&format!("{new}  waits")), "{listed}");
    let until = Instant::now() + Duration::from_secs(20);
    while kids().await != [before[0].clone(), new.to_owned()] {
        assert!(Instant::now() < until, "{:?}", kids().await);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    person.get("/api/v1/users/me").await.expect(200);
    let again = server.run_command(&["keys", "rotate"]).1;
    assert!(again.starts_with("a key waits"), "{again}");
    let (status, text) = server.run_command(&["audit", "verify"]);
    assert!(status.success(), "{text}");
}

async fn a_browser_goes_on_by_cookies_and_no_other_page_does(database: Database) {
    let server = Server::start(database).await;
    let client = shop::person(&server, EMAIL).await.anonymous();
    let (own, evil) = (server.url(), "https://evil.example");
    let body = json!({ "email": EMAIL, "password": PASSWORD, "mode": "cookie" });
    let login =
        |origin: &str| client.send(client.request("POST", "/api/v1/auth/login").header("Origin", origin).json(&body));
    login(evil).await.error(403, "FORBIDDEN");
    let signed = login(&own).await.expect(200);
    let answer = signed.json();
    assert!(answer.get("token").is_none() && answer.get("refreshToken").is_none(), "{answer}");
    let csrf = text(&answer, "csrfToken");
    let cookies: Vec<&str> = signed
        .headers
        .get_all("set-cookie")
        .iter()
        .map(|line| line.to_str().unwrap().split(';').next().unwrap())
        .collect();
    assert_eq!(cookies.len(), 3, "{cookies:?}");
    let jar = cookies.join("; ");
    let send = |method: &str, path: &str, origin: &str, token: Option<&str>| {
        let request = client.request(method, path).header("Cookie", &jar).header("Origin", origin);
        client.send(match token {
            Some(token) => request.header("X-CSRF-Token", token),
            None => request,
        })
    };
    send("GET", "/api/v1/users/me", &own, None).await.expect(200);
    send("GET", "/api/v1/users/me", evil, None).await.error(403, "FORBIDDEN");
    send("GET", STREAM, evil, None).await.error(403, "FORBIDDEN");
    let mut stream = Events::open(client.request("GET", STREAM).header("Cookie", &jar).header("Origin", &own)).await;
    let socket = |origin: &str| {
        let (url, origin, jar) = (format!("{own}/ws"), origin.to_owned(), jar.clone());
        async move { Socket::try_open(&url, &[("origin", &origin), ("cookie", &jar)]).await }
    };
    assert_eq!(socket(evil).await.unwrap_err().status(), 403);
    let mut socket = socket(&own).await.unwrap();
    assert!(socket.connected["userId"].is_string(), "{}", socket.connected);
    send("POST", "/api/v1/events/tickets", &own, None).await.error(403, "FORBIDDEN");
    send("POST", "/api/v1/events/tickets", evil, Some(csrf)).await.error(403, "FORBIDDEN");
    send("POST", "/api/v1/events/tickets", &own, Some(csrf)).await.expect(200);
    let refresh = |token: Option<&str>| {
        let request = client.request("POST", "/api/v1/auth/refresh").header("Cookie", &jar).header("Origin", &own);
        let request = match token {
            Some(token) => request.header("X-CSRF-Token", token),
            None => request,
        };
        client.send(request.json(&json!({})))
    };
    refresh(None).await.error(403, "FORBIDDEN");
    let refreshed = refresh(Some(csrf)).await.expect(200);
    assert_eq!(text(&refreshed.json(), "csrfToken"), csrf, "it is the session's");
    let gone = send("POST", "/api/v1/auth/logout", &own, Some(csrf)).await.expect(200);
    let taken = gone.headers.get_all("set-cookie").iter().filter(|line| line.to_str().unwrap().contains("Max-Age=0"));
    assert_eq!(taken.count(), 3);
    assert_eq!(stream.told().await.data.unwrap()["reason"], "sessionEnded");
    assert_eq!(socket.closed().await.code, 4401);
    send("GET", "/api/v1/users/me", &own, None).await.error(401, "UNAUTHORIZED");
}
