//! Server-sent events: who hears what, coming back, and the end.

use std::time::Duration;

use serde_json::{Value, json};
use souk_e2e::{Client, Database, Events, Server, on_each_database};

use crate::shop;

on_each_database!(
    a_change_is_heard_by_who_may_read_it,
    a_category_is_a_topic_of_its_own,
    who_comes_back_is_told_what_they_missed,
    who_is_cut_before_the_first_event_misses_nothing,
    what_is_not_kept_is_told_as_a_gap,
    what_cannot_be_listened_to_is_refused,
    a_ticket_opens_one_stream,
    an_idle_stream_keeps_its_place_and_ends_with_its_person,
    a_stream_is_told_of_the_shutdown,
    streams_have_room_for_as_many_as_are_allowed,
    a_person_has_room_for_so_many_streams,
    a_reader_that_takes_nothing_is_cut_and_the_others_go_on,
);

const PRODUCTS: &str = "/api/v1/events?topics=products";

async fn listen(client: &Client, path: &str) -> Events {
    Events::open(client.request("GET", path)).await
}

async fn listen_after(client: &Client, last: u64) -> Events {
    Events::open(client.request("GET", PRODUCTS).header("Last-Event-ID", last.to_string())).await
}

fn with(fields: &Value) -> Value {
    let mut body = shop::lamp();
    for (name, value) in fields.as_object().unwrap() {
        body[name] = value.clone();
    }
    body
}

async fn a_change_is_heard_by_who_may_read_it(database: Database) {
    let server = Server::start(database).await;
    let (owner, admin, nobody) = (server.signed_in("seller").await, server.signed_in("admin").await, server.client());
    let other = shop::seller(&server, "other@example.com").await;
    server.settled().await;
    let mut friends = [listen(&owner, PRODUCTS).await, listen(&admin, PRODUCTS).await];
    let mut strangers = [listen(&nobody, "/events?topics=products").await, listen(&other, PRODUCTS).await];
    for events in friends.iter().chain(&strangers) {
        assert_eq!(events.headers()["cache-control"], "no-store");
        assert!(!events.headers().contains_key("content-encoding"), "{:?}", events.headers());
    }

    let draft = shop::create(&owner, &with(&json!({ "status": "draft", "name": "Secret lamp" }))).await;
    let path = shop::path(&draft);
    for events in &mut friends {
        let told = events.told().await.data.unwrap();
        assert_eq!((&told["type"], &told["productId"]), (&json!("product.created"), &draft["id"]), "{told}");
        assert_eq!(told["product"]["status"], "draft");
    }
    // What the strangers hear first is not the draft: it comes before this in the log.
    owner.patch(&path, &json!({ "status": "published", "price": 5.25 })).await.expect(200);
    let mut seqs = Vec::new();
    for (events, kind) in friends.iter_mut().zip(["product.updated"; 2]) {
        assert_eq!(events.told().await.kind(), kind);
    }
    for events in &mut strangers {
        let message = events.told().await;
        let told = message.data.unwrap();
        assert_eq!(told["type"], "product.created", "{told}");
        assert_eq!((&told["seq"], &told["product"]["price"]), (&json!(message.id.unwrap()), &json!(5.25)), "{told}");
        assert_eq!((&told["product"]["name"], &told["product"]["currency"]), (&json!("Secret lamp"), &json!("EUR")));
        seqs.push(message.id.unwrap());
    }
    assert_eq!(seqs[0], seqs[1]);

    owner.post(&format!("{path}/stock-adjustments"), &json!({ "delta": 4 })).await.expect(200);
    for events in friends.iter_mut().chain(&mut strangers) {
        let told = events.told().await.data.unwrap();
        assert_eq!((&told["type"], &told["product"]["stock"]), (&json!("product.updated"), &json!(7)), "{told}");
    }
    owner.patch(&path, &json!({ "status": "archived" })).await.expect(200);
    for events in &mut strangers {
        let told = events.told().await.data.unwrap();
        assert_eq!((&told["type"], &told["productId"]), (&json!("product.deleted"), &draft["id"]), "{told}");
        assert!(told.get("product").is_none(), "what is withdrawn is not shown: {told}");
    }
    for events in &mut friends {
        assert_eq!(events.told().await.data.unwrap()["product"]["status"], "archived");
    }
    owner.delete(&path).await.expect(200);
    let next = shop::create(&owner, &shop::lamp()).await;
    for events in &mut friends {
        assert_eq!(events.told().await.kind(), "product.deleted");
    }
    for events in &mut strangers {
        assert_eq!(events.told().await.data.unwrap()["productId"], next["id"], "its deletion is none of theirs");
    }
}

