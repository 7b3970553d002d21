//! Passkeys over the real binary, by an authenticator in software.

use serde_json::{Value, json};
use souk_e2e::{Authenticator, Client, Cluster, Database, Reply, on_each_database};

use crate::shop;

on_each_database!(a_passkey_signs_in_on_any_node, what_a_passkey_does_not_prove_is_refused);

/// A page that is allowed on every node.
const ORIGIN: &str = "http://localhost:5173";
const SETTINGS: [(&str, &str); 1] = [("SOUK__PASSKEYS__ORIGINS", ORIGIN)];

async fn shops(database: Database) -> Cluster {
    let several = matches!(database, Database::Postgres { .. });
    Cluster::start(database, if several { 2 } else { 1 }, &SETTINGS).await
}

async fn options(client: &Client, path: &str) -> Value {
    client.post(path, &json!({})).await.expect(200).json()
}

async fn register(person: &Client) -> Authenticator {
    let begun = options(person, "/api/v1/users/me/passkeys/options").await;
    let (made, credential) = Authenticator::register(&begun["publicKey"], ORIGIN);
    let body = json!({ "ceremony": begun["ceremony"], "credential": credential, "name": "Phone" });
    let created = person.post("/api/v1/users/me/passkeys", &body).await.expect(201);
    person.get(created.header("location")).await.expect(200);
    // The ceremony was used.
    person.post("/api/v1/users/me/passkeys", &body).await.error(422, "UNPROCESSABLE");
    made
}

async fn begin(client: &Client) -> Value {
    options(&client.anonymous(), "/api/v1/auth/passkeys/options").await
}

async fn finish(client: &Client, begun: &Value, credential: &Value) -> Reply {
    let body = json!({ "ceremony": begun["ceremony"], "credential": credential });
    client.anonymous().post("/api/v1/auth/passkeys", &body).await
}

async fn a_passkey_signs_in_on_any_node(database: Database) {
    let cluster = shops(database).await;
    let (here, there) = (&cluster.nodes[0], cluster.nodes.last().unwrap());
    let person = shop::person(here, "ada@passkeys.example.com").await;
    let begun = options(&person, "/api/v1/users/me/passkeys/options").await;
    let asked = &begun["publicKey"]["authenticatorSelection"];
    assert_eq!((&asked["userVerification"], &asked["residentKey"]), (&json!("required"), &json!("required")));
    let mut phone = register(&person).await;
    // Begun here, ended there, with nobody named.
    let begun = begin(&person).await;
    assert_eq!(begun["publicKey"].get("allowCredentials").map_or(0, |all| all.as_array().unwrap().len()), 0);
    let answer = phone.assert(&begun["publicKey"]);
    let elsewhere = person.at(there.url());
    let signed = finish(&elsewhere, &begun, &answer).await.expect(200).json();
    assert_eq!(signed["user"]["email"], "ada@passkeys.example.com");
    let session = elsewhere.with_token(signed["token"].as_str().unwrap());
    let listed = session.get("/api/v1/users/me/passkeys").await.expect(200).json();
    assert_eq!((&listed["total"], &listed["items"][0]["name"]), (&json!(1), &json!("Phone")));
    assert!(listed["items"][0]["lastUsedAt"].is_string(), "{listed}");
    // The same answer again, on either node.
    for client in [&person, &elsewhere] {
        finish(client, &begun, &answer).await.error(401, "UNAUTHORIZED");
    }
    // Twenty times at once it is one sign-in.
    let begun = begin(&person).await;
    let answer = phone.assert(&begun["publicKey"]);
    let mut trying = tokio::task::JoinSet::new();
    for n in 0..20 {
        let (client, begun, answer) =
            (person.at(if n % 2 == 0 { here.url() } else { there.url() }), begun.clone(), answer.clone());
        trying.spawn(async move { finish(&client, &begun, &answer).await.status });
    }
    let said = trying.join_all().await;
    assert_eq!(said.iter().filter(|status| **status == 200).count(), 1, "{said:?}");
    // It proves anew who somebody is.
    here.tables().run("UPDATE sessions SET authenticated_at = '2026-01-01 00:00:00+00:00'");
    let path = format!("/api/v1/users/me/passkeys/{}", listed["items"][0]["id"].as_str().unwrap());
    let stale = session.delete(&path).await.error(403, "FORBIDDEN");
    assert!(stale["details"]["methods"].as_array().unwrap().contains(&json!("passkey")), "{stale}");
    let begun = begin(&person).await;
    let body = json!({ "ceremony": begun["ceremony"], "credential": phone.assert(&begun["publicKey"]) });
    let renewed = session.post("/api/v1/auth/reauthenticate", &body).await.expect(200).json();
    assert_eq!(renewed["methods"], json!(["passkey"]));
    session.patch(&path, &json!({ "name": "Old phone" })).await.expect(200);
    session.delete(&path).await.expect(200);
    let begun = begin(&person).await;
    let gone = phone.assert(&begun["publicKey"]);
    finish(&person, &begun, &gone).await.error(401, "UNAUTHORIZED");
}

