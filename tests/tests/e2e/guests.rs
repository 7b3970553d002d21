//! Guests outlive a restart, and are users on every node from the moment they said who they are.

use serde_json::{Value, json};
use souk_e2e::{Client, Cluster, Database, Server, on_each_database};

on_each_database!(a_guest_outlives_a_restart_and_keeps_the_id, a_command_ends_guests_whose_time_is_over);

async fn guest(server: &Server) -> (Client, Value) {
    let entered = server.client().post("/api/v1/auth/anonymous", &json!({})).await.expect(200).json();
    (server.client().with_token(entered["token"].as_str().unwrap()), entered)
}

fn ada(email: &str) -> Value {
    json!({ "email": email, "password": "correct horse battery" })
}

async fn a_guest_outlives_a_restart_and_keeps_the_id(database: Database) {
    let mut server = Server::start(database).await;
    let (_, entered) = guest(&server).await;
    assert!(server.stop().await.success());
    server.run().await;
    let refresh = json!({ "refreshToken": entered["refreshToken"] });
    let next = server.client().post("/api/v1/auth/refresh", &refresh).await.expect(200).json();
    let back = server.client().with_token(next["token"].as_str().unwrap());
    back.post("/api/v1/sellers", &json!({ "name": "Lamps" })).await.error(403, "FORBIDDEN");
    let promoted = back.post("/api/v1/auth/anonymous/promotion", &ada("ada@guests.example")).await.expect(200).json();
    assert_eq!(promoted["user"]["id"], entered["user"]["id"]);
    back.get("/api/v1/users/me").await.error(401, "UNAUTHORIZED");
    let user = server.client().with_token(promoted["token"].as_str().unwrap());
    user.post("/api/v1/sellers", &json!({ "name": "Lamps" })).await.expect(201);
    assert!(server.stop().await.success());
    server.run().await;
    let signed = server.client().post("/api/v1/auth/login", &ada("ada@guests.example")).await.expect(200).json();
    assert_eq!(signed["user"]["id"], entered["user"]["id"]);
}

async fn a_command_ends_guests_whose_time_is_over(database: Database) {
    let server = Server::start(database).await;
    let (young, _) = guest(&server).await;
    let (status, told) = server.run_command(&["purge"]);
    assert!(status.success() && told.contains("0 guests"), "{told}");
    young.get("/api/v1/users/me").await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_node_knows_the_user_that_a_guest_became() {
    for database in [Database::postgres(), Database::postgres_with(None)] {
        let cluster = Cluster::start(database, 2, &[]).await;
        let (here, there) = (&cluster.nodes[0], &cluster.nodes[1]);
        let (came, _) = guest(here).await;
        let went_there = came.at(there.url());
        went_there.get("/api/v1/users/me").await.expect(200);
        let promoted = came.post("/api/v1/auth/anonymous/promotion", &ada("bob@guests.example")).await.expect(200);
        let user = there.client().with_token(promoted.json()["token"].as_str().unwrap());
        // The token of the new session holds there at once; who its person is by now is known within a second.
        let role = async || user.get("/api/v1/users/me").await.expect(200).json()["role"].clone();
        assert_eq!(role().await, "user");
        let begun = std::time::Instant::now();
        while user.post("/api/v1/sellers", &json!({ "name": "Lamps" })).await.status != 201 {
            assert!(begun.elapsed() < std::time::Duration::from_secs(20), "the other node takes them for a guest");
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        while went_there.get("/api/v1/users/me").await.status != 401 {
            assert!(begun.elapsed() < std::time::Duration::from_secs(20), "the guest's session goes on there");
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    }
}