async fn a_category_is_a_topic_of_its_own(database: Database) {
    let server = Server::start(database).await;
    let (owner, admin) = (server.signed_in("seller").await, server.signed_in("admin").await);
    let mut categories = Vec::new();
    for name in ["Lamps of brass", "Chairs of oak"] {
        let body = json!({ "name": name });
        categories.push(admin.post("/api/v1/categories", &body).await.expect(201).json()["id"].clone());
    }
    let topic = |category: &Value| format!("products:{}", category.as_str().unwrap());
    let [lamps, chairs] = [&categories[0], &categories[1]];
    server.settled().await;
    let path = |topics: &str| format!("/api/v1/events?topics={topics}");
    let client = server.client();
    let mut of_lamps = listen(&client, &path(&topic(lamps))).await;
    let mut of_chairs = listen(&client, &path(&topic(chairs))).await;
    let mut of_all = listen(&client, &path(&format!("products,{},{}", topic(lamps), topic(chairs)))).await;

    let lamp = shop::create(&owner, &with(&json!({ "categoryId": lamps }))).await;
    owner.patch(&shop::path(&lamp), &json!({ "categoryId": chairs })).await.expect(200);
    let chair = shop::create(&owner, &with(&json!({ "categoryId": chairs }))).await;
    let mut kinds = Vec::new();
    for _ in 0..3 {
        let told = of_all.told().await;
        kinds.push((told.kind().to_owned(), told.id.unwrap()));
    }
    let kind = |n: usize| kinds[n].0.as_str();
    assert_eq!([kind(0), kind(1), kind(2)], ["product.created", "product.updated", "product.created"]);
    assert!(kinds.is_sorted_by(|a, b| a.1 < b.1), "in order and each once: {kinds:?}");
    assert_eq!(of_lamps.told().await.kind(), "product.created");
    for events in [&mut of_lamps, &mut of_chairs] {
        let told = events.told().await.data.unwrap();
        assert_eq!((&told["product"]["categoryId"], &told["previousCategoryId"]), (chairs, lamps), "{told}");
    }
    assert_eq!(of_chairs.told().await.data.unwrap()["productId"], chair["id"]);
}

async fn who_comes_back_is_told_what_they_missed(database: Database) {
    let mut server = Server::start(database).await;
    let owner = server.signed_in("seller").await;
    server.settled().await;
    let mut events = listen(&server.client(), PRODUCTS).await;
    let first = shop::create(&owner, &shop::lamp()).await;
    let seen = events.told().await.id.unwrap();
    drop(events);
    let mut missed = Vec::new();
    for _ in 0..5 {
        missed.push(shop::create(&owner, &shop::lamp()).await["id"].clone());
    }
    server.stop().await;
    server.run().await;
    let owner = server.signed_in("seller").await;
    let mut events = listen_after(&server.client(), seen).await;
    missed.push(shop::create(&owner, &shop::lamp()).await["id"].clone());
    let (mut heard, mut last) = (Vec::new(), seen);
    for _ in &missed {
        let told = events.told().await;
        assert!(told.id.unwrap() > last, "{told:?}");
        last = told.id.unwrap();
        heard.push(told.data.unwrap()["productId"].clone());
    }
    assert_eq!(heard, missed);
    // By parameter, for clients that cannot send the header; the header wins.
    let path = format!("{PRODUCTS}&lastEventId={}", seen - 1);
    assert_eq!(listen(&server.client(), &path).await.told().await.data.unwrap()["productId"], first["id"]);
    let request = server.client().request("GET", &path).header("Last-Event-ID", seen.to_string());
    assert_eq!(Events::open(request).await.told().await.data.unwrap()["productId"], missed[0]);
}

