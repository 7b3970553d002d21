//! A node's connection to Redis, with what keeps it.

use std::time::{Duration, Instant};

use e2e::Corner;
use souk_platform::{Redis, RedisSettings};
use tokio::task::JoinSet;

/// A node. What it runs ends with it.
pub struct Node {
    pub redis: Redis,
    pub running: JoinSet<()>,
}

/// How to reach a corner, with time for a loaded machine.
pub fn settings(corner: &Corner) -> RedisSettings {
    RedisSettings {
        url: corner.url.clone(),
        prefix: corner.prefix.clone(),
        connect_timeout: Duration::from_secs(5),
        response_timeout: Duration::from_secs(5),
    }
}

/// A node that is connected.
pub async fn node(corner: &Corner) -> Node {
    let node = node_with(settings(corner));
    assert!(node.redis.tried().await);
    node
}

/// A node that may not be connected yet.
pub fn node_with(settings: RedisSettings) -> Node {
    let redis = Redis::new(settings).unwrap();
    let mut running = JoinSet::new();
    let keeper = redis.clone();
    running.spawn(async move { keeper.keep().await });
    Node { redis, running }
}

/// Waits until something holds.
pub async fn waited(what: &str, mut holds: impl FnMut() -> bool) {
    let until = Instant::now() + Duration::from_secs(20);
    while !holds() {
        assert!(Instant::now() < until, "waited in vain: {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
