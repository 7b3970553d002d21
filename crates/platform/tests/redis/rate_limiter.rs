//! Rate limits that nodes count together.

use std::time::Duration;

use domain::{
    limit::{Policy, RateLimiter, Subject},
    testing::contract,
};
use e2e::{Corner, RedisServer};
use souk_platform::{RedisRateLimiter, RedisSettings};

use crate::node::{node, node_with, settings, waited};

fn policy(limit: u32) -> Policy {
    Policy { name: "p".into(), limit, window: Duration::from_hours(10), patience: Duration::ZERO }
}

async fn admitted(limiter: &dyn RateLimiter, policy: &Policy, calls: u32) -> u32 {
    let mut admitted = 0;
    for _ in 0..calls {
        admitted += u32::from(limiter.check(&[(policy, Subject::Everybody)]).await[0].allowed);
    }
    admitted
}

#[tokio::test]
async fn it_keeps_the_contract() {
    let node = node(&Corner::shared()).await;
    contract::limiter::run(&RedisRateLimiter::new(node.redis)).await;
}

#[tokio::test]
async fn three_nodes_admit_no_more_than_one_limit() {
    let corner = Corner::shared();
    let nodes = [node(&corner).await, node(&corner).await, node(&corner).await];
    let limiters = nodes.each_ref().map(|node| RedisRateLimiter::new(node.redis.clone()));
    contract::limiter::run_shared(&[&limiters[0], &limiters[1], &limiters[2]]).await;

    let policy = policy(50);
    let at_once = limiters.iter().flat_map(|limiter| (0..20).map(|_| admitted(limiter, &policy, 5)));
    let sum: u32 = futures_util::future::join_all(at_once).await.into_iter().sum();
    assert_eq!(sum, 50, "calls at the same moment");
}

#[tokio::test]
async fn while_redis_is_away_each_node_counts_by_itself() {
    let mut server = RedisServer::start();
    let node = node(&server.corner()).await;
    let limiter = RedisRateLimiter::new(node.redis.clone());
    let policy = policy(10);
    assert_eq!(admitted(&limiter, &policy, 20).await, 10);
    server.stop();
    assert_eq!(admitted(&limiter, &policy, 20).await, 10, "its own limit, once");
    assert_eq!(admitted(&limiter, &policy, 20).await, 0);
    server.again();
    waited("it is there again", || node.redis.generation() == Some(2)).await;
    // It has forgotten counts and script alike.
    assert_eq!(admitted(&limiter, &policy, 20).await, 10);
    assert_eq!(server.tell("SCRIPT FLUSH"), "+OK");
    assert_eq!(admitted(&limiter, &policy, 20).await, 0);
}

#[tokio::test]
async fn a_node_that_never_saw_redis_counts_by_itself() {
    let mut server = RedisServer::start();
    let corner = server.corner();
    server.stop();
    let node = node_with(RedisSettings { connect_timeout: Duration::from_millis(100), ..settings(&corner) });
    assert!(!node.redis.tried().await);
    assert_eq!(admitted(&RedisRateLimiter::new(node.redis), &policy(3), 9).await, 3);
}

#[tokio::test]
async fn a_redis_that_refuses_does_not_stop_the_count() {
    let server = RedisServer::start();
    let node = node(&server.corner()).await;
    let limiter = RedisRateLimiter::new(node.redis.clone());
    assert_eq!(admitted(&limiter, &policy(3), 1).await, 1);
    // Out of memory, writes are refused.
    assert_eq!(server.tell("CONFIG SET maxmemory 1"), "+OK");
    assert_eq!(admitted(&limiter, &policy(3), 9).await, 3);
    assert_eq!(node.redis.generation(), Some(1), "that is no reason to connect again");
}

#[tokio::test]
async fn rested_keys_are_forgotten_by_themselves() {
    let server = RedisServer::start();
    let corner = server.corner();
    let node = node(&corner).await;
    let limiter = RedisRateLimiter::new(node.redis);
    let key = format!("{}limit:{{everybody}}:p", corner.prefix);
    assert_eq!(admitted(&limiter, &policy(5), 1).await, 1);
    assert_eq!(server.tell(&format!("GET {key}")), "$16", "a date in microseconds, to the last digit");
    assert_eq!(server.tell(&format!("DEL {key}")), ":1");
    let short = Policy { window: Duration::from_millis(200), ..policy(5) };
    assert_eq!(admitted(&limiter, &short, 3).await, 3);
    waited("nothing is left", || server.tell("DBSIZE") == ":0").await;
}
