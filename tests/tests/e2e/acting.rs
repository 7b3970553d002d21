//! Operators who act as others, on every node, and people who go.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use souk_e2e::{Client, Cluster, Database, Server, on_each_database};

use crate::shop;

on_each_database!(who_goes_leaves_no_word_of_themselves, an_invitation_waits_for_a_proven_address);

/// Within this time an end is to be heeded by all nodes.
const SOON: Duration = Duration::from_secs(1);
const REASON: &str = "Ticket 4711 of somebody";

async fn id(of: &Client) -> String {
    of.get("/api/v1/users/me").await.expect(200).json()["id"].as_str().unwrap().to_owned()
}

/// Somebody who acts as somebody else, at another node.
async fn acting(helper: &Client, as_whom: &str, there: &Server) -> Client {
    let path = format!("/api/v1/users/{as_whom}/impersonation");
    let begun = helper.post(&path, &json!({ "reason": REASON })).await.expect(200).json();
    there.client().with_token(begun["token"].as_str().unwrap())
}

async fn acting_ends_with_what_it_stands_on(database: Database) {
    let cluster = Cluster::start(database, 2, &[]).await;
    let [here, there] = &cluster.nodes[..] else { panic!("two nodes") };
    let admin = here.signed_in("admin").await;
    let (helper, ada) =
        (shop::person(here, "helper@acting.example").await, shop::person(here, "ada@acting.example").await);
    let role = format!("/api/v1/users/{}/roles/admin", id(&helper).await);
    let adas = id(&ada).await;
    for end in ["role", "session", "sign-out of the operator by another", "stop"] {
        admin.put(&role, &json!({})).await.expect(200);
        let helper = helper.sign_in("helper@acting.example", "correct horse battery").await;
        let acts = acting(&helper, &adas, there).await;
        assert_eq!(id(&acts).await, adas);
        let mut socket = acts.socket().await;
        assert_eq!(socket.ask(&json!({ "type": "ping" })).await["type"], "pong");
        let began = Instant::now();
        match end {
            "role" => admin.delete(&role).await,
            "session" => helper.post("/api/v1/auth/logout", &json!({})).await,
            "stop" => acts.at(here.url()).delete("/api/v1/auth/impersonation").await,
            _ => admin.delete(&format!("/api/v1/users/{}/sessions", id(&helper).await)).await,
        }
        .expect(200);
        while acts.get("/api/v1/users/me").await.status != 401 {
            assert!(began.elapsed() < SOON, "{end} is not heeded");
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        let closed = socket.closed().await;
        assert_eq!((closed.code, closed.reason.as_str()), (4401, "Session ended"), "{end}");
    }
    // Both are named where it counts, and the chain covers it.
    admin.put(&role, &json!({})).await.expect(200);
    let helper = helper.sign_in("helper@acting.example", "correct horse battery").await;
    let acts = acting(&helper, &adas, there).await;
    acts.post("/api/v1/rooms", &json!({ "name": "tea", "kind": "public" })).await.expect(201);
    let helpers = id(&helper).await;
    let audit = format!("/api/v1/audit?impersonatorId={helpers}&action=room.create");
    let entry = admin.get(&audit).await.expect(200).json()["items"][0].clone();
    assert_eq!((&entry["userId"], &entry["impersonatorId"]), (&json!(adas), &json!(helpers)));
    let line = logged(there, "/api/v1/rooms").await;
    assert_eq!((&line["userId"], &line["impersonatorId"]), (&json!(adas), &json!(helpers)), "{line}");
    assert!(!here.log().contains(REASON) && !there.log().contains(REASON));
    here.settled().await;
    let (status, said) = here.run_command(&["audit", "verify"]);
    assert!(status.success(), "{said}");
    // Whoever rewrites who acted is found out.
    here.tables().run("UPDATE audit_logs SET impersonator_id = NULL WHERE action = 'room.create'");
    let (status, said) = here.run_command(&["audit", "verify"]);
    assert!(!status.success() && said.contains("was altered"), "{said}");
}

/// The line of a change, once it is written: the log is beside the answer.
async fn logged(node: &Server, path: &str) -> Value {
    let began = Instant::now();
    loop {
        let log = node.log();
        let line = log.lines().find(|line| line.contains("\"POST\"") && line.contains(path));
        if let Some(line) = line {
            return read(line);
        }
        assert!(began.elapsed() < 10 * SOON, "the request is not in the log");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

fn read(line: &str) -> Value {
    let line: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
    line.get("fields").cloned().unwrap_or(line)
}

#[tokio::test(flavor = "multi_thread")]
async fn acting_ends_within_a_second_through_redis() {
    acting_ends_with_what_it_stands_on(Database::postgres()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn acting_ends_within_a_second_through_postgres_alone() {
    acting_ends_with_what_it_stands_on(Database::postgres_with(None)).await;
}

async fn who_goes_leaves_no_word_of_themselves(database: Database) {
    let server = Server::start_with(database, &[("SOUK__IDENTITY__DELETION_DAYS", "0")]).await;
    let (email, password) = ("zanzibar@acting.example", "correct horse battery");
    let person = shop::person(&server, email).await;
    let own = id(&person).await;
    let session = person.sign_in(email, password).await;
    let refused = person.post("/api/v1/users/me/deletion", &json!({ "currentPassword": "wrong" })).await;
    refused.error(403, "FORBIDDEN");
    person.post("/api/v1/users/me/deletion", &json!({ "currentPassword": password })).await.expect(202);
    for token in [&person, &session] {
        token.get("/api/v1/users/me").await.error(401, "UNAUTHORIZED");
    }
    let again = json!({ "email": email, "password": password });
    server.client().post("/api/v1/auth/login", &again).await.error(401, "UNAUTHORIZED");
    let admin = server.signed_in("admin").await;
    admin.get(&format!("/api/v1/users/{own}")).await.error(404, "NOT_FOUND");
    let mut users = server.tables().run("SELECT email, name FROM users").into_iter().flatten();
    assert!(!users.any(|text| text.contains("zanzibar")));
    server.settled().await;
    let (status, said) = server.run_command(&["audit", "verify"]);
    assert!(status.success(), "{said}");
    let done = admin.get(&format!("/api/v1/audit?entityId={own}")).await.expect(200).json();
    assert_eq!((&done["items"][0]["action"], &done["items"][0]["userId"]), (&json!("user.delete"), &json!(own)));
    assert!(!server.log().contains("zanzibar"));
    // The address is free for somebody else.
    let other = shop::person(&server, email).await;
    assert_ne!(id(&other).await, own);
}

async fn an_invitation_waits_for_a_proven_address(database: Database) {
    let server = Server::start(database).await;
    let (owner, email) = (server.signed_in("seller").await, "ada@acting.example");
    let account = owner.get("/api/v1/users/me").await.expect(200).json()["sellerId"].as_str().unwrap().to_owned();
    let path = format!("/api/v1/sellers/{account}/invitations");
    let code = owner.post(&path, &json!({ "email": email })).await.expect(201).json()["code"].clone();
    let ada = shop::person(&server, email).await;
    let accept = json!({ "code": code });
    ada.post("/api/v1/invitations/accept", &accept).await.error(403, "FORBIDDEN");
    server.tables().run(&format!("UPDATE users SET email_verified_at = created_at WHERE email = '{email}'"));
    ada.post("/api/v1/invitations/accept", &accept).await.expect(200);
}
