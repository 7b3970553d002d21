//! Compares the search of a whole catalogue with the naive reference, on the database it was imported into:
//!
//! ```sh
//! DATABASE_URL=sqlite:data/souk.db souk import catalogue catalogue.ndjson.gz
//! cargo run --release -p souk-persistence --example search_parity -- sqlite:data/souk.db [queries.json]
//! ```

use std::time::Duration;

use domain::testing::search_parity::Reference;
use souk_persistence::{Database, Settings, Synchronous};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let url = arguments.next().ok_or("usage: search_parity DATABASE_URL [queries.json]")?;
    let queries = match arguments.next() {
        Some(path) => std::fs::read_to_string(path)?,
        None => include_str!("../tests/data/queries.json").to_owned(),
    };
    let queries: Vec<String> = serde_json::from_str(&queries)?;
    let database = Database::connect(&Settings {
        url,
        max_connections: 2,
        connect_timeout: Duration::from_secs(10),
        acquire_timeout: Duration::from_secs(10),
        answer_timeout: Duration::from_secs(10),
        statement_timeout: Duration::from_mins(1),
        idle_timeout: Duration::from_secs(30),
        synchronous: Synchronous::Normal,
    })
    .await?;
    let (export, mut products, mut after) = (database.export(), Vec::new(), None);
    loop {
        let next = export.next(None, after, 1000).await?;
        let Some(last) = next.last() else { break };
        after = Some(last.id);
        products.extend(next);
    }
    let differences = Reference::new(&products).differences(&*database.products(), &queries).await?;
    for difference in &differences {
        println!("{difference}");
    }
    println!("{} queries over {} products: {} differences", queries.len(), products.len(), differences.len());
    if differences.is_empty() { Ok(()) } else { Err("the search differs from the reference".into()) }
}
