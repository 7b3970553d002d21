//! The archive of all that is kept of somebody, over the real binary.

use std::{
    io::{Cursor, Read as _},
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use souk_e2e::{Client, Cluster, Database, on_each_database};

use crate::shop;

on_each_database!(a_person_takes_away_all_that_is_kept_of_them);

const PATH: &str = "/api/v1/users/me/exports";

async fn made(client: &Client, path: &str) -> Value {
    let until = Instant::now() + Duration::from_secs(30);
    loop {
        let export = client.get(path).await.expect(200).json();
        if export["state"] == "ready" {
            return export;
        }
        assert!(Instant::now() < until, "it was not made: {export}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn a_person_takes_away_all_that_is_kept_of_them(database: Database) {
    const EMAIL: &str = "ada@exports.example.com";
    let several = matches!(database, Database::Postgres { .. });
    let cluster = Cluster::start(database, if several { 2 } else { 1 }, &[]).await;
    let (here, there) = (&cluster.nodes[0], cluster.nodes.last().unwrap());
    let ada = shop::person(here, EMAIL).await;
    let asked = ada.post(PATH, &json!({})).await.expect(202).json();
    let own = format!("{PATH}/{}", asked["id"].as_str().unwrap());
    // Whichever node made it, the other gives it.
    let other = ada.at(there.url());
    let ready = made(&other, &own).await;
    let taken = other.get(&format!("{own}/archive")).await.expect(200);
    assert_eq!(taken.header("content-type"), "application/zip");
    assert_eq!(json!(taken.body.len()), ready["bytes"]);
    let mut archive = zip::ZipArchive::new(Cursor::new(taken.body)).unwrap();
    let mut file = |name: &str| -> Value {
        let mut text = String::new();
        archive.by_name(name).unwrap().read_to_string(&mut text).unwrap();
        serde_json::from_str(&text).unwrap()
    };
    let manifest = file("manifest.json");
    let profile = file("profile.json");
    assert_eq!((&profile[0]["email"], &profile[0]["id"]), (&json!(EMAIL), &manifest["userId"]));
    for counted in manifest["files"].as_array().unwrap() {
        let rows = file(counted["name"].as_str().unwrap());
        assert_eq!(json!(rows.as_array().unwrap().len()), counted["rows"], "{counted}");
    }
    assert_eq!(file("sessions.json").as_array().unwrap().len(), 1);
    let actions = file("audit_log.json");
    assert!(actions.as_array().unwrap().iter().any(|entry| entry["action"] == "user.request_export"), "{actions}");
    // In the database nobody reads it: not even the name manifest.json, in hexadecimal digits.
    let tables = here.tables();
    let name = "6d616e69666573742e6a736f6e";
    let sealed = tables.run(&format!("SELECT {} FROM data_export_chunks", tables.hex("sealed")));
    assert_eq!(sealed.len(), 1);
    assert!(!sealed[0][0].to_lowercase().contains(name), "the names of a ZIP are legible, and it is not");
    ada.delete(&own).await.expect(200);
    other.get(&own).await.error(404, "NOT_FOUND");
}