async fn who_is_cut_before_the_first_event_misses_nothing(database: Database) {
    let server = Server::start(database).await;
    let owner = server.signed_in("seller").await;
    server.settled().await;
    let began = listen(&server.client(), PRODUCTS).await.began.expect("a stream says where it begins");
    let missed = shop::create(&owner, &shop::lamp()).await;
    server.settled().await;
    let mut events = listen_after(&server.client(), began).await;
    assert_eq!(events.began, None, "who asked for a place has it");
    assert_eq!(events.told().await.data.unwrap()["productId"], missed["id"]);
}

async fn what_is_not_kept_is_told_as_a_gap(database: Database) {
    let server = Server::start(database).await;
    let owner = server.signed_in("seller").await;
    server.settled().await;
    let mut events = listen(&server.client(), PRODUCTS).await;
    shop::create(&owner, &shop::lamp()).await;
    let last = events.told().await.id.unwrap();
    // Sent as one message, so that the connection goes on from a number that is kept.
    let mut ahead = listen_after(&server.client(), last + 1_000).await;
    let gap = ahead.told().await;
    assert_eq!(gap.id, Some(last), "{gap:?}");
    assert_eq!(
        gap.data.unwrap(),
        json!({ "type": "gap", "reason": "aheadOfLog", "after": last + 1_000, "resumedAt": last })
    );
    let tables = server.tables();
    tables.run(&format!("DELETE FROM events WHERE seq < {last}"));
    let mut expired = listen_after(&server.client(), 0).await;
    let gap = expired.told().await;
    assert_eq!(gap.data.unwrap(), json!({ "type": "gap", "reason": "expired", "after": 0, "resumedAt": last - 1 }));
    assert_eq!(expired.told().await.id, Some(last));
    let next = shop::create(&owner, &shop::lamp()).await;
    for events in [&mut events, &mut ahead, &mut expired] {
        assert_eq!(events.told().await.data.unwrap()["productId"], next["id"]);
    }
}

async fn what_cannot_be_listened_to_is_refused(database: Database) {
    let server = Server::start(database).await;
    let client = server.client();
    for (path, field) in [
        ("/api/v1/events", "topics"),
        ("/api/v1/events?topics=", "topics"),
        ("/api/v1/events?topics=orders", "topics"),
        ("/api/v1/events?topics=products,products:7", "topics"),
        ("/api/v1/events?topics=products&lastEventId=first", "lastEventId"),
        ("/api/v1/events?topics=products&lastEventId=-1", "lastEventId"),
        ("/api/v1/events?topics=products&since=4", "since"),
    ] {
        let refused = client.get(path).await;
        refused.error(400, "VALIDATION_ERROR");
        assert!(refused.names(field), "{path}: {}", refused.text());
    }
    for garbage in ["x", "1.5", "18446744073709551616", "1 2"] {
        let refused = client.send(client.request("GET", PRODUCTS).header("Last-Event-ID", garbage)).await;
        refused.error(400, "VALIDATION_ERROR");
        assert!(refused.names("Last-Event-ID"), "{}", refused.text());
    }
    let many: Vec<String> = (0..101).map(|n| format!("products:00000000-0000-7000-8000-{n:012}")).collect();
    assert!(client.get(&format!("/api/v1/events?topics={}", many.join(","))).await.names("topics"));
    // An EventSource stops at a 401; an anonymous stream would hide that its person is signed out.
    let expired = client.with_token("gone").get(PRODUCTS).await;
    expired.error(401, "UNAUTHORIZED");
    assert_eq!(expired.header("www-authenticate"), "Bearer error=\"invalid_token\"");
}

