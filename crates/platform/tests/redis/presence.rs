//! Presence that nodes share through Redis.

use std::time::Duration;

use domain::{
    clock::Timestamp,
    id::{RoomId, UserId},
    room::{Change, NodeId, Presence as _, Renewed},
    testing::contract,
};
use e2e::{Corner, RedisServer};
use souk_platform::RedisPresence;
use uuid::Uuid;

use crate::node::{node, waited};

fn comes(user: u128) -> Change {
    Change { room: RoomId(Uuid::from_u128(1)), user: UserId(Uuid::from_u128(user)), present: true }
}

#[tokio::test]
async fn it_keeps_the_contract() {
    let corner = Corner::shared();
    let nodes = [node(&corner).await, node(&corner).await];
    let [here, there] = nodes.each_ref().map(|node| RedisPresence::new(node.redis.clone()));
    contract::presence::run(&here, &there).await;
    contract::presence::run(&there, &there).await;
}

#[tokio::test]
async fn what_redis_forgot_is_told_apart_from_what_was_swept_and_nothing_stays_behind() {
    let mut server = RedisServer::start();
    let node = node(&server.corner()).await;
    let presence = RedisPresence::new(node.redis.clone());
    let (me, until) = (NodeId(Uuid::from_u128(9)), Timestamp::UNIX_EPOCH + Duration::from_secs(10));
    assert_eq!(presence.renew(me, until).await.unwrap(), Renewed::New);
    presence.update(me, &[comes(1)]).await.unwrap();
    server.stop();
    assert!(presence.renew(me, until).await.is_err(), "it is said, not guessed");
    server.again();
    waited("it is there again", || node.redis.generation() == Some(2)).await;
    assert_eq!(presence.renew(me, until).await.unwrap(), Renewed::New);
    assert_eq!(presence.crowd(comes(1).room, 10).await.unwrap().count, 0);
    presence.update(me, &[comes(1), comes(2)]).await.unwrap();
    assert_eq!(presence.sweep(until).await.unwrap().len(), 2);
    assert_eq!(presence.renew(me, until).await.unwrap(), Renewed::Swept);
    assert!(presence.sweep(until).await.unwrap().is_empty());
    // What is left is the mark of the node that was swept.
    assert_eq!(server.tell("DBSIZE"), ":1");
}

#[tokio::test]
async fn thousands_are_swept_in_portions() {
    let node = node(&Corner::shared()).await;
    let presence = RedisPresence::new(node.redis.clone());
    let (me, until) = (NodeId(Uuid::from_u128(9)), Timestamp::UNIX_EPOCH + Duration::from_secs(10));
    presence.renew(me, until).await.unwrap();
    let all: Vec<Change> = (0..3456).map(comes).collect();
    assert_eq!(presence.update(me, &all).await.unwrap().len(), all.len());
    let crowd = presence.crowd(comes(0).room, 100).await.unwrap();
    assert_eq!((crowd.some.len(), crowd.count), (100, 3456));
    assert_eq!(presence.sweep(until).await.unwrap().len(), all.len());
    assert_eq!(presence.crowd(comes(0).room, 100).await.unwrap().count, 0);
}
