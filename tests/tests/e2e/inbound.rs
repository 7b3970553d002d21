//! Webhooks of others: each scheme, what is refused, one effect over two nodes, and none lost to a kill.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use souk_e2e::{Client, Cluster, Database, NODES_KEY, Server, hooks, on_each_database};
use tokio::task::JoinSet;

on_each_database!(
    each_scheme_is_taken_in_its_own_form,
    what_is_not_theirs_is_refused_and_leaves_nothing,
    clerk_keeps_people_in_step,
    fifty_at_once_have_one_effect,
    nothing_that_was_answered_is_lost,
);

const NEWER: &str = "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
const PAY: &str = "whsec_of_stripe_itself";
const OWN: &str = "a secret of our own";

const SETTINGS: [(&str, &str); 17] = [
    ("SOUK__HOOKS__CLERK__SCHEME", "standard"),
    (
        "SOUK__HOOKS__CLERK__SECRETS",
        "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=,whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    ),
    ("SOUK__HOOKS__CLERK__HANDLER", "clerk"),
    ("SOUK__ISSUERS__CLERK__ISSUER", "https://clerk.example"),
    ("SOUK__ISSUERS__CLERK__AUDIENCE", "souk"),
    ("SOUK__HOOKS__PAIR__SCHEME", "standard"),
    ("SOUK__HOOKS__PAIR__SECRETS", hooks::PUBLIC_KEY),
    ("SOUK__HOOKS__PAY__SCHEME", "stripe"),
    ("SOUK__HOOKS__PAY__SECRETS", PAY),
    ("SOUK__HOOKS__OWN__SCHEME", "hmac"),
    ("SOUK__HOOKS__OWN__SECRETS", OWN),
    ("SOUK__HOOKS__OWN__SIGNATURE_HEADER", "X-Signature"),
    ("SOUK__HOOKS__OWN__SIGNATURE_PREFIX", "v0="),
    ("SOUK__HOOKS__OWN__ENCODING", "base64"),
    ("SOUK__HOOKS__OWN__SIGNED", "{timestamp}:{body}"),
    ("SOUK__HOOKS__OWN__TIMESTAMP_HEADER", "X-Moment"),
    ("SOUK__HOOKS__OWN__TYPE", "/kind"),
];

async fn server(database: Database) -> Server {
    let mut server = Server::prepared(database, &SETTINGS);
    server.run().await;
    server
}

/// The event of an answer, when it waits for nothing any more.
async fn handled(admin: &Client, receipt: &Value) -> Value {
    let path = format!("/api/v1/hook-events/{}", receipt["id"].as_str().unwrap());
    let until = Instant::now() + Duration::from_secs(30);
    loop {
        let event = admin.get(&path).await.expect(200).json();
        if event["state"] != "waiting" {
            return event;
        }
        assert!(Instant::now() < until, "it waits: {event}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn each_scheme_is_taken_in_its_own_form(database: Database) {
    let server = server(database).await;
    let (client, admin) = (server.client(), server.signed_in("admin").await);
    // Bytes that no JSON library writes the same way again.
    let body = br#"{ "id" : "evt_1","type":"thing.done", "created":1614265330, "kind":"own.thing", "n": 1.50 }"#;
    let now = hooks::now();
    for (source, headers, event, kind) in [
        ("clerk", hooks::standard(NEWER, "msg_1", now, body), json!("msg_1"), "thing.done"),
        ("pair", hooks::by_pair("msg_1", now, body), json!("msg_1"), "thing.done"),
        ("pay", hooks::stripe(PAY, now, body), json!("evt_1"), "thing.done"),
        ("walk", hooks::github(hooks::WALK_SECRET, "delivery_1", body), json!("delivery_1"), "push"),
        ("own", hooks::own(OWN, now, body), json!(null), "own.thing"),
    ] {
        let first = client.send(client.hook(source, &headers, body)).await.expect(202).json();
        let again = client.send(client.hook(source, &headers, body)).await.expect(200).json();
        assert_eq!((&again["id"], &again["known"]), (&first["id"], &json!(true)), "{source}");
        let stored = handled(&admin, &first).await;
        assert_eq!((&stored["eventId"], &stored["type"]), (&event, &json!(kind)), "{source}");
        assert_eq!(stored["body"].as_str().unwrap().as_bytes(), body, "{source}");
        assert_eq!((&stored["state"], &stored["attempts"]), (&json!("ignored"), &json!(1)), "{stored}");
        assert!(!stored["headers"].to_string().contains("signature"), "{stored}");
    }
    // The id of a delivery is not signed: the same call under another one is the same call.
    let other = hooks::github(hooks::WALK_SECRET, "delivery_2", body);
    client.send(client.hook("walk", &other, body)).await.expect(200);
    let listed = admin.get("/api/v1/hook-events?type=thing.done&state=ignored&source=pay").await.expect(200).json();
    assert_eq!((&listed["total"], &listed["items"][0]["source"]), (&json!(1), &json!("pay")));
    let metrics = client.get("/metrics").await.text();
    for line in [
        "inbound_calls_total{source=\"pay\",answer=\"stored\"} 1",
        "inbound_calls_total{source=\"walk\",answer=\"known\"} 2",
        "inbound_handled_total{source=\"own\",outcome=\"ignored\"} 1",
    ] {
        assert!(metrics.contains(line), "{line} is not in\n{metrics}");
    }
    let audit = admin.get("/api/v1/audit?entityType=inbound&limit=100").await.expect(200).json();
    let actions: Vec<_> =
        audit["items"].as_array().unwrap().iter().map(|entry| entry["action"].as_str().unwrap()).collect();
    assert_eq!(actions.iter().filter(|action| **action == "inbound.receive").count(), 5, "{audit}");
    assert!(!server.log().contains("1.50"), "a body stands in the log");
}

async fn what_is_not_theirs_is_refused_and_leaves_nothing(database: Database) {
    let server = server(database).await;
    let (client, admin) = (server.client(), server.signed_in("admin").await);
    let body = br#"{"id": "evt_1", "n": 1.50}"#.as_slice();
    let again = br#"{"id":"evt_1","n":1.5}"#.as_slice();
    let now = hooks::now();
    let signed = |at| hooks::standard(hooks::CLERK_SECRET, "msg_1", at, body);
    let other = "whsec_BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBA=";
    let mut second_best = signed(now);
    second_best[2].1 = second_best[2].1.replace("v1,", "v0,");
    for (source, headers, body, reason) in [
        ("clerk", signed(now), again, "signature_wrong"),
        ("clerk", signed(now - 310), body, "signature_too_old"),
        ("clerk", signed(now + 310), body, "signature_too_early"),
        ("clerk", hooks::standard(other, "msg_1", now, body), body, "signature_wrong"),
        ("clerk", second_best, body, "signature_wrong"),
        ("clerk", signed(now)[..2].to_vec(), body, "signature_missing"),
        ("clerk", hooks::stripe(PAY, now, body), body, "signature_missing"),
        ("pair", hooks::by_pair("msg_1", now, body), again, "signature_wrong"),
        ("pair", signed(now), body, "signature_wrong"),
        ("pay", hooks::stripe(PAY, now, body), again, "signature_wrong"),
        ("pay", hooks::stripe(OWN, now, body), body, "signature_wrong"),
        ("pay", hooks::stripe(PAY, now - 310, body), body, "signature_too_old"),
        ("pay", vec![("stripe-signature", "t=1,v1".to_owned())], body, "signature_malformed"),
        ("walk", hooks::github(OWN, "1", body), body, "signature_wrong"),
        ("walk", vec![("x-hub-signature-256", "sha1=00".to_owned())], body, "signature_malformed"),
        ("own", hooks::own(PAY, now, body), body, "signature_wrong"),
        ("own", hooks::own(OWN, now + 310, body), body, "signature_too_early"),
    ] {
        let refused = client.send(client.hook(source, &headers, body)).await;
        let error = refused.error(401, "UNAUTHORIZED");
        assert_eq!(error["details"]["reason"], reason, "{source} {headers:?}");
    }
    client.send(client.hook("nobody", &signed(now), body)).await.error(404, "NOT_FOUND");
    let most = vec![b' '; 1024 * 1024];
    let more = vec![b' '; 1024 * 1024 + 1];
    client.send(client.hook("pay", &hooks::stripe(PAY, now, &more), &more)).await.error(413, "PAYLOAD_TOO_LARGE");
    // Nor is one taken that says nothing of its length.
    let in_pieces = |body: &[u8]| {
        let pieces: Vec<_> = body.chunks(60_000).map(|piece| Ok::<_, std::io::Error>(piece.to_vec())).collect();
        let request = client.hook("pay", &hooks::stripe(PAY, now, body), b"");
        request.body(reqwest::Body::wrap_stream(futures_util::stream::iter(pieces)))
    };
    client.send(in_pieces(&more)).await.error(413, "PAYLOAD_TOO_LARGE");
    assert_eq!(admin.get("/api/v1/hook-events").await.expect(200).json()["total"], 0);
    assert_eq!(server.tables().number("SELECT count(*) FROM hook_events"), 0);
    client.send(in_pieces(&most)).await.expect(202);
    // The older secret of two still signs.
    client.send(client.hook("clerk", &signed(now), body)).await.expect(202);
}

fn person(subject: &str, updated_at: i64, more: &Value) -> Value {
    let mut data = json!({
        "id": subject, "object": "user", "updated_at": updated_at, "first_name": "Ada", "last_name": "L.",
        "primary_email_address_id": "idn_1", "banned": false,
        "email_addresses": [{
            "id": "idn_1", "email_address": format!("{subject}@clerk.example.com"), "verification": { "status": "verified" }
        }],
    });
    for (name, value) in more.as_object().unwrap() {
        data[name] = value.clone();
    }
    data
}

async fn clerk(client: &Client, message: &str, kind: &str, data: &Value) -> Value {
    let body = json!({ "type": kind, "object": "event", "data": data }).to_string();
    let headers = hooks::standard(hooks::CLERK_SECRET, message, hooks::now(), body.as_bytes());
    client.send(client.hook("clerk", &headers, body.as_bytes())).await.expect(202).json()
}

async fn clerk_keeps_people_in_step(database: Database) {
    let server = server(database).await;
    let (client, admin) = (server.client(), server.signed_in("admin").await);
    let mut number = 0;
    let mut tell = async |kind: &str, data: &Value| {
        number += 1;
        let receipt = clerk(&client, &format!("msg_{number}"), kind, data).await;
        handled(&admin, &receipt).await
    };
    // `user.updated` before `user.created`.
    let appeared = tell("user.updated", &person("user_1", 2000, &json!({}))).await;
    assert_eq!((&appeared["state"], &appeared["outcome"]), (&json!("done"), &json!("appeared")), "{appeared}");
    let older = tell("user.created", &person("user_1", 1000, &json!({ "first_name": "Old" }))).await;
    assert_eq!((&older["outcome"], &older["userId"]), (&json!("older"), &appeared["userId"]));
    let path = format!("/api/v1/users/{}", appeared["userId"].as_str().unwrap());
    let user = admin.get(&path).await.expect(200).json();
    assert_eq!((&user["name"], &user["email"]), (&json!("Ada L."), &json!("user_1@clerk.example.com")), "{user}");
    tell("user.updated", &person("user_1", 3000, &json!({ "banned": true }))).await;
    let banned = admin.get(&path).await.expect(200).json();
    assert_eq!((&banned["ban"]["byId"], &banned["ban"]["until"]), (&json!(null), &json!(null)), "{banned}");
    tell("user.updated", &person("user_1", 4000, &json!({ "first_name": "Ada", "last_name": "Z." }))).await;
    let user = admin.get(&path).await.expect(200).json();
    assert_eq!((&user["name"], &user["ban"]), (&json!("Ada Z."), &json!(null)));
    let gone = tell("user.deleted", &json!({ "id": "user_1", "object": "user", "deleted": true })).await;
    assert_eq!(gone["outcome"], "deleted");
    let late = tell("user.updated", &person("user_1", 9000, &json!({}))).await;
    assert_eq!((&late["outcome"], &late["body"]), (&json!("gone"), &json!(null)));
    let (tables, until) = (server.tables(), Instant::now() + Duration::from_secs(30));
    while tables.number("SELECT count(*) FROM users WHERE email LIKE '%@clerk.example.com'") > 0 {
        assert!(Instant::now() < until, "they are not deleted:\n{}", server.log());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(tables.number("SELECT count(*) FROM users WHERE deleted_at IS NOT NULL"), 1);
    // Nothing of what was said of them is left.
    let words = "SELECT count(*) FROM hook_events WHERE user_id IS NOT NULL AND body IS NOT NULL";
    assert_eq!(tables.number(words), 0);
    // What cannot be read fails at once, says why, and may be tried again.
    let odd = clerk(&client, "msg_odd", "user.created", &json!({ "id": 7 })).await;
    let failed = handled(&admin, &odd).await;
    assert_eq!((&failed["state"], &failed["attempts"]), (&json!("failed"), &json!(1)), "{failed}");
    assert_eq!(failed["errors"][0]["reason"], "The body is not one that Clerk sends");
    let replay = format!("/api/v1/hook-events/{}/replay", failed["id"].as_str().unwrap());
    assert_eq!(admin.post(&replay, &json!({})).await.expect(202).json()["replays"], 1);
    assert_eq!(handled(&admin, &odd).await["state"], "failed");
}

async fn fifty_at_once_have_one_effect(database: Database) {
    let several = matches!(database, Database::Postgres { .. });
    let cluster = Cluster::start(database, if several { 2 } else { 1 }, &SETTINGS).await;
    let admin = cluster.nodes[0].signed_in("admin").await;
    let clients: Vec<Client> = cluster.nodes.iter().map(Server::client).collect();
    for round in 0..3 {
        let message = format!("msg_{round}");
        let body =
            json!({ "type": "user.created", "data": person(&format!("user_{round}"), 1, &json!({})) }).to_string();
        let headers = hooks::standard(hooks::CLERK_SECRET, &message, hooks::now(), body.as_bytes());
        let mut calls = JoinSet::new();
        for n in 0..50 {
            let client = clients[n % clients.len()].clone();
            let request = client.hook("clerk", &headers, body.as_bytes());
            calls.spawn(async move { client.send(request).await });
        }
        let replies = calls.join_all().await;
        let statuses = |wanted: u16| replies.iter().filter(|reply| reply.status == wanted).count();
        assert_eq!(
            (statuses(202), statuses(200)),
            (1, 49),
            "{:?}",
            replies.iter().map(|r| r.status).collect::<Vec<_>>()
        );
        let event = handled(&admin, &replies[0].json()).await;
        assert_eq!((&event["outcome"], &event["attempts"]), (&json!("appeared"), &json!(1)));
        assert!(replies.iter().all(|reply| reply.json()["id"] == event["id"]));
    }
    let tables = cluster.nodes[0].tables();
    assert_eq!(tables.number("SELECT count(*) FROM jobs WHERE kind = 'handle_hook'"), 3);
    for action in ["inbound.receive", "inbound.handle", "user.link_identity"] {
        assert_eq!(tables.number(&format!("SELECT count(*) FROM audit_logs WHERE action = '{action}'")), 3, "{action}");
    }
}

async fn nothing_that_was_answered_is_lost(database: Database) {
    let settings = [&SETTINGS[..], &[("SOUK_SECRET_KEY", NODES_KEY), ("SOUK__JOBS__LEASE_SECONDS", "5")]].concat();
    let mut server = Server::prepared(database, &settings);
    server.run().await;
    let mut receipts = Vec::new();
    for round in 0..4 {
        let client = server.client();
        for n in 0..3 {
            let data = person(&format!("user_{round}_{n}"), 1, &json!({}));
            receipts.push(clerk(&client, &format!("msg_{round}_{n}"), "user.created", &data).await);
        }
        server.kill();
        server.run().await;
    }
    let admin = server.signed_in("admin").await;
    for receipt in &receipts {
        assert_eq!(handled(&admin, receipt).await["outcome"], "appeared");
    }
    let count = "SELECT count(*) FROM users WHERE email LIKE '%@clerk.example.com'";
    assert_eq!(usize::try_from(server.tables().number(count)).unwrap(), receipts.len());
}
