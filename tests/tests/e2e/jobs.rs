//! Background jobs in the whole binary: started by hand, done, shown, counted; and what has no future is told at the start.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use souk_e2e::{Client, Database, Server, on_each_database};

use crate::shop;

on_each_database!(an_entry_run_by_hand_is_done_and_counted, words_are_found_anew_by_pages);

async fn an_entry_run_by_hand_is_done_and_counted(database: Database) {
    let mut server = Server::start(database).await;
    let admin = server.signed_in("admin").await;
    let entries = admin.get("/api/v1/schedules").await.expect(200).json();
    let names: Vec<_> =
        entries["items"].as_array().unwrap().iter().map(|entry| entry["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["purge", "purge_jobs", "reindex"]);
    for name in &names[..2] {
        let asked = admin.post(&format!("/api/v1/schedules/{name}/run"), &json!({})).await.expect(202);
        let done = ended(&admin, asked.header("location")).await;
        assert_eq!(
            (&done["state"], &done["kind"], &done["attempts"]),
            (&json!("done"), &json!(name), &json!(1)),
            "{done}"
        );
    }
    let entries = admin.get("/api/v1/schedules").await.expect(200).json();
    assert_eq!(entries["items"][0]["runs"][0]["state"], "done");
    let until = Instant::now() + Duration::from_secs(30);
    let wanted = ["job_attempts_total{kind=\"purge\",outcome=\"done\"} 1", "job_duration_seconds_count{kind=\"purge\""];
    loop {
        let metrics = server.client().get("/metrics").await.expect(200).text();
        if wanted.iter().all(|line| metrics.contains(line)) {
            break;
        }
        assert!(Instant::now() < until, "{metrics}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert!(server.stop().await.success());
}

async fn words_are_found_anew_by_pages(database: Database) {
    let server = Server::start(database).await;
    let (admin, tables) = (server.signed_in("admin").await, server.tables());
    shop::create(&server.signed_in("seller").await, &shop::lamp()).await;
    let search = async |text: &str| {
        let path = format!("/api/v1/products?search={text}");
        server.client().get(&path).await.expect(200).json()["total"].clone()
    };
    let before = search("lam").await;
    assert!(before.as_u64() > Some(0));
    tables.run("UPDATE products SET search_text = 'stale'");
    // Kept in the cache like this from now on, until the pages make it old.
    assert_eq!(search("lamp").await, 0);
    let asked = admin.post("/api/v1/schedules/reindex/run", &json!({})).await.expect(202);
    ended(&admin, asked.header("location")).await;
    let until = Instant::now() + Duration::from_secs(30);
    while tables.number("SELECT count(*) FROM jobs WHERE state IN ('waiting', 'running')") > 0 {
        assert!(Instant::now() < until, "jobs are left:\n{}", server.log());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(search("lamp").await, before);
    assert_eq!(tables.number("SELECT count(*) FROM jobs WHERE state = 'dead'"), 0);
}

async fn ended(admin: &Client, path: &str) -> Value {
    let until = Instant::now() + Duration::from_secs(30);
    loop {
        let job = admin.get(path).await.expect(200).json();
        if !job["finishedAt"].is_null() {
            return job;
        }
        assert!(Instant::now() < until, "it did not end: {job}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn a_cron_line_that_never_fires_is_told_at_the_start() {
    let server = Server::prepared(Database::sqlite(), &[("SOUK__SCHEDULE__PURGE", "0 0 30 2 *")]);
    let (status, _) = server.run_command(&["serve"]);
    assert_eq!(status.code(), Some(78), "{}", server.log());
    assert!(server.log().contains("schedule.purge ($SOUK__SCHEDULE__PURGE): \"0 0 30 2 *\" never comes to pass"));
}