async fn what_a_passkey_does_not_prove_is_refused(database: Database) {
    let cluster = shops(database).await;
    let person = shop::person(&cluster.nodes[0], "bob@passkeys.example.com").await;
    let other = shop::person(&cluster.nodes[0], "eve@passkeys.example.com").await;
    // A registration from a foreign page, without a finger or PIN, for somebody else, and one that is none.
    let begun = options(&person, "/api/v1/users/me/passkeys/options").await;
    let (mut made, foreign) = Authenticator::register(&begun["publicKey"], "https://evil.example");
    let create = async |by: &Client, credential: &Value| {
        by.post("/api/v1/users/me/passkeys", &json!({ "ceremony": begun["ceremony"], "credential": credential })).await
    };
    create(&person, &foreign).await.error(422, "UNPROCESSABLE");
    ORIGIN.clone_into(&mut made.origin);
    made.verifies = false;
    create(&person, &made.attest(&begun["publicKey"])).await.error(422, "UNPROCESSABLE");
    made.verifies = true;
    let good = made.attest(&begun["publicKey"]);
    create(&other, &good).await.error(422, "UNPROCESSABLE");
    create(&person, &json!({})).await.error(422, "UNPROCESSABLE");
    create(&person, &good).await.expect(201);

    let mut stolen = register(&other).await;
    let refused = async |begun: &Value, credential: &Value, why: &str| {
        let reply = finish(&person, begun, credential).await;
        assert_eq!(reply.status, 401, "{why}: {}", reply.text());
    };
    let begun = begin(&person).await;
    "https://evil.example".clone_into(&mut made.origin);
    refused(&begun, &made.assert(&begun["publicKey"]), "a foreign page").await;
    ORIGIN.clone_into(&mut made.origin);
    refused(&begun, &made.assert(&begun["publicKey"]), "that ceremony was used up").await;
    let begun = begin(&person).await;
    made.verifies = false;
    refused(&begun, &made.assert(&begun["publicKey"]), "nobody's finger").await;
    made.verifies = true;
    let (one, two) = (begin(&person).await, begin(&person).await);
    refused(&one, &made.assert(&two["publicKey"]), "the challenge of another ceremony").await;
    let begun = begin(&person).await;
    let mut mixed = made.assert(&begun["publicKey"]);
    mixed["response"]["userHandle"] = stolen.assert(&begun["publicKey"])["response"]["userHandle"].clone();
    refused(&begun, &mixed, "somebody else's name").await;
    let begun = begin(&person).await;
    let mut mixed = made.assert(&begun["publicKey"]);
    mixed["response"]["signature"] = stolen.assert(&begun["publicKey"])["response"]["signature"].clone();
    refused(&begun, &mixed, "somebody else's signature").await;
    let begun = begin(&person).await;
    finish(&person, &begun, &made.assert(&begun["publicKey"])).await.expect(200);
    // A copy that counts from where it was made.
    made.count -= 2;
    let begun = begin(&person).await;
    refused(&begun, &made.assert(&begun["publicKey"]), "the counter went back").await;
    let begun = begin(&person).await;
    finish(&person, &begun, &json!({})).await.error(401, "UNAUTHORIZED");
    let body = json!({ "ceremony": "00", "credential": {} });
    person.anonymous().post("/api/v1/auth/passkeys", &body).await.error(401, "UNAUTHORIZED");
}