async fn a_ticket_opens_one_stream(database: Database) {
    let server = Server::start(database).await;
    let (owner, nobody) = (server.signed_in("seller").await, server.client());
    nobody.post("/api/v1/events/tickets", &json!({})).await.error(401, "UNAUTHORIZED");
    let made = owner.send(owner.request("POST", "/api/v1/events/tickets")).await.expect(200);
    assert_eq!(made.header("cache-control"), "no-store");
    let path = format!("{PRODUCTS}&ticket={}", made.json()["ticket"].as_str().unwrap());
    let both = owner.get(&path).await;
    assert!(both.names("ticket"), "{}", both.text());
    // Of several who come at once, one gets it.
    let mut asked = tokio::task::JoinSet::new();
    for _ in 0..6 {
        asked.spawn(nobody.request("GET", &path).send());
    }
    let mut given = Vec::new();
    while let Some(answer) = asked.join_next().await {
        let answer = answer.unwrap().unwrap();
        match answer.status().as_u16() {
            200 => given.push(answer),
            status => assert_eq!(status, 401),
        }
    }
    assert_eq!(given.len(), 1);
    nobody.get(&path).await.error(401, "UNAUTHORIZED");
    let draft = shop::create(&owner, &with(&json!({ "status": "draft" }))).await;
    let mut text = String::new();
    while !text.contains(draft["id"].as_str().unwrap()) {
        let chunk = tokio::time::timeout(Duration::from_secs(20), given[0].chunk()).await.unwrap();
        text.push_str(&String::from_utf8_lossy(&chunk.unwrap().expect("it is open")));
    }
}

async fn an_idle_stream_keeps_its_place_and_ends_with_its_person(database: Database) {
    let mut server = Server::prepared(database, &[("SOUK__STREAMS__HEARTBEAT_SECONDS", "1")]);
    server.run().await;
    let admin = server.signed_in("admin").await;
    let person = shop::person(&server, "leaving@example.com").await;
    let (mut theirs, mut anonymous) = (listen(&person, PRODUCTS).await, listen(&server.client(), PRODUCTS).await);
    let before = anonymous.heartbeat().await.id.unwrap();
    // Changes of no topic move the place too: later it may be all that is left of the log.
    for name in ["Lamps of brass", "Chairs of oak"] {
        admin.post("/api/v1/categories", &json!({ "name": name })).await.expect(201);
    }
    while anonymous.heartbeat().await.id.unwrap() < before + 2 {}
    server.tables().run("DELETE FROM users WHERE email = 'leaving@example.com'");
    let closing = theirs.told().await;
    assert_eq!(closing.data.unwrap(), json!({ "type": "closing", "reason": "sessionEnded" }));
    assert_eq!(theirs.next().await, None);
    person.get(PRODUCTS).await.error(401, "UNAUTHORIZED");
    anonymous.heartbeat().await;
}

async fn a_stream_is_told_of_the_shutdown(database: Database) {
    let mut server = Server::start(database).await;
    // What the demo shop was made of is told by then.
    server.settled().await;
    let mut streams = Vec::new();
    for _ in 0..20 {
        streams.push(listen(&server.client(), PRODUCTS).await);
    }
    let began = std::time::Instant::now();
    server.terminate();
    for events in &mut streams {
        let closing = events.told().await;
        assert_eq!(closing.data.unwrap(), json!({ "type": "closing", "reason": "shutdown" }));
        assert!((500..=5_500).contains(&closing.retry.unwrap()), "{:?}", closing.retry);
        assert_eq!(events.next().await, None);
    }
    assert!(server.ended().await.success());
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
}

