//! The connection: kept, lost and found again, and used from every thread.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use domain::health::Probe as _;
use e2e::{Corner, RedisServer};
use souk_platform::{Redis, RedisSettings};
use tokio::io::AsyncReadExt as _;

use crate::node::{node, node_with, settings, waited};

#[tokio::test]
async fn redis_that_is_not_there_is_found_when_it_comes() {
    let mut server = RedisServer::start();
    let corner = server.corner();
    server.stop();
    let node = node_with(settings(&corner));
    assert!(!node.redis.tried().await);
    assert_eq!(node.redis.generation(), None);
    assert!(!node.redis.check().await);
    server.again();
    waited("it is found", || node.redis.generation() == Some(1)).await;
    assert!(node.redis.check().await);
}

#[tokio::test]
async fn each_connection_has_a_number_of_its_own() {
    let mut server = RedisServer::start();
    let node = node(&server.corner()).await;
    for generation in 1..=3 {
        waited("it is there", || node.redis.generation() == Some(generation)).await;
        server.stop();
        waited("it is away", || node.redis.generation().is_none()).await;
        server.again();
    }
}

#[tokio::test]
async fn a_redis_that_does_not_answer_costs_one_wait_and_no_more() {
    let server = RedisServer::start();
    let quick = RedisSettings { response_timeout: Duration::from_millis(200), ..settings(&server.corner()) };
    let node = node_with(RedisSettings { connect_timeout: Duration::from_secs(1), ..quick });
    assert!(node.redis.tried().await);
    server.freeze();
    assert!(!node.redis.check().await);
    let began = Instant::now();
    for _ in 0..1000 {
        assert!(!node.redis.check().await);
    }
    // A thousand waits are 200 seconds.
    assert!(began.elapsed() < Duration::from_secs(20), "they waited: {:?}", began.elapsed());
    server.thaw();
    waited("it is there again", || node.redis.generation() == Some(2)).await;
    assert!(node.redis.check().await);
}

#[tokio::test]
async fn a_wrong_password_is_told_and_stops_nothing() {
    let server = RedisServer::start();
    let corner = server.corner();
    let wrong = Corner { url: corner.url.replace("secret", "wrong"), ..corner };
    assert!(!node_with(settings(&wrong)).redis.tried().await);
    assert!(Redis::new(RedisSettings { url: "http://x:pw@y".to_owned(), ..settings(&wrong) }).is_err());
}

#[tokio::test]
async fn a_secure_url_speaks_tls() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("rediss://127.0.0.1:{}", listener.local_addr().unwrap().port());
    let corner = Corner { url, prefix: String::new() };
    let node = node_with(RedisSettings { connect_timeout: Duration::from_secs(1), ..settings(&corner) });
    let (mut heard, _) = listener.accept().await.unwrap();
    let mut begin = [0; 3];
    heard.read_exact(&mut begin).await.unwrap();
    assert_eq!(begin, [22, 3, 1], "a handshake, as TLS begins it");
    drop(heard);
    assert!(!node.redis.tried().await);
}

/// HTTP workers have runtimes of their own, which come and go; the connection stays, and is found again by all of them.
#[test]
fn calls_come_from_runtimes_other_than_the_one_that_keeps_the_connection() {
    let mut server = RedisServer::start();
    let main = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let node = main.block_on(node(&server.corner()));
    let (stop, calls) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let workers: Vec<_> = (0..4)
        .map(|_| {
            let (redis, stop, calls) = (node.redis.clone(), Arc::clone(&stop), Arc::clone(&calls));
            std::thread::spawn(move || {
                while !stop.load(Ordering::Relaxed) {
                    // A runtime for some hundred calls, then another one.
                    let own = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
                    own.block_on(async {
                        for _ in 0..20 {
                            let at_once = (0..16).map(|_| redis.check());
                            let answered = futures_util::future::join_all(at_once).await;
                            let answered = answered.into_iter().filter(|answered| *answered).count();
                            calls.fetch_add(u64::try_from(answered).unwrap(), Ordering::Relaxed);
                            tokio::task::yield_now().await;
                        }
                    });
                }
            })
        })
        .collect();
    let many = |more: u64| {
        let from = calls.load(Ordering::Relaxed);
        main.block_on(waited("calls are answered", || calls.load(Ordering::Relaxed) > from + more));
    };
    many(5000);
    assert_eq!(node.redis.generation(), Some(1), "the end of a runtime did not end the connection");
    server.stop();
    main.block_on(waited("it is away", || node.redis.generation().is_none()));
    server.again();
    many(5000);
    assert_eq!(node.redis.generation(), Some(2));
    stop.store(true, Ordering::Relaxed);
    for worker in workers {
        worker.join().unwrap();
    }
}
