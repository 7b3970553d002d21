//! Second factors over the real binary: what is good once is good once on all nodes together, and what is guessed at ends.

use serde_json::{Value, json};
use souk_e2e::{Client, Cluster, Database, MailServer, Reply, Server, on_each_database, totp};

use crate::shop;

on_each_database!(
    a_sign_in_asks_for_the_second_factor,
    twenty_uses_of_one_code_are_one_sign_in,
    guesses_at_the_second_factor_are_few,
    sensitive_acts_ask_for_a_fresh_proof,
    an_administrator_removes_the_factor_of_a_person,
);

const PASSWORD: &str = "correct horse battery";

/// Gives the caller an app, and gives its secret and recovery codes.
async fn app(person: &Client) -> (String, Vec<String>) {
    let made = person.post("/api/v1/users/me/totp", &json!({})).await.expect(200);
    assert_eq!(made.header("cache-control"), "no-store");
    let secret = made.json()["secret"].as_str().unwrap().to_owned();
    assert!(made.json()["otpauthUrl"].as_str().unwrap().contains(&secret));
    let code = json!({ "code": totp(&secret) });
    let confirmed = person.post("/api/v1/users/me/totp/confirm", &code).await.expect(200).json();
    let codes = confirmed["recoveryCodes"].as_array().unwrap().iter().map(|code| code.as_str().unwrap().to_owned());
    (secret, codes.collect())
}

/// As if the last code had been used long ago, so that no test waits for the next one.
fn rested(server: &Server) {
    server.tables().run("UPDATE totp_factors SET last_step = 0");
}

async fn login(client: &Client, email: &str) -> Reply {
    client.anonymous().post("/api/v1/auth/login", &json!({ "email": email, "password": PASSWORD })).await
}

async fn challenge(client: &Client, email: &str) -> String {
    let pending = login(client, email).await.expect(202);
    assert_eq!((pending.json().get("token"), pending.header("cache-control")), (None, "no-store"));
    pending.json()["secondFactor"]["challenge"].as_str().unwrap().to_owned()
}

async fn second(client: &Client, challenge: &str, code: &str) -> Reply {
    let body = json!({ "challenge": challenge, "code": code });
    client.anonymous().post("/api/v1/auth/second-factor", &body).await
}

async fn a_sign_in_asks_for_the_second_factor(database: Database) {
    const EMAIL: &str = "ada@factors.example.com";
    let mails = MailServer::start();
    let settings = MailServer::settings(mails.address());
    let settings: Vec<_> = settings.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let mut server = Server::prepared(database, &settings);
    server.run().await;
    let ada = shop::person(&server, EMAIL).await;
    let (secret, recovery) = app(&ada).await;
    assert_eq!(mails.nth_to(EMAIL, 1).await.header("Subject"), "Your account has a second factor now");
    ada.post("/api/v1/users/me/totp", &json!({})).await.error(409, "CONFLICT");

    let waiting = challenge(&ada, EMAIL).await;
    let wrong = second(&ada, &waiting, "000000").await.error(401, "UNAUTHORIZED");
    rested(&server);
    let code = totp(&secret);
    let signed = second(&ada, &waiting, &code).await.expect(200).json();
    let session = ada.with_token(signed["token"].as_str().unwrap());
    let own = session.get("/api/v1/sessions").await.expect(200).json();
    let own = own["items"].as_array().unwrap().iter().find(|one| one["current"] == true).unwrap().clone();
    assert_eq!(own["methods"], json!(["password", "totp"]));
    // Neither the code nor the challenge holds again, also after a restart.
    server.kill();
    server.run().await;
    let ada = ada.at(server.url());
    let other = challenge(&ada, EMAIL).await;
    let again = second(&ada, &other, &code).await.error(401, "UNAUTHORIZED");
    assert_eq!(again["message"], wrong["message"]);
    second(&ada, &waiting, &recovery[2]).await.error(401, "UNAUTHORIZED");

    // A recovery code once, in whatever way it is typed; the owner is told.
    let typed = recovery[0].to_uppercase().replace('-', " ");
    second(&ada, &other, &typed).await.expect(200);
    assert_eq!(mails.nth_to(EMAIL, 2).await.header("Subject"), "A recovery code was used");
    let last = challenge(&ada, EMAIL).await;
    second(&ada, &last, &recovery[0]).await.error(401, "UNAUTHORIZED");
    let session = session.at(server.url());
    let left = session.get("/api/v1/users/me/factors").await.expect(200).json();
    assert_eq!((&left["recoveryCodesLeft"], &left["passkeys"]), (&json!(9), &json!(0)));

    // A sign-in by a letter is one factor too.
    ada.post("/api/v1/auth/sign-in-code", &json!({ "email": EMAIL })).await.expect(202);
    let text = mails.nth_to(EMAIL, 3).await.text();
    let code = text.lines().find(|line| line.len() == 8 && line.bytes().all(|b| b.is_ascii_digit())).unwrap();
    let by_mail = json!({ "email": EMAIL, "code": code });
    ada.anonymous().post("/api/v1/auth/sign-in-code/login", &by_mail).await.expect(202);

    // What is secret is in no table and no log.
    let log = server.log();
    for planted in [&secret, &recovery[0], &recovery[1], &waiting] {
        assert!(!log.contains(planted.as_str()), "a secret is in the log");
    }
    let tables = server.tables();
    assert_eq!(tables.number("SELECT count(*) FROM recovery_codes"), 9);
    let plain = format!("SELECT count(*) FROM audit_logs WHERE cast(metadata AS text) LIKE '%{}%'", recovery[1]);
    assert_eq!(tables.number(&plain), 0);
}

