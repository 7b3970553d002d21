//! Kill -9 under write load: nothing acknowledged is lost, nothing that was not written appears, and every change has
//! exactly one event and one audit entry. Acknowledgements are kept here, outside the process that is killed.
//!
//! `SOUK_KILLS` says how often each database is killed; 5 when it is not set, `scripts/soak` does it 100 times.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "this crate is tests only: a broken expectation is a failed test"
)]

mod checker;
mod files;
mod jobs;
mod ledger;
mod rows;

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use ledger::{Dice, Writer};
use rows::Rows;
use serde_json::Value;
use souk_e2e::{Client, Database, Server, on_each_database};

/// Writers at the same time.
const WRITERS: u64 = 4;
/// How soon it must be ready again.
const READY: Duration = Duration::from_secs(2);

on_each_database!(nothing_is_lost_or_invented_by_kills, the_checker_catches_planted_faults);

async fn nothing_is_lost_or_invented_by_kills(database: Database) {
    let mut server = Server::start(database).await;
    let rows = Rows::of(&server);
    let mut writers: Vec<Writer> = (0..WRITERS).map(Writer::new).collect();
    let dice = Dice::new(std::process::id().into());
    for kill in 1..=kills() {
        let seller = server.signed_in("seller").await;
        let stop = Arc::new(AtomicBool::new(false));
        let mut running = tokio::task::JoinSet::new();
        for writer in writers.drain(..) {
            running.spawn(work(writer, seller.clone(), Arc::clone(&stop)));
        }
        tokio::time::sleep(Duration::from_millis(50 + dice.roll(700))).await;
        server.kill();
        stop.store(true, Ordering::Relaxed);
        writers = running.join_all().await;
        let began = Instant::now();
        server.run().await;
        let took = began.elapsed();
        let found = check(&server, &rows, &mut writers).await;
        assert_eq!(found, Vec::<String>::new(), "after kill {kill}");
        assert!(took < READY, "ready only after {took:?}, after kill {kill}");
    }
    let written: usize = writers.iter().map(|writer| writer.products.len()).sum();
    println!("{} kills, {written} products", kills());
    assert!(written > 0, "the writers wrote nothing");
}

async fn work(mut writer: Writer, seller: Client, stop: Arc<AtomicBool>) -> Writer {
    while !stop.load(Ordering::Relaxed) && writer.turn(&seller).await {}
    writer
}

/// Waits until the relay has numbered everything, then compares database and ledger.
async fn check(server: &Server, rows: &Rows, writers: &mut [Writer]) -> Vec<String> {
    // The lease of the killed process ends after five seconds.
    let until = Instant::now() + Duration::from_secs(20);
    while rows.pending() > 0 {
        assert!(Instant::now() < until, "the relay did not take over:\n{}", server.log());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let mut faults = checker::faults(&rows.picture(), writers);
    let (status, text) = server.run_command(&["audit", "verify"]);
    if !status.success() || !text.contains("audit ok") {
        faults.push(format!("audit verify: {text}"));
    }
    faults
}

/// One bug of each class, planted in the database by hand, must be told by the checker.
async fn the_checker_catches_planted_faults(database: Database) {
    let server = Server::start(database).await;
    let rows = Rows::of(&server);
    let seller = server.signed_in("seller").await;
    let mut writers = vec![Writer::new(0)];
    for _ in 0..40 {
        assert!(writers[0].turn(&seller).await);
    }
    assert_eq!(check(&server, &rows, &mut writers).await, Vec::<String>::new());
    let sku = writers[0].products.keys().next().unwrap().clone();
    let id = rows.product(&sku);
    let of_product = |text: &str| text.replace("ID", &id);
    // The order goes from the least to the most damage; each leaves the next one visible.
    plant_event(&rows, &of_product, &writers);
    rows.run(&of_product("UPDATE products SET stock = stock + 1 WHERE id = ID"));
    let found = checker::faults(&rows.picture(), &mut writers.clone());
    assert!(found.iter().any(|fault| fault.starts_with("lost write")), "{found:?}");
    rows.run(&of_product("UPDATE products SET stock = stock - 1 WHERE id = ID"));
    rows.run(&of_product("DELETE FROM events WHERE entity_id = ID AND kind = 'product.created'"));
    let found = checker::faults(&rows.picture(), &mut writers.clone());
    assert!(found.iter().any(|fault| fault.starts_with("lost event")), "{found:?}");
    assert!(found.iter().any(|fault| fault.contains("gap")), "{found:?}");
    rows.run(&of_product("DELETE FROM products WHERE id = ID"));
    let found = checker::faults(&rows.picture(), &mut writers.clone());
    assert!(found.iter().any(|fault| fault.starts_with("lost write") && fault.contains(&sku)), "{found:?}");
}

fn plant_event(rows: &Rows, of_product: &dyn Fn(&str) -> String, writers: &[Writer]) {
    let new = rows.literal("0190aaaaaaaa7bbb8ccc000000000001");
    rows.run(&of_product(&format!(
        "INSERT INTO events SELECT {new}, (SELECT max(seq) + 1 FROM events), 'product.updated', entity_type, entity_id, \
         actor_id, payload, occurred_at, NULL FROM events WHERE entity_id = ID AND kind = 'product.created'"
    )));
    let found = checker::faults(&rows.picture(), &mut writers.to_vec());
    assert!(found.iter().any(|fault| fault.starts_with("phantom event")), "{found:?}");
    assert!(found.iter().any(|fault| fault.contains("no audit entry")), "{found:?}");
    rows.run(&format!("DELETE FROM events WHERE id = {new}"));
    assert_eq!(checker::faults(&rows.picture(), &mut writers.to_vec()), Vec::<String>::new());
}

#[expect(clippy::disallowed_methods, reason = "the test runner says by environment how long the test is")]
fn kills() -> u32 {
    std::env::var("SOUK_KILLS").map_or(5, |text| text.parse().expect("SOUK_KILLS is a number"))
}

/// The version in an answer.
fn version(product: &Value) -> i64 {
    product["version"].as_i64().expect("a version")
}
