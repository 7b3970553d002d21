//! The commands of the operator, run as the real binary.

use std::{
    io::{Read, Write},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use serde_json::json;
use souk_e2e::{Database, Server, Tables, on_each_database};

use crate::{
    shop,
    sockets::{people, room},
};

on_each_database!(
    migrations_verify,
    a_dry_run_of_an_import_writes_nothing,
    nobody_signs_in_to_the_house_account,
    what_is_exported_reads_back_unchanged,
    events_set_aside_are_listed_and_taken_up_again,
    a_purge_lets_go_of_what_is_old,
    a_seeded_shop_is_there_once,
    a_password_is_asked_for_on_a_terminal,
    a_role_is_given_and_taken_back_while_the_shop_is_open,
);

/// Runs a command that must succeed, and gives what it printed.
#[track_caller]
fn ran(server: &Server, arguments: &[&str]) -> String {
    let (status, text) = server.run_command(arguments);
    assert!(status.success(), "{arguments:?}: {status}: {text}\n{}", server.log());
    text
}

async fn a_role_is_given_and_taken_back_while_the_shop_is_open(database: Database) {
    let server = Server::start(database).await;
    let [(ada, _), (bob, bob_id)] = people(&server).await;
    room(&ada, "secret", "private").await;
    let mut his = bob.socket().await;
    let join = json!({ "type": "join_room", "room": "secret" });
    assert_eq!(his.ask(&join).await["code"], "NOT_FOUND");
    bob.get("/api/v1/audit").await.error(403, "FORBIDDEN");
    let change = |verb, role| ["user", verb, "--email", "bob@rooms.example.com", "--role", role];
    assert_eq!(ran(&server, &change("grant", "admin")), format!("{bob_id} user,admin bob@rooms.example.com\n"));
    let until = Instant::now() + Duration::from_secs(20);
    while his.ask(&join).await["type"] != "room_joined" {
        assert!(Instant::now() < until, "an administrator may be everywhere");
    }
    bob.get("/api/v1/audit").await.expect(200);
    assert_eq!(ran(&server, &change("revoke", "admin")), format!("{bob_id} user bob@rooms.example.com\n"));
    let left = his.wait("room_left").await;
    assert_eq!((&left["room"], &left["reason"]), (&json!("secret"), &json!("removed")));
    assert_eq!(his.ask(&join).await["code"], "NOT_FOUND");
    bob.get("/api/v1/audit").await.error(403, "FORBIDDEN");
    for (arguments, told) in [
        (change("revoke", "user"), "Everybody keeps the role user"),
        (change("grant", "seller"), "They have no seller account"),
        (["user", "grant", "--email", "nobody@rooms.example.com", "--role", "admin"], "User not found"),
        (["user", "grant", "--email", "nobody", "--role", "admin"], "must be an e-mail address"),
    ] {
        let (status, _) = server.run_command(&arguments);
        assert_eq!(status.code(), Some(1), "{arguments:?}");
        assert!(server.log().contains(told), "{told}: {}", server.log());
    }
}

async fn migrations_verify(database: Database) {
    let postgres = database.url().is_some();
    let server = Server::prepared(database, &[]);
    let text = ran(&server, &["migrate", "verify"]);
    let engine = if postgres { "PostgreSQL" } else { "SQLite" };
    assert!(text.contains("up, down, up, down: schema and rows as before"), "{text}");
    assert!(text.lines().last().unwrap().starts_with("migrations verified: ") && text.contains(engine), "{text}");
}

async fn a_dry_run_of_an_import_writes_nothing(database: Database) {
    let server = Server::prepared(database, &[]);
    server.file("lamps.csv").write_all(b"sku,name,price,category\n1,Brass lamp,3,home/light\n2,Vase,4,home\n").unwrap();
    ran(&server, &["migrate", "up"]);
    let written = |tables: &Tables| {
        ["users", "sellers", "categories", "products", "audit_logs", "events"]
            .map(|table| tables.number(&format!("SELECT count(*) FROM {table}")))
    };
    let text = ran(&server, &["import", "catalogue", "lamps.csv", "--dry-run"]);
    assert!(text.starts_with("dry run: created 2, updated 0, unchanged 0, rejected 0 in "), "{text}");
    assert_eq!(written(&server.tables()), [0; 6]);
    ran(&server, &["import", "catalogue", "lamps.csv"]);
    assert_eq!(written(&server.tables()), [1, 1, 2, 2, 6, 6]);
    let text = ran(&server, &["import", "catalogue", "lamps.csv", "--dry-run"]);
    assert!(text.starts_with("dry run: created 0, updated 0, unchanged 2, rejected 0 in "), "{text}");
    assert_eq!(written(&server.tables()), [1, 1, 2, 2, 6, 6]);
}

async fn nobody_signs_in_to_the_house_account(database: Database) {
    let mut server = Server::prepared(database, &[]);
    server.file("lamps.csv").write_all(b"sku,name,price\n1,Brass lamp,3\n").unwrap();
    ran(&server, &["import", "catalogue", "lamps.csv"]);
    server.run().await;
    for password in ["anything", "!", ""] {
        let body = json!({ "email": "catalogue@localhost", "password": password });
        let reply = server.client().post("/api/v1/auth/login", &body).await;
        assert_eq!(reply.error(401, "UNAUTHORIZED")["message"], "Invalid email or password");
    }
}

async fn what_is_exported_reads_back_unchanged(database: Database) {
    let server = Server::start(database).await;
    let total = server.client().get("/api/v1/products").await.expect(200).json()["total"].as_u64().unwrap();
    for file in ["all.ndjson.gz", "all.csv"] {
        ran(&server, &["export", "catalogue", file]);
        let text = ran(&server, &["import", "catalogue", file]);
        assert!(text.contains(&format!("created 0, updated 0, unchanged {total}, rejected 0")), "{file}: {text}");
    }
}

async fn events_set_aside_are_listed_and_taken_up_again(database: Database) {
    let server = Server::start(database).await;
    let tables = server.tables();
    settled(&tables).await;
    assert_eq!(ran(&server, &["events", "failed"]), "events set aside: 0\n");
    // Somebody writes a change that no consumer could read, with its audit entry.
    let (hex, id) = ("0190aaaaaaaa7bbb8ccc000000000001", "0190aaaa-aaaa-7bbb-8ccc-000000000001");
    let new = tables.literal(hex);
    let one = "(SELECT id FROM events WHERE kind = 'product.created' ORDER BY id LIMIT 1)";
    tables.run(&format!(
        "INSERT INTO audit_logs SELECT {new}, actor_id, action, entity_type, entity_id, metadata, created_at, impersonator_id \
         FROM audit_logs WHERE id = {one}; \
         INSERT INTO events SELECT {new}, NULL, 'product.exploded', entity_type, entity_id, actor_id, payload, \
         occurred_at, NULL FROM events WHERE id = {one}"
    ));
    settled(&tables).await;
    let text = ran(&server, &["events", "failed"]);
    assert!(text.starts_with(&format!("{id}  product.exploded  unknown kind")), "{text}");
    assert!(text.ends_with("events set aside: 1\n"), "{text}");

    // Tried again as it is, it is set aside again.
    assert_eq!(ran(&server, &["events", "retry", "--all"]), "events to try again: 1\n");
    settled(&tables).await;
    assert!(ran(&server, &["events", "failed"]).ends_with("events set aside: 1\n"));
    // Put right, it gets its number.
    tables.run(&format!("UPDATE events SET kind = 'product.updated' WHERE id = {new}"));
    assert_eq!(ran(&server, &["events", "retry", id]), "events to try again: 1\n");
    settled(&tables).await;
    assert_eq!(ran(&server, &["events", "failed"]), "events set aside: 0\n");
    let numbers = "SELECT count(*) FROM events WHERE seq = (SELECT max(seq) FROM events) AND id =";
    assert_eq!(tables.number(&format!("{numbers} {new}")), 1);
    assert!(ran(&server, &["audit", "verify"]).starts_with("audit ok"));
}

async fn a_purge_lets_go_of_what_is_old(database: Database) {
    let mut server = Server::start(database).await;
    let seller = server.signed_in("seller").await;
    let product = shop::create(&seller, &shop::lamp()).await;
    seller.delete(&shop::path(&product)).await.expect(200);
    let tables = server.tables();
    settled(&tables).await;
    // The server purges too, and may be in the middle of it.
    assert!(server.stop().await.success());
    let events = tables.number("SELECT count(*) FROM events");
    assert_eq!(
        ran(&server, &["purge"]),
        "purged: 0 products, 0 messages, 0 sessions, 0 data exports, 0 guests, 0 webhooks of others, 0 sent webhooks, 0 conversations, 0 batches and their files, 0 events, 0 idempotency keys, 0 audit entries\n"
    );
    tables.run("UPDATE products SET deleted_at = '2020-01-01T00:00:00+00:00' WHERE deleted_at IS NOT NULL");
    tables.run(
        "UPDATE sessions SET idle_until = '2020-01-01T00:00:00+00:00', tokens_until = '2020-01-01T00:00:00+00:00'",
    );
    tables.run("UPDATE events SET occurred_at = '2020-01-01T00:00:00+00:00' WHERE seq <= 5");
    assert_eq!(
        ran(&server, &["purge"]),
        "purged: 1 products, 0 messages, 1 sessions, 0 data exports, 0 guests, 0 webhooks of others, 0 sent webhooks, 0 conversations, 0 batches and their files, 5 events, 0 idempotency keys, 0 audit entries\n"
    );
    // What was purged told of itself.
    assert_eq!(tables.number("SELECT count(*) FROM events"), events - 5 + 1);
    assert_eq!(tables.number("SELECT count(*) FROM events WHERE kind = 'product.purged'"), 1);
    assert!(ran(&server, &["audit", "verify"]).contains("audit ok"));
}

async fn a_seeded_shop_is_there_once(database: Database) {
    let mut server = Server::prepared(database, &[("SOUK__SHOP__DEMO", "false")]);
    let seed = ["seed", "--products", "120", "--sellers", "3", "--buyers", "10", "--password-stdin"];
    let run = || {
        let mut child = server.command(&seed).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(b"correct horse battery\n").unwrap();
        String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap()
    };
    let (first, second) = (run(), run());
    assert!(first.starts_with("seeded: created 13 accounts, 120 products, "), "{first}");
    assert!(
        second.starts_with("seeded: created 0 accounts, 0 products, 0 reviews; 120 products were there"),
        "{second}"
    );
    let tables = server.tables();
    let wrong = "SELECT count(*) FROM products p WHERE rating_count <> (SELECT count(*) FROM reviews r \
         WHERE r.product_id = p.id) OR rating_sum <> (SELECT coalesce(sum(stars), 0) FROM reviews r WHERE r.product_id = p.id)";
    assert_eq!(tables.number(wrong), 0);
    assert!(tables.number("SELECT count(*) FROM reviews") > 0);
    server.run().await;
    settled(&tables).await;
    assert!(ran(&server, &["audit", "verify"]).starts_with("audit ok"));
    let seller = server.client().sign_in("seller2.seed1@seed.example", "correct horse battery").await;
    shop::create(&seller, &shop::lamp()).await;
}

/// On a terminal, which util-linux's `script` makes, the password is asked for twice.
async fn a_password_is_asked_for_on_a_terminal(database: Database) {
    let mut server = Server::prepared(database, &[("SOUK__SHOP__DEMO", "false")]);
    ran(&server, &["migrate", "up"]);
    let create = server.command(&["user", "create", "--email", "ada@example.com"]);
    let mut on_terminal = Command::new("script");
    let words = std::iter::once(create.get_program()).chain(create.get_args());
    let words: Vec<_> = words.map(|word| word.to_str().unwrap()).collect();
    on_terminal.args(["-qefc", &words.join(" "), "/dev/null"]).current_dir(server.folder()).env_clear();
    on_terminal.envs(create.get_envs().filter_map(|(name, value)| Some((name, value?))));
    on_terminal.env("SHELL", "/bin/sh").env("TERM", "dumb");
    let mut child = on_terminal.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("script, of util-linux");
    let (mut typed, mut shown) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
    let mut text = String::new();
    for prompt in ["shown): ", "again: "] {
        while !text.ends_with(prompt) {
            let mut byte = [0];
            assert_eq!(shown.read(&mut byte).unwrap(), 1, "{text}");
            text.push(char::from(byte[0]));
        }
        typed.write_all(b"correct horse battery\n").unwrap();
    }
    shown.read_to_string(&mut text).unwrap();
    assert!(child.wait().unwrap().success(), "{text}");
    assert!(text.trim_end().ends_with(" user ada@example.com"), "{text}");
    server.run().await;
    let _ = server.client().sign_in("ada@example.com", "correct horse battery").await;
}

/// Waits until the relay has seen every event.
async fn settled(tables: &Tables) {
    let until = Instant::now() + Duration::from_secs(20);
    while tables.pending() > 0 {
        assert!(Instant::now() < until, "the relay stands still");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
