//! How WebSockets end: silence, shutdown, broken protocol, too little taken. The neighbours go on.

use std::time::{Duration, Instant};

use serde_json::json;
use souk_e2e::{Database, Server, Socket, on_each_database};

use crate::sockets::{people, room, says};

on_each_database!(
    silence_ends_a_connection,
    the_shutdown_is_told_and_does_not_wait,
    a_broken_protocol_ends_one_connection_only,
    who_takes_too_little_is_cut_and_the_others_go_on,
);

async fn silence_ends_a_connection(database: Database) {
    let quick = [
        ("SOUK__SOCKETS__HEARTBEAT_MS", "200"),
        ("SOUK__SOCKETS__TIMEOUT_MS", "1000"),
        ("SOUK__LIMITS__WS_FRAMES", "off"),
    ];
    let mut server = Server::prepared(database, &quick);
    server.run().await;
    let mut silent = server.client().socket().await;
    let mut lively = server.client().socket().await;
    // Whoever does not read does not answer pings.
    let until = Instant::now() + Duration::from_secs(20);
    let ended = "streams_closed_total{protocol=\"ws\",reason=\"ping_timeout\"} 1";
    while !server.client().get("/metrics").await.text().contains(ended) {
        assert!(Instant::now() < until, "it lives:\n{}", server.client().get("/metrics").await.text());
        assert_eq!(lively.ask(&json!({ "type": "ping" })).await["type"], "pong");
    }
    let closed = silent.closed().await;
    assert_eq!((closed.code, closed.reason.as_str()), (1000, "Ping timeout"));
    let farewell = closed.farewell.unwrap();
    assert_eq!((&farewell["code"], &farewell["reconnect"]), (&json!(1000), &json!(true)), "{farewell}");
    assert_eq!(lively.ask(&json!({ "type": "ping" })).await["type"], "pong");
}

async fn the_shutdown_is_told_and_does_not_wait(database: Database) {
    let mut server = Server::start(database).await;
    let [(ada, _), _] = people(&server).await;
    let mut sockets = vec![ada.socket().await];
    for _ in 0..20 {
        sockets.push(server.client().socket().await);
    }
    let began = Instant::now();
    server.terminate();
    let mut waits = std::collections::BTreeSet::new();
    for socket in &mut sockets {
        let closed = socket.closed().await;
        assert_eq!((closed.code, closed.reason.as_str()), (1012, "Server shutdown"));
        let farewell = closed.farewell.unwrap();
        assert_eq!(farewell["reconnect"], true);
        waits.insert(farewell["retryAfterMs"].as_u64().unwrap());
    }
    assert!(waits.len() > 10, "they come back spread: {waits:?}");
    drop(sockets);
    assert!(server.ended().await.success());
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
}

/// A frame of a client: head, mask of zeros, payload.
fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![first];
    match u16::try_from(payload.len()) {
        Ok(length) if length < 126 => bytes.push(0x80 | u8::try_from(length).unwrap()),
        Ok(length) => {
            bytes.push(0x80 | 0x7e);
            bytes.extend(length.to_be_bytes());
        }
        Err(_) => {
            bytes.push(0x80 | 0x7f);
            bytes.extend(u64::try_from(payload.len()).unwrap().to_be_bytes());
        }
    }
    bytes.extend([0; 4]);
    bytes.extend(payload);
    bytes
}