async fn twenty_uses_of_one_code_are_one_sign_in(database: Database) {
    const EMAIL: &str = "eve@factors.example.com";
    let several = matches!(database, Database::Postgres { .. });
    let cluster = Cluster::start(database, if several { 2 } else { 1 }, &[]).await;
    let first = &cluster.nodes[0];
    let last = cluster.nodes.last().unwrap();
    let person = shop::person(first, EMAIL).await;
    let (secret, recovery) = app(&person).await;
    rested(first);
    for by_app in [true, false] {
        // One challenge for some of them, and one for each of the others.
        let mut challenges = vec![challenge(&person, EMAIL).await; 5];
        while challenges.len() < 20 {
            challenges.push(challenge(&person, EMAIL).await);
        }
        let code = if by_app { totp(&secret) } else { recovery[0].clone() };
        let mut trying = tokio::task::JoinSet::new();
        for (n, own) in challenges.into_iter().enumerate() {
            let client = person.at(if n % 2 == 0 { first.url() } else { last.url() });
            let code = code.clone();
            trying.spawn(async move { second(&client, &own, &code).await.status });
        }
        let mut said = trying.join_all().await;
        said.sort_unstable();
        assert_eq!(said.iter().filter(|status| **status == 200).count(), 1, "{said:?}");
        assert!(said[1..].iter().all(|status| *status == 401), "{said:?}");
    }
}

async fn guesses_at_the_second_factor_are_few(database: Database) {
    const EMAIL: &str = "bob@factors.example.com";
    let limits = [
        ("SOUK__LIMITS__SECOND_FACTOR_TRIES", "8/900"),
        ("SOUK__LIMITS__SECOND_FACTOR_STRANGERS", "12/3600"),
        ("SOUK__HTTP__TRUSTED_PROXIES", "127.0.0.1"),
    ];
    let several = matches!(database, Database::Postgres { .. });
    let cluster = Cluster::start(database, if several { 2 } else { 1 }, &limits).await;
    let (first, last) = (&cluster.nodes[0], cluster.nodes.last().unwrap());
    let person = shop::person(first, EMAIL).await;
    let (secret, _) = app(&person).await;
    let from = async |client: &Client, address: &str, challenge: &str, code: &str| {
        let body = json!({ "challenge": challenge, "code": code });
        let request =
            client.anonymous().request("POST", "/api/v1/auth/second-factor").header("X-Forwarded-For", address);
        client.send(request.json(&body)).await
    };
    rested(first);
    // Five guesses end a challenge, also for who has the code.
    let waiting = challenge(&person, EMAIL).await;
    for _ in 0..5 {
        from(&person, "198.51.100.1", &waiting, "000000").await.error(401, "UNAUTHORIZED");
    }
    from(&person, "198.51.100.1", &waiting, &totp(&secret)).await.error(401, "UNAUTHORIZED");
    // Other challenges and other nodes are no way around.
    let mut limited = 0;
    for n in 0..20 {
        let node = if n % 2 == 0 { first } else { last };
        let client = person.at(node.url());
        let address = format!("198.51.100.{}", 2 + n / 4);
        let reply = from(&client, &address, &challenge(&client, EMAIL).await, "000000").await;
        assert!(matches!(reply.status, 401 | 429), "{}", reply.text());
        limited += u32::from(reply.status == 429);
    }
    assert!(limited >= 10, "only {limited} guesses were refused");
    // The owner, where they signed in from before, is let in.
    let waiting = challenge(&person, EMAIL).await;
    second(&person, &waiting, &totp(&secret)).await.expect(200);
}

