//! Listeners whose link is cut again and again, and who come back to any node: they hear everything once, in order.

use serde_json::json;
use souk_e2e::{Client, Cluster, Database, Events, on_each_database};

use crate::shop;

on_each_database!(whoever_comes_back_hears_everything_once_in_order);

/// Changes made while the link is cut; `scripts/soak` asks for more.
#[expect(clippy::disallowed_methods, reason = "the test runner says by environment how long a test is")]
fn changes() -> u64 {
    std::env::var("SOUK_CHANGES").map_or(400, |text| text.parse().expect("SOUK_CHANGES is a number"))
}

/// One cut for every so many messages, on the average.
const HEARD: u64 = 20;

/// Numbers that are the same in every run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % end
    }
}

async fn whoever_comes_back_hears_everything_once_in_order(database: Database) {
    let count = if matches!(database, Database::Sqlite) { 1 } else { 2 };
    let cluster = Cluster::start(database, count, &[]).await;
    let owner = cluster.nodes[0].signed_in("seller").await;
    let writers: Vec<Client> = cluster.nodes.iter().map(|node| owner.at(node.url())).collect();
    let readers: Vec<Client> = cluster.nodes.iter().map(souk_e2e::Server::client).collect();
    let product = shop::create(&owner, &shop::lamp()).await;
    let (path, changes) = (shop::path(&product), changes());
    let mut last = {
        let mut events = listen(&readers[0], None).await;
        owner.patch(&path, &json!({ "stock": 0 })).await.expect(200);
        loop {
            let told = events.told().await;
            if told.data.as_ref().is_some_and(|data| data["product"]["stock"] == 0) {
                break told.id.unwrap();
            }
        }
    };
    let writing = async {
        for stock in 1..=changes {
            let writer = &writers[usize::try_from(stock).unwrap() % writers.len()];
            writer.patch(&path, &json!({ "stock": stock })).await.expect(200);
        }
    };
    let reading = async {
        let (mut dice, mut heard, mut cuts) = (Dice(7), 0, 0);
        let (mut at, mut switches) = (0, 0);
        while heard < changes {
            let next = usize::try_from(dice.below(2)).unwrap() % readers.len();
            switches += u64::from(next != std::mem::replace(&mut at, next));
            let mut events = listen(&readers[at], Some(last)).await;
            for _ in 0..=dice.below(2 * HEARD) {
                if heard == changes {
                    break;
                }
                let told = events.told().await;
                let data = told.data.unwrap();
                heard += 1;
                assert_eq!(data["product"]["stock"], heard, "everything once, in order: {data}");
                assert!(told.id.unwrap() > last);
                last = told.id.unwrap();
            }
            // Dropped in the middle, with whatever is on its way.
            cuts += 1;
        }
        (cuts, switches)
    };
    let ((), (cuts, switches)) = tokio::join!(writing, reading);
    println!("{changes} changes, {cuts} cuts, {switches} of them to another node: everything heard once, in order");
    assert!(cuts >= changes / HEARD / 2, "only {cuts} cuts");
}

async fn listen(client: &Client, last: Option<u64>) -> Events {
    let request = client.request("GET", "/api/v1/events?topics=products");
    Events::open(match last {
        Some(last) => request.header("Last-Event-ID", last.to_string()),
        None => request,
    })
    .await
}
