//! Answers that nodes keep together.

use std::time::Duration;

use bytes::Bytes;
use domain::{assistant::kept::ports::AnswerStore as _, id::UserId, testing::contract};
use e2e::{Corner, RedisServer};
use souk_platform::RedisAnswers;
use uuid::Uuid;

use crate::node::{node, waited};

const LONG: Duration = Duration::from_mins(10);

fn ada() -> UserId {
    UserId(Uuid::from_u128(0xada))
}

#[tokio::test]
async fn they_keep_the_contract() {
    let node = node(&Corner::shared()).await;
    contract::answers::run(&RedisAnswers::new(node.redis, 1_000_000)).await;
}

#[tokio::test]
async fn what_one_node_keeps_another_gives_and_what_ends_first_makes_room() {
    let corner = Corner::shared();
    let (one, two) = (node(&corner).await, node(&corner).await);
    let (here, there) = (RedisAnswers::new(one.redis.clone(), 3_000), RedisAnswers::new(two.redis.clone(), 3_000));
    for (number, time) in [(0, LONG), (1, LONG / 2), (2, LONG), (3, LONG)] {
        here.put(ada(), &number.to_string(), Bytes::from(vec![b'x'; 1_000]), time).await;
    }
    for (number, there_is) in [(0, true), (1, false), (2, true), (3, true)] {
        assert_eq!(there.get(ada(), &number.to_string()).await.is_some(), there_is, "{number}");
    }
    there.put(ada(), "too long", Bytes::from(vec![b'x'; 3_001]), LONG).await;
    assert_eq!(there.get(ada(), "too long").await, None);
    assert!(there.get(ada(), "3").await.is_some(), "it pushed nothing out");
    // The same name again counts once.
    for _ in 0..10 {
        here.put(ada(), "3", Bytes::from(vec![b'y'; 1_000]), LONG).await;
    }
    assert!(there.get(ada(), "0").await.is_some() && there.get(ada(), "2").await.is_some());
    // What ended makes room without pushing anything out.
    let short = Duration::from_millis(50);
    here.put(ada(), "2", Bytes::from(vec![b'z'; 1_000]), short).await;
    tokio::time::sleep(short * 2).await;
    here.put(ada(), "4", Bytes::from(vec![b'z'; 1_000]), LONG).await;
    for (name, there_is) in [("0", true), ("2", false), ("3", true), ("4", true)] {
        assert_eq!(there.get(ada(), name).await.is_some(), there_is, "{name}");
    }
}

#[tokio::test]
async fn while_redis_is_away_nothing_is_kept_and_forgetting_is_to_be_asked_again() {
    let mut server = RedisServer::start();
    let node = node(&server.corner()).await;
    let answers = RedisAnswers::new(node.redis.clone(), 1_000_000);
    answers.put(ada(), "one", Bytes::from("text"), LONG).await;
    assert!(answers.get(ada(), "one").await.is_some());
    server.stop();
    answers.put(ada(), "two", Bytes::from("text"), LONG).await;
    assert_eq!(answers.get(ada(), "one").await, None);
    assert!(answers.forget(ada(), LONG).await.is_err());
    server.again();
    waited("it is there again", || node.redis.generation() == Some(2)).await;
    answers.put(ada(), "three", Bytes::from("text"), LONG).await;
    assert!(answers.get(ada(), "three").await.is_some(), "a server that knows no script");
    answers.forget(ada(), LONG).await.unwrap();
    assert_eq!(answers.get(ada(), "three").await, None);
}
