//! The bus over PostgreSQL's notices.

use std::{sync::Arc, time::Duration};

use domain::{
    bus::{Bus as _, Heard, Message, Subscription},
    testing::{SeededEntropy, contract},
};
use souk_persistence::{Database, Engine, NotifyBus};
use tokio::task::JoinSet;

use crate::harness::{Fresh, blank_with, settings};

/// Nodes that share a database, and what they run.
struct Nodes {
    buses: Vec<NotifyBus>,
    database: Fresh,
    running: JoinSet<()>,
}

async fn nodes(count: u64) -> Nodes {
    let mut url = String::new();
    let database = blank_with(Engine::Postgres, |settings| url.clone_from(&settings.url)).await;
    let (mut buses, mut running) = (Vec::new(), JoinSet::new());
    for node in 0..count {
        let bus = Database::connect(&settings(url.clone())).await.unwrap().notify_bus(&SeededEntropy::new(node), &url);
        let carried = bus.clone();
        running.spawn(async move { carried.carry(std::future::pending()).await });
        bus.linked().await;
        buses.push(bus);
    }
    Nodes { buses, database, running }
}

#[tokio::test]
async fn it_keeps_the_contract_between_nodes_and_within_one() {
    let nodes = nodes(2).await;
    contract::bus::run(&nodes.buses[0], &nodes.buses[1]).await;
    contract::bus::run(&nodes.buses[1], &nodes.buses[1]).await;
}

#[tokio::test]
async fn who_hears_is_told_of_a_lost_connection_and_goes_on() {
    let nodes = nodes(2).await;
    let mut hears = nodes.buses[1].subscribe(&["a"]).await;
    nodes.buses[0].publish("a", b"1");
    assert_eq!(hears.next().await, message(b"1"));
    let ended = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN%' AND datname = current_database()";
    nodes.database.database.maintain(ended).await.unwrap();
    assert_eq!(hears.next().await, Heard::Lost);
    heard_again(&nodes.buses[0], &mut hears).await;
    drop(nodes.running);
}

#[tokio::test]
async fn a_node_hears_itself_without_a_link_and_tells_of_losses_meanwhile() {
    let database = blank_with(Engine::Postgres, |_| ()).await;
    let nowhere = "postgres://nobody@127.0.0.1:1/nothing";
    let bus = database.database.notify_bus(&SeededEntropy::new(1), nowhere);
    let carried = bus.clone();
    let mut running = JoinSet::new();
    running.spawn(async move { carried.carry(std::future::pending()).await });
    let mut hears = bus.subscribe(&["a"]).await;
    let mut losses = 0;
    while losses < 2 {
        assert_eq!(
            hears.next().await,
            Heard::Lost,
            "again and again, so that whoever heals from the log stays current"
        );
        losses += 1;
    }
    bus.publish("a", b"1");
    assert_eq!(hears.next().await, message(b"1"));
}

#[tokio::test]
async fn what_was_said_before_the_end_is_heard() {
    let nodes = nodes(1).await;
    let mut hears = nodes.buses[0].subscribe(&["a"]).await;
    let bus = nodes.database.database.notify_bus(&SeededEntropy::new(8), "postgres://nobody@127.0.0.1:1/nothing");
    for n in 0..200_u8 {
        bus.publish("a", &[n]);
    }
    bus.carry(std::future::ready(())).await;
    for n in 0..200_u8 {
        assert_eq!(hears.next().await, message(&[n]));
    }
}

/// Publishes until something is heard, as the link may come and go meanwhile.
async fn heard_again(on: &NotifyBus, hears: &mut Subscription) {
    let waits = async {
        loop {
            on.publish("a", b"again");
            let next = tokio::time::timeout(Duration::from_millis(100), hears.next()).await;
            if next == Ok(message(b"again")) {
                return;
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(20), waits).await.unwrap();
}

fn message(payload: &[u8]) -> Heard {
    Heard::Message(Message { topic: "a".into(), payload: Arc::from(payload) })
}
