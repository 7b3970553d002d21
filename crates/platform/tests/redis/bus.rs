//! The bus over Redis.

use std::{sync::Arc, time::Duration};

use domain::{
    bus::{Bus as _, Heard, Message, Subscription},
    testing::{SeededEntropy, contract},
};
use e2e::{Corner, RedisServer};
use souk_platform::RedisBus;
use tokio::task::JoinSet;

use crate::node::{node, node_with, settings};

/// Buses of nodes that share a corner, and what they run.
async fn buses(corner: &Corner, count: u64) -> (Vec<RedisBus>, JoinSet<()>) {
    let (mut buses, mut running) = (Vec::new(), JoinSet::new());
    for seed in 0..count {
        let mut node = node(corner).await;
        let bus = RedisBus::new(node.redis.clone(), &SeededEntropy::new(seed));
        let carried = bus.clone();
        running.spawn(async move { carried.carry(std::future::pending()).await });
        running.spawn(async move { while node.running.join_next().await.is_some() {} });
        bus.linked().await;
        buses.push(bus);
    }
    (buses, running)
}

#[tokio::test]
async fn it_keeps_the_contract_between_nodes_and_within_one() {
    let (buses, _running) = buses(&Corner::shared(), 2).await;
    contract::bus::run(&buses[0], &buses[1]).await;
    contract::bus::run(&buses[1], &buses[1]).await;
}

#[tokio::test]
async fn prefixes_are_worlds_of_their_own() {
    let (one, _one) = buses(&Corner::shared(), 1).await;
    let (two, _two) = buses(&Corner::shared(), 2).await;
    let mut hears = two[0].subscribe(&["a"]).await;
    one[0].publish("a", b"of another shop");
    two[1].publish("a", b"own");
    assert_eq!(hears.next().await, message(b"own"));
}

#[tokio::test]
async fn who_hears_is_told_of_a_restart_and_goes_on() {
    let mut server = RedisServer::start();
    let (buses, _running) = buses(&server.corner(), 2).await;
    let mut hears = buses[1].subscribe(&["a"]).await;
    buses[0].publish("a", b"1");
    assert_eq!(hears.next().await, message(b"1"));
    server.stop();
    for _ in 0..2 {
        assert_eq!(hears.next().await, Heard::Lost, "again and again while it is away");
    }
    let mut near = buses[0].subscribe(&["a"]).await;
    buses[0].publish("a", b"2");
    while near.next().await != message(b"2") {}
    server.again();
    heard_again(&buses[0], &mut hears).await;
    // Subscriptions made while it was away are heard too.
    heard_again(&buses[1], &mut near).await;
}

#[tokio::test]
async fn a_server_that_stands_still_is_noticed() {
    let server = RedisServer::start();
    let (buses, _running) = buses(&server.corner(), 2).await;
    let mut hears = buses[1].subscribe(&["a"]).await;
    server.freeze();
    assert_eq!(hears.next().await, Heard::Lost);
    server.thaw();
    heard_again(&buses[0], &mut hears).await;
}

#[tokio::test]
async fn a_node_that_begins_without_redis_hears_others_when_it_comes() {
    let mut server = RedisServer::start();
    let corner = server.corner();
    server.stop();
    let mut node = node_with(settings(&corner));
    let bus = RedisBus::new(node.redis.clone(), &SeededEntropy::new(7));
    let carried = bus.clone();
    node.running.spawn(async move { carried.carry(std::future::pending()).await });
    let mut hears = bus.subscribe(&["a"]).await;
    bus.publish("a", b"1");
    while hears.next().await != message(b"1") {}
    server.again();
    let (others, _running) = buses(&corner, 1).await;
    heard_again(&others[0], &mut hears).await;
}

#[tokio::test]
async fn what_was_said_before_the_end_is_heard() {
    let corner = Corner::shared();
    let (listening, _running) = buses(&corner, 1).await;
    let mut hears = listening[0].subscribe(&["a"]).await;
    let node = node(&corner).await;
    let bus = RedisBus::new(node.redis.clone(), &SeededEntropy::new(8));
    for n in 0..200_u8 {
        bus.publish("a", &[n]);
    }
    bus.carry(std::future::ready(())).await;
    for n in 0..200_u8 {
        assert_eq!(hears.next().await, message(&[n]));
    }
}

#[tokio::test]
async fn the_end_does_not_wait_for_a_redis_that_is_away() {
    let mut server = RedisServer::start();
    let node = node(&server.corner()).await;
    server.stop();
    let bus = RedisBus::new(node.redis.clone(), &SeededEntropy::new(8));
    bus.publish("a", b"1");
    let ended = tokio::time::timeout(Duration::from_secs(10), bus.carry(std::future::ready(()))).await;
    assert_eq!(ended, Ok(()));
}

/// Publishes until something is heard, as the link may come and go meanwhile.
async fn heard_again(on: &RedisBus, hears: &mut Subscription) {
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