async fn streams_have_room_for_as_many_as_are_allowed(database: Database) {
    // Room for two: a third is told to come later, and gets in when one has left.
    let mut server =
        Server::prepared(database, &[("SOUK__STREAMS__MAX_OPEN", "2"), ("SOUK__STREAMS__HEARTBEAT_SECONDS", "1")]);
    server.run().await;
    let client = server.client();
    let (one, mut two) = (listen(&client, PRODUCTS).await, listen(&client, PRODUCTS).await);
    let refused = client.get(PRODUCTS).await;
    refused.error(503, "UNAVAILABLE");
    assert_eq!(refused.header("retry-after"), "30");
    drop(one);
    let until = std::time::Instant::now() + Duration::from_secs(20);
    while client.request("GET", PRODUCTS).send().await.unwrap().status() != 200 {
        assert!(std::time::Instant::now() < until, "the place of a client that left is free");
        two.heartbeat().await;
    }
}

async fn a_person_has_room_for_so_many_streams(database: Database) {
    let limits = [
        ("SOUK__STREAMS__MAX_PER_USER", "2"),
        ("SOUK__STREAMS__MAX_PER_ADDRESS", "1"),
        ("SOUK__STREAMS__HEARTBEAT_SECONDS", "1"),
    ];
    let mut server = Server::prepared(database, &limits);
    server.run().await;
    let (person, nobody) = (shop::person(&server, "ada@example.com").await, server.client());
    let (one, mut two, mut third) =
        (listen(&person, PRODUCTS).await, listen(&person, PRODUCTS).await, listen(&nobody, PRODUCTS).await);
    for client in [&person, &nobody] {
        let refused = client.get(PRODUCTS).await;
        refused.error(429, "RATE_LIMITED");
        assert_eq!(refused.header("retry-after"), "30");
    }
    let metrics = nobody.get("/metrics").await.text();
    for line in ["streams_refused_total{protocol=\"sse\"} 2", "streams_open{protocol=\"sse\"} 3"] {
        assert!(metrics.contains(line), "{line}:\n{metrics}");
    }
    // Another person has room of their own, and a WebSocket is no stream.
    listen(&server.signed_in("admin").await, PRODUCTS).await;
    person.socket().await.close().await;
    // The client is gone without a word: its place is free once that shows.
    drop(one);
    let until = std::time::Instant::now() + Duration::from_secs(20);
    while person.request("GET", PRODUCTS).send().await.unwrap().status() != 200 {
        assert!(std::time::Instant::now() < until, "the place of a stream that was left is free");
        two.heartbeat().await;
    }
    third.heartbeat().await;
}

async fn a_reader_that_takes_nothing_is_cut_and_the_others_go_on(database: Database) {
    let mut server = Server::prepared(database, &[("SOUK__HTTP__STALL_SECONDS", "2")]);
    server.run().await;
    let (owner, client) = (server.signed_in("seller").await, server.client());
    let first = shop::create(&owner, &shop::lamp()).await;
    // Small buffers on this side, so that few events fill them all, and then not one read.
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    let address = server.url().trim_start_matches("http://").parse().unwrap();
    let mut stalled = socket.connect(address).await.unwrap();
    let request = format!("GET {PRODUCTS} HTTP/1.1\r\nhost: souk\r\n\r\n");
    tokio::io::AsyncWriteExt::write_all(&mut stalled, request.as_bytes()).await.unwrap();
    let mut others = listen(&client, PRODUCTS).await;
    let closed = r#"streams_closed_total{protocol="sse",reason="lost"} 1"#;
    let until = std::time::Instant::now() + Duration::from_mins(2);
    let mut made = 0;
    while !client.get("/metrics").await.text().contains(closed) {
        assert!(std::time::Instant::now() < until, "it is still open after {made} events");
        for _ in 0..200 {
            let body = json!({ "stock": made });
            owner.patch(&shop::path(&first), &body).await.expect(200);
            made += 1;
        }
        for _ in 0..200 {
            while others.told().await.kind() != "product.updated" {}
        }
    }
    drop(stalled);
}