async fn sensitive_acts_ask_for_a_fresh_proof(database: Database) {
    const EMAIL: &str = "cleo@factors.example.com";
    let server = Server::start(database).await;
    let person = shop::person(&server, EMAIL).await;
    let (secret, _) = app(&person).await;
    let waiting = challenge(&person, EMAIL).await;
    rested(&server);
    let signed = second(&person, &waiting, &totp(&secret)).await.expect(200).json();
    let person = person.with_token(signed["token"].as_str().unwrap());
    let key = json!({ "name": "Robot", "scopes": ["account:own"] });
    person.post("/api/v1/api-keys", &key).await.expect(201);
    // An hour later.
    server.tables().run("UPDATE sessions SET authenticated_at = '2026-01-01 00:00:00+00:00'");
    let stale = async |reply: Reply| {
        let error = reply.error(403, "FORBIDDEN");
        assert_eq!(error["details"]["reason"], "fresh_authentication_required", "{error}");
        assert_eq!(error["details"]["methods"], json!(["password", "email_code"]));
    };
    stale(person.post("/api/v1/api-keys", &key).await).await;
    stale(person.post("/api/v1/users/me/totp", &json!({})).await).await;
    stale(person.delete("/api/v1/users/me/totp").await).await;
    stale(person.post("/api/v1/users/me/recovery-codes", &json!({})).await).await;
    stale(person.post("/api/v1/users/me/passkeys/options", &json!({})).await).await;
    stale(person.post("/api/v1/auth/password", &json!({ "password": "a new one of mine" })).await).await;
    // What is not sensitive goes on.
    person.get("/api/v1/users/me/factors").await.expect(200);
    rested(&server);
    let prove = async |body: Value| person.post("/api/v1/auth/reauthenticate", &body).await;
    prove(json!({ "password": "wrong", "code": totp(&secret) })).await.error(403, "FORBIDDEN");
    let one = prove(json!({ "password": PASSWORD })).await;
    one.error(400, "VALIDATION_ERROR");
    assert!(one.names("/code"), "{}", one.text());
    prove(json!({ "password": PASSWORD, "emailCode": "00000000" })).await.error(400, "VALIDATION_ERROR");
    prove(json!({ "password": PASSWORD, "code": "000000" })).await.error(403, "FORBIDDEN");
    stale(person.post("/api/v1/api-keys", &key).await).await;
    let renewed = prove(json!({ "password": PASSWORD, "code": totp(&secret) })).await.expect(200).json();
    assert_eq!(renewed["methods"], json!(["password", "totp"]));
    person.post("/api/v1/api-keys", &key).await.expect(201);
    // Who has proved it may choose a password without the present one.
    person.post("/api/v1/auth/password", &json!({ "password": "a new one of mine" })).await.expect(200);
    person.delete("/api/v1/users/me/totp").await.expect(200);
    let body = json!({ "email": EMAIL, "password": "a new one of mine" });
    person.anonymous().post("/api/v1/auth/login", &body).await.expect(200);
}

async fn an_administrator_removes_the_factor_of_a_person(database: Database) {
    const EMAIL: &str = "dan@factors.example.com";
    let server = Server::start(database).await;
    let (person, admin) = (shop::person(&server, EMAIL).await, server.signed_in("admin").await);
    app(&person).await;
    let id = person.get("/api/v1/users/me").await.expect(200).json()["id"].as_str().unwrap().to_owned();
    let path = format!("/api/v1/users/{id}/factors");
    person.delete(&path).await.error(403, "FORBIDDEN");
    admin.delete(&path).await.expect(200);
    admin.delete(&path).await.error(404, "NOT_FOUND");
    login(&person, EMAIL).await.expect(200);
    let audit = admin.get(&format!("/api/v1/audit?entityId={id}")).await.expect(200).text();
    assert!(audit.contains("user.remove_factor"), "{audit}");
}