async fn a_broken_protocol_ends_one_connection_only(database: Database) {
    let server = Server::start(database).await;
    let [(ada, _), (bob, _)] = people(&server).await;
    let (mut neighbour, mut speaker) = (ada.socket().await, bob.socket().await);
    let large = vec![b'x'; 65_537];
    let half = vec![b'x'; 40_000];
    let mut unmasked = frame(0x81, b"{}");
    unmasked[1] &= 0x7f;
    unmasked.drain(2..6);
    let cases: Vec<(&str, Vec<u8>, u16)> = vec![
        ("too big", frame(0x81, &large), 1009),
        ("too big in pieces", [frame(0x01, &half), frame(0x80, &half)].concat(), 1009),
        ("not UTF-8", frame(0x81, b"{\"type\":\"\xff\"}"), 1007),
        ("not UTF-8 in pieces", [frame(0x01, b"{\"type\":"), frame(0x80, b"\"\xff\"}")].concat(), 1007),
        ("unmasked", unmasked, 1002),
        ("an opcode that is none", frame(0x83, b"{}"), 1002),
        ("a piece of nothing", frame(0x80, b"{}"), 1002),
        ("a beginning within", [frame(0x01, b"{"), frame(0x01, b"{")].concat(), 1002),
        ("a ping too long", frame(0x89, &[b'x'; 126]), 1002),
        ("binary", frame(0x82, b"{}"), 1003),
    ];
    for (what, bytes, code) in cases {
        let mut broken = server.client().socket().await;
        broken.send_raw(&bytes).await;
        let closed = broken.closed().await;
        assert_eq!(closed.code, code, "{what}: {closed:?}");
        let farewell = closed.farewell.unwrap_or_else(|| panic!("{what}: no word before"));
        assert_eq!((&farewell["code"], &farewell["reconnect"]), (&json!(code), &json!(false)), "{what}");
        speaker.ask(&says("global", what)).await;
        assert_eq!(neighbour.wait("message").await["content"], what);
    }
    // In pieces, with a ping between them, is no fault.
    let mut pieces = server.client().socket().await;
    let ping = [frame(0x01, b"{\"type\":"), frame(0x89, b"hello"), frame(0x80, b"\"ping\"}")].concat();
    pieces.send_raw(&ping).await;
    assert_eq!(pieces.wait("pong").await["type"], "pong");
    pieces.send_raw(&frame(0x81, &vec![b' '; 65_536])).await;
    assert_eq!(pieces.wait("error").await["message"], "Invalid message format", "as large as may be");
    pieces.close().await;
    // A cut in the middle of a frame.
    let mut cut = server.client().socket().await;
    cut.send_raw(&frame(0x81, &large)[..1000]).await;
    cut.cut();
    speaker.ask(&says("global", "after all of it")).await;
    assert_eq!(neighbour.wait("message").await["content"], "after all of it");
}

async fn who_takes_too_little_is_cut_and_the_others_go_on(database: Database) {
    let small =
        [("SOUK__SOCKETS__QUEUE", "16"), ("SOUK__LIMITS__WS_MESSAGES", "off"), ("SOUK__LIMITS__WS_FRAMES", "off")];
    let mut server = Server::prepared(database, &small);
    server.run().await;
    let [(ada, _), _] = people(&server).await;
    room(&ada, "flood", "public").await;
    let mut speaker = ada.socket().await;
    let mut slow: Socket = server.client().socket().await;
    slow.ask(&json!({ "type": "join_room", "room": "flood" })).await;
    let mut quick = ada.socket().await;
    quick.ask(&json!({ "type": "join_room", "room": "flood" })).await;
    let content = "é".repeat(4000);
    let cut = "streams_closed_total{protocol=\"ws\",reason=\"too_slow\"} 1";
    let mut said = 0;
    while !server.client().get("/metrics").await.text().contains(cut) {
        for _ in 0..50 {
            assert_eq!(speaker.ask(&says("flood", &content)).await["type"], "ack");
            said += 1;
            assert_eq!(quick.wait("message").await["offset"], said);
        }
        assert!(said < 10_000, "it never was too slow");
    }
    // What it was told has no gap, so that it goes on where it was.
    let mut last = 0;
    let closed = loop {
        match tokio::time::timeout(Duration::from_secs(20), slow.try_next()).await.expect("an end") {
            Ok(told) if told["type"] == "message" => {
                last += 1;
                assert_eq!(told["offset"], last);
            }
            Ok(_) => {}
            Err(closed) => break closed,
        }
    };
    assert!(matches!(closed.code, 1013 | 1006), "{closed:?}");
    assert!(last < said, "{last}");
    let mut back = server.client().socket().await;
    let joined = back.ask(&json!({ "type": "join_room", "room": "flood", "offset": last })).await;
    assert_eq!(joined["resumed"], true, "{joined}");
    assert_eq!(back.wait("message").await["offset"], last + 1);
}
