//! Bans, roles and API keys: they count at once, on every node and in open connections, and nothing secret is left behind.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use souk_e2e::{Client, Cluster, Database, Server, on_each_database};

use crate::shop;

on_each_database!(
    a_ban_ends_open_connections_and_ends_by_itself,
    nothing_secret_is_left_behind,
    a_command_shows_the_roles
);

async fn a_ban_ends_open_connections_and_ends_by_itself(database: Database) {
    let server = Server::start(database).await;
    let admin = server.signed_in("admin").await;
    let ada = shop::person(&server, "ada@access.example").await;
    let me = ada.get("/api/v1/users/me").await.expect(200).json();
    let mut socket = ada.socket().await;
    let until = until(&admin, Duration::from_secs(3)).await;
    let path = format!("/api/v1/users/{}/ban", me["id"].as_str().unwrap());
    let banned = admin.put(&path, &json!({ "reason": "Shouting", "until": until })).await.expect(200).json();
    assert_eq!(banned["ban"]["until"], until, "{banned}");
    ada.get("/api/v1/users/me").await.error(401, "UNAUTHORIZED");
    let closed = socket.closed().await;
    assert_eq!((closed.code, closed.reason.as_str()), (4401, "Session ended"));
    let sign_in = json!({ "email": "ada@access.example", "password": "correct horse battery" });
    let told = server.client().post("/api/v1/auth/login", &sign_in).await;
    // The job may have lifted it by now, when the machine is slow.
    assert!(matches!(told.status, 403 | 200), "{}", told.text());
    let begun = Instant::now();
    while server.client().post("/api/v1/auth/login", &sign_in).await.status != 200 {
        assert!(begun.elapsed() < Duration::from_mins(1), "the ban did not end");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    ada.get("/api/v1/users/me").await.error(401, "UNAUTHORIZED");
    assert_eq!(admin.get(&format!("/api/v1/users/{}", me["id"].as_str().unwrap())).await.json()["ban"], Value::Null);
}

/// A moment that is so far off by the clock of the server.
async fn until(client: &Client, time: Duration) -> String {
    let reply = client.get("/health").await.expect(200);
    let now = chrono::DateTime::parse_from_rfc2822(reply.header("date")).unwrap();
    (now + time).to_utc().to_rfc3339_opts(chrono::SecondsFormat::Secs, true)
}

async fn nothing_secret_is_left_behind(database: Database) {
    let server = Server::start(database).await;
    let (admin, seller) = (server.signed_in("admin").await, server.signed_in("seller").await);
    let key = seller.post("/api/v1/api-keys", &json!({ "name": "Robot of Ada", "scopes": ["products:write"] })).await;
    let key = key.expect(201).json();
    let account = seller.get("/api/v1/users/me").await.json()["sellerId"].as_str().unwrap().to_owned();
    let path = format!("/api/v1/sellers/{account}/invitations");
    let invitation = seller.post(&path, &json!({ "email": "grace@access.example" })).await.expect(201).json();
    let robot = server.client().with_token(key["text"].as_str().unwrap());
    robot.post("/api/v1/products", &shop::lamp()).await.expect(201);
    robot.get("/api/v1/users/me").await.error(403, "FORBIDDEN");
    robot.get(&format!("/api/v1/products?token={}", key["text"].as_str().unwrap())).await.expect(400);
    server.settled().await;
    let secrets = [&key["text"], &invitation["code"], &json!("grace@access.example"), &json!("Robot of Ada")];
    let audit = admin.get("/api/v1/audit?limit=100").await.expect(200).text();
    for secret in secrets.map(|secret| secret.as_str().unwrap()) {
        assert!(!server.log().contains(secret), "{secret} stands in the log");
        assert!(!audit.contains(secret), "{secret} stands in the audit log");
    }
    // Its use is noted, off the request path.
    let path = format!("/api/v1/api-keys/{}", key["id"].as_str().unwrap());
    let begun = Instant::now();
    while seller.get(&path).await.expect(200).json()["lastUsedAt"].is_null() {
        assert!(begun.elapsed() < Duration::from_mins(1), "no use was noted");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

async fn a_command_shows_the_roles(database: Database) {
    let server = Server::start(database).await;
    let admin = server.signed_in("admin").await;
    let role = json!({ "name": "mentored", "level": 20, "permissions": ["audit:read"] });
    admin.post("/api/v1/roles", &role).await.expect(201);
    let (status, table) = server.run_command(&["permissions"]);
    assert!(status.success(), "{table}");
    let lines: Vec<Vec<&str>> = table.lines().map(|line| line.split_whitespace().collect()).collect();
    assert!(lines.contains(&vec!["guest", "user", "mentored", "seller", "admin"]), "{table}");
    assert!(lines.contains(&vec!["audit:read", "-", "-", "yes", "-", "yes"]), "{table}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_one_node_takes_back_no_other_gives_a_second_later() {
    for database in [Database::postgres(), Database::postgres_with(None)] {
        let cluster = Cluster::start(database, 2, &[]).await;
        let (here, there) = (&cluster.nodes[0], &cluster.nodes[1]);
        let admin = here.signed_in("admin").await;
        let mut ada = shop::person(here, "ada@access.example").await;
        let id = ada.get("/api/v1/users/me").await.json()["id"].as_str().unwrap().to_owned();
        let mut ada_there = ada.at(there.url());
        admin.post("/api/v1/roles", &json!({ "name": "mentored", "level": 20, "permissions": [] })).await.expect(201);
        ada_there.get("/api/v1/audit").await.expect(403);
        admin.put(&format!("/api/v1/users/{id}/roles/mentored"), &json!({})).await.expect(200);
        soon(&ada_there, "/api/v1/audit", 403).await;
        for _ in 0..5 {
            let permissions = |names: &[&str]| json!({ "permissions": names });
            admin.patch("/api/v1/roles/mentored", &permissions(&["audit:read"])).await.expect(200);
            soon(&ada_there, "/api/v1/audit", 200).await;
            let key = ada
                .post("/api/v1/api-keys", &json!({ "name": "Robot", "scopes": ["audit:read", "account:own"] }))
                .await;
            let key = key.expect(201).json();
            let robot = there.client().with_token(key["text"].as_str().unwrap());
            robot.get("/api/v1/audit").await.expect(200);
            admin.patch("/api/v1/roles/mentored", &permissions(&[])).await.expect(200);
            soon(&ada_there, "/api/v1/audit", 403).await;
            // The key outlives what its owner may do, and may it no more.
            robot.get("/api/v1/audit").await.expect(403);
            robot.get("/api/v1/users/me").await.expect(200);
            admin.put(&format!("/api/v1/users/{id}/ban"), &json!({ "reason": "Shouting" })).await.expect(200);
            soon(&ada_there, "/api/v1/users/me", 401).await;
            robot.get("/api/v1/users/me").await.expect(401);
            admin.delete(&format!("/api/v1/users/{id}/ban")).await.expect(200);
            soon(&robot, "/api/v1/users/me", 200).await;
            // Her sessions are over for good. The other node may have learned of the ban by reading her anew, and hears of her sessions
            // a moment later.
            soon(&ada_there, "/api/v1/users/me", 401).await;
            ada = ada.sign_in("ada@access.example", "correct horse battery").await;
            ada_there = ada.at(there.url());
            ada.delete(&format!("/api/v1/api-keys/{}", key["id"].as_str().unwrap())).await.expect(200);
            soon(&robot, "/api/v1/users/me", 401).await;
            ada_there.get("/api/v1/users/me").await.expect(200);
        }
    }
}

/// A read is answered so, at once or within a second.
async fn soon(client: &Client, path: &str, status: u16) {
    let begun = Instant::now();
    loop {
        let reply = client.get(path).await;
        if reply.status == status {
            return;
        }
        assert!(begun.elapsed() < Duration::from_secs(1), "{path} is still answered {}", reply.status);
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
