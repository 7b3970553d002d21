//! Kill -9 while jobs run: each job is done, none is lost, and what each does happens exactly once.
//!
//! The jobs are those of the reindexing of products. A page that was looked at leaves one entry in the audit log, so that
//! one done twice would leave two. `SOUK_JOB_KILLS` and `SOUK_KILL_JOBS` say how often and how many; 3 and 300 when they
//! are not set, `scripts/soak` takes 20 and 10000.

use std::time::{Duration, Instant};

use souk_e2e::{Cluster, Database, Server, Tables, on_each_database};

use crate::ledger::Dice;

on_each_database!(jobs_are_done_once_over_kills, the_job_checker_catches_planted_faults_of_kills);

async fn jobs_are_done_once_over_kills(database: Database) {
    let (kills, jobs) = (number("SOUK_JOB_KILLS", 3), number("SOUK_KILL_JOBS", 300));
    // So long the jobs of a killed process wait for the next.
    let mut server = Server::prepared(database, &[("SOUK__JOBS__LEASE_SECONDS", "2")]);
    server.run().await;
    let tables = server.tables();
    let dice = Dice::new(std::process::id().into());
    tables.run("UPDATE products SET search_text = 'stale'");
    let (mut stored, mut cut_short) = (0, 0);
    for kill in 1..=kills {
        let portion = jobs * kill / kills - stored;
        store(&tables, portion);
        stored += portion;
        // The queue is asked twice a second; so some are done, some run, and some wait.
        tokio::time::sleep(Duration::from_millis(dice.roll(1000))).await;
        server.kill();
        cut_short += tables.number("SELECT count(*) FROM jobs WHERE state = 'running'");
        server.run().await;
    }
    let until = Instant::now() + Duration::from_secs(60 + jobs / 10);
    while tables.number("SELECT count(*) FROM jobs WHERE kind = 'reindex_page' AND state <> 'done'") > 0 {
        assert!(Instant::now() < until, "jobs are left: {:?}\n{}", faults(&tables, jobs), server.log());
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    println!("{kills} kills, {jobs} jobs, {cut_short} cut short");
    assert_eq!(faults(&tables, jobs), Vec::<String>::new());
    assert_eq!(tables.number("SELECT count(*) FROM products WHERE search_text = 'stale'"), 0);
    if kills >= 10 {
        assert!(cut_short > 0, "no kill met a running job");
    }
    assert!(server.stop().await.success());
}

mod nodes {
    use souk_e2e::Database;

    #[tokio::test]
    async fn jobs_are_done_once_over_kills_of_nodes_with_redis() {
        super::jobs_are_done_once_over_kills_of_nodes(Database::postgres()).await;
    }

    #[tokio::test]
    async fn jobs_are_done_once_over_kills_of_nodes_without_redis() {
        super::jobs_are_done_once_over_kills_of_nodes(Database::postgres_with(None)).await;
    }
}

/// Of three nodes any is killed while all are at work, and stays away until the next kill: the others take over.
async fn jobs_are_done_once_over_kills_of_nodes(database: Database) {
    let (kills, jobs) = (number("SOUK_JOB_KILLS", 3), number("SOUK_KILL_JOBS", 300));
    let mut nodes = Cluster::start(database, 3, &[("SOUK__JOBS__LEASE_SECONDS", "2")]).await.nodes;
    let tables = nodes[0].tables();
    let dice = Dice::new(std::process::id().into());
    tables.run("UPDATE products SET search_text = 'stale'");
    let (mut stored, mut cut_short, mut away) = (0, 0, None::<usize>);
    let mut workers = 0;
    for kill in 1..=kills {
        let portion = jobs * kill / kills - stored;
        store(&tables, portion);
        stored += portion;
        tokio::time::sleep(Duration::from_millis(dice.roll(1000))).await;
        workers = workers.max(tables.number("SELECT count(DISTINCT worker) FROM jobs WHERE state = 'running'"));
        let next = (away.unwrap_or_default() + 1 + usize::try_from(dice.roll(2)).unwrap()) % nodes.len();
        nodes[next].kill();
        cut_short += tables.number("SELECT count(*) FROM jobs WHERE state = 'running' AND attempts > 0");
        if let Some(back) = away.replace(next) {
            nodes[back].run().await;
        }
    }
    let until = Instant::now() + Duration::from_secs(60 + jobs / 10);
    while tables.number("SELECT count(*) FROM jobs WHERE kind = 'reindex_page' AND state <> 'done'") > 0 {
        assert!(Instant::now() < until, "jobs are left: {:?}\n{}", faults(&tables, jobs), nodes[0].log());
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    let again = tables.number("SELECT count(*) FROM jobs WHERE kind = 'reindex_page' AND attempts > 1");
    println!("{kills} kills of 3 nodes, {jobs} jobs, {again} of them taken over, {workers} nodes at work at once");
    assert_eq!(faults(&tables, jobs), Vec::<String>::new());
    assert_eq!(tables.number("SELECT count(*) FROM products WHERE search_text = 'stale'"), 0);
    if kills >= 10 {
        assert!(cut_short > 0 && again > 0 && workers > 1, "{cut_short} cut short, {again} again, {workers} at once");
    }
    for (number, mut node) in nodes.into_iter().enumerate().filter(|(number, _)| Some(*number) != away) {
        assert!(node.stop().await.success(), "node {number}: {}", node.log());
    }
}

/// Jobs as the reindexing stores them, each over all products.
fn store(tables: &Tables, many: u64) {
    let columns = "INSERT INTO jobs (id, kind, payload, priority, state, run_at, max_attempts, timeout_ms, created_at)";
    tables.run(&match tables {
        Tables::Sqlite(_) => format!(
            "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {many}) {columns} \
             SELECT randomblob(16), 'reindex_page', json_object('products', \
             (SELECT json_group_array(lower(hex(id))) FROM products)), 0, 'waiting', '2026-01-01T00:00:00+00:00', 100, \
             60000, '2026-01-01T00:00:00+00:00' FROM n"
        ),
        Tables::Postgres(_) => format!(
            "{columns} SELECT gen_random_uuid(), 'reindex_page', jsonb_build_object('products', \
             (SELECT jsonb_agg(id) FROM products)), 0, 'waiting', now(), 100, 60000, now() FROM generate_series(1, {many})"
        ),
    });
}

/// Everything that is wrong with so many jobs, all of which should be done.
fn faults(tables: &Tables, jobs: u64) -> Vec<String> {
    let mut faults = Vec::new();
    let of_kind = "FROM jobs WHERE kind = 'reindex_page'";
    let found = tables.number(&format!("SELECT count(*) {of_kind}"));
    if found != jobs {
        faults.push(format!("{jobs} jobs were stored, {found} are there"));
    }
    let not_done = tables.number(&format!("SELECT count(*) {of_kind} AND state <> 'done'"));
    if not_done > 0 {
        faults.push(format!("{not_done} jobs are not done"));
    }
    for (log, name) in [("audit_logs", "action = 'job.reindex'"), ("events", "kind = 'job.reindexed'")] {
        for (wrong, what) in [("= 0", "lost effect"), ("> 1", "effect that happened more than once")] {
            let sql = format!(
                "SELECT count(*) {of_kind} AND (SELECT count(*) FROM {log} WHERE entity_id = jobs.id AND {name}) {wrong}"
            );
            let many = tables.number(&sql);
            if many > 0 {
                faults.push(format!("{what}: {many} jobs, in {log}"));
            }
        }
    }
    faults
}

/// One bug of each class, planted by hand, must be told.
async fn the_job_checker_catches_planted_faults_of_kills(database: Database) {
    let mut server = Server::prepared(database, &[]);
    server.run().await;
    let tables = server.tables();
    store(&tables, 5);
    let until = Instant::now() + Duration::from_mins(1);
    while tables.number("SELECT count(*) FROM jobs WHERE kind = 'reindex_page' AND state <> 'done'") > 0 {
        assert!(Instant::now() < until, "jobs are left:\n{}", server.log());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(faults(&tables, 5), Vec::<String>::new());
    let told = |fault: &str| {
        let found = faults(&tables, 5);
        assert!(found.iter().any(|one| one.contains(fault)), "{fault}: {found:?}");
    };
    let one = "(SELECT id FROM jobs WHERE kind = 'reindex_page' ORDER BY id LIMIT 1)";
    let new = tables.literal("0190aaaaaaaa7bbb8ccc000000000001");
    tables.run(&format!(
        "INSERT INTO audit_logs SELECT {new}, actor_id, action, entity_type, entity_id, metadata, created_at, impersonator_id \
         FROM audit_logs WHERE action = 'job.reindex' AND entity_id = {one}"
    ));
    told("more than once: 1 jobs, in audit_logs");
    tables.run(&format!("DELETE FROM events WHERE kind = 'job.reindexed' AND entity_id = {one}"));
    told("lost effect: 1 jobs, in events");
    tables.run(&format!("UPDATE jobs SET state = 'dead' WHERE id = {one}"));
    told("1 jobs are not done");
    tables.run(&format!("DELETE FROM jobs WHERE id = {one}"));
    told("5 jobs were stored, 4 are there");
}

#[expect(clippy::disallowed_methods, reason = "the test runner says by environment how long the test is")]
pub fn number(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).map_or(otherwise, |text| text.parse().unwrap_or_else(|_| panic!("{name} is a number")))
}
