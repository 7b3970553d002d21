//! Background jobs in the whole binary: started by hand, done, shown, counted; and what has no future is told at the start.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use souk_e2e::{Client, Database, NODES_KEY, Server, on_each_database};

use crate::shop;

on_each_database!(an_entry_run_by_hand_is_done_and_counted, words_are_found_anew_by_pages);

async fn an_entry_run_by_hand_is_done_and_counted(database: Database) {
    let mut server = Server::start(database).await;
    let admin = server.signed_in("admin").await;
    let entries = admin.get("/api/v1/schedules").await.expect(200).json();
    let names: Vec<_> =
        entries["items"].as_array().unwrap().iter().map(|entry| entry["name"].as_str().unwrap()).collect();
    assert_eq!(
        names,
        ["purge", "purge_jobs", "rotate_keys", "sweep_files", "settle_files", "settle_calls", "reindex", "rerender"]
    );
    for name in &names[..3] {
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
    assert_eq!(server.tables().number("SELECT count(*) FROM signing_keys"), 2, "the next key waits for its turn");
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
async fn a_job_of_one_node_is_noticed_by_another_at_once() {
    a_job_is_noticed_elsewhere(Database::postgres()).await;
}

#[tokio::test]
async fn without_redis_a_job_of_one_node_is_noticed_by_another_too() {
    a_job_is_noticed_elsewhere(Database::postgres_with(None)).await;
}

/// One node stores jobs and does none. An idle worker asks by itself every two seconds, one that had a job just now every
/// half; half of what comes at any moment would wait for longer than this.
async fn a_job_is_noticed_elsewhere(database: Database) {
    const NOTICED: f64 = 0.2;
    let mut here = Server::prepared(database, &[("SOUK_SECRET_KEY", NODES_KEY), ("SOUK__JOBS__AT_ONCE", "0")]);
    here.run().await;
    let mut there = here.beside().with("SOUK__JOBS__AT_ONCE", "8");
    there.run().await;
    let (admin, tables) = (here.signed_in("admin").await, here.tables());
    for _ in 0..15 {
        let asked = admin.post("/api/v1/schedules/purge_jobs/run", &json!({})).await.expect(202);
        ended(&admin, asked.header("location")).await;
    }
    let waits = "SELECT extract(epoch FROM started_at - created_at)::float8 FROM jobs WHERE kind = 'purge_jobs'";
    let mut waits: Vec<f64> = tables.run(waits).iter().map(|row| row[0].parse().unwrap()).collect();
    waits.sort_by(f64::total_cmp);
    println!("noticed after {:.1} ms at the median of {}", waits[waits.len() / 2] * 1000.0, waits.len());
    assert!(waits.len() >= 15 && waits[waits.len() / 2] < NOTICED, "{waits:?}");
}

#[tokio::test]
async fn a_cron_line_that_never_fires_is_told_at_the_start() {
    let server = Server::prepared(Database::sqlite(), &[("SOUK__SCHEDULE__PURGE", "0 0 30 2 *")]);
    let (status, _) = server.run_command(&["serve"]);
    assert_eq!(status.code(), Some(78), "{}", server.log());
    assert!(server.log().contains("schedule.purge ($SOUK__SCHEDULE__PURGE): \"0 0 30 2 *\" never comes to pass"));
}
