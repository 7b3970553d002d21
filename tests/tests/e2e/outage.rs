//! While the database is away, and after.

use std::time::{Duration, Instant};

use souk_e2e::{Database, Line, Server, Tables};

use crate::shop;

/// PostgreSQL goes away and comes back, as at a restart of its server: Souk says so, and goes on by itself.
#[tokio::test(flavor = "multi_thread")]
async fn the_relay_goes_on_after_the_database_was_away() {
    let database = Database::postgres();
    let url = database.url().unwrap();
    let (credentials, place) = url.rsplit_once('@').unwrap();
    let (address, name) = place.split_once('/').unwrap();
    let mut line = Line::to(address).await;
    let through = format!("{credentials}@{}/{name}", line.here());
    let settings = [("DATABASE_URL", through.as_str()), ("SOUK__DATABASE__ACQUIRE_TIMEOUT_MS", "500")];
    let mut server = Server::prepared(database, &settings);
    server.run().await;
    let seller = server.signed_in("seller").await;
    let tables = server.tables();
    numbered(&tables).await;

    line.cut().await;
    let refused = server.client().get("/api/v1/products").await;
    assert_eq!(refused.status, 503, "{}", refused.text());
    assert_eq!(server.client().get("/ready").await.status, 503);
    waited(|| server.log().contains("the relay tries again")).await;
    assert_eq!(server.client().get("/health").await.status, 200, "it lives all the same");

    line.mend().await;
    waited_for_ready(&server).await;
    let product = shop::create(&seller, &shop::lamp()).await;
    server.client().get(&shop::path(&product)).await.expect(200);
    numbered(&tables).await;
    let told = "SELECT count(*) FROM events WHERE kind = 'product.created' AND seq = (SELECT max(seq) FROM events)";
    assert_eq!(tables.number(told), 1);
    // So does the worker.
    let admin = server.signed_in("admin").await;
    admin.post("/api/v1/schedules/purge/run", &serde_json::json!({})).await.expect(202);
    waited(|| tables.number("SELECT count(*) FROM jobs WHERE kind = 'purge' AND state = 'done'") == 1).await;
    assert!(server.stop().await.success());
    assert!(!server.log().contains("background work ended badly"), "{}", server.log());
    let (status, text) = server.run_command(&["audit", "verify"]);
    assert!(status.success() && text.contains("audit ok"), "{text}");
}

async fn numbered(tables: &Tables) {
    waited(|| tables.pending() == 0).await;
}

async fn waited_for_ready(server: &Server) {
    let until = Instant::now() + Duration::from_secs(20);
    while server.client().get("/ready").await.status != 200 {
        assert!(Instant::now() < until, "it does not find the database again");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn waited(mut happened: impl FnMut() -> bool) {
    let until = Instant::now() + Duration::from_secs(20);
    while !happened() {
        assert!(Instant::now() < until, "waited in vain");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
