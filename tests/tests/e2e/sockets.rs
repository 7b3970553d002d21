//! WebSockets: greeting, rooms, presence, messages, coming back, moderation.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use souk_e2e::{Client, Database, Server, Socket, on_each_database};

use crate::shop;

on_each_database!(
    a_connection_is_greeted_and_knows_its_messages,
    what_is_said_is_stored_and_told_to_all,
    a_person_with_two_connections_is_one_member,
    people_come_to_the_room_of_all_and_leave_it,
    a_private_room_is_for_its_members,
    who_is_banned_is_shown_out_and_who_is_muted_listens,
    who_comes_back_is_told_what_they_missed,
    more_than_sixty_messages_a_minute_are_refused,
    everything_said_over_a_connection_is_bounded,
    writing_and_having_read_is_told,
    topics_are_heard_beside_rooms,
    who_may_connect_is_decided_before,
    a_session_goes_on_with_a_new_token_of_the_same_person,
);

const GLOBAL: &str = "00000000-0000-7000-8000-000000000001";

/// Two people with their ids.
pub async fn people(server: &Server) -> [(Client, String); 2] {
    let mut people = Vec::new();
    for name in ["ada", "bob"] {
        let person = shop::person(server, &format!("{name}@rooms.example.com")).await;
        let me = person.get("/api/v1/users/me").await.expect(200).json();
        people.push((person, me["id"].as_str().unwrap().to_owned()));
    }
    people.try_into().unwrap()
}

/// A room of this caller; its id.
pub async fn room(owner: &Client, name: &str, kind: &str) -> String {
    let body = json!({ "name": name, "kind": kind });
    let made = owner.post("/api/v1/rooms", &body).await.expect(201);
    made.json()["id"].as_str().unwrap().to_owned()
}

/// Whether somebody is among those who came to the room of all.
pub fn comes(told: &Value, user: &str) -> bool {
    told["type"] == "user_joined" && told["userIds"].as_array().unwrap().contains(&json!(user))
}

fn join(room: &str) -> Value {
    json!({ "type": "join_room", "room": room })
}

pub fn says(room: &str, content: &str) -> Value {
    json!({ "type": "message", "room": room, "content": content })
}

pub fn contents(messages: &[Value]) -> Vec<&str> {
    messages.iter().map(|message| message["content"].as_str().unwrap()).collect()
}

async fn a_connection_is_greeted_and_knows_its_messages(database: Database) {
    let server = Server::start(database).await;
    let mut socket = server.client().socket().await;
    for field in ["connectionId", "timestamp", "timeoutMs", "maxBytes"] {
        assert!(!socket.connected[field].is_null(), "{field}: {}", socket.connected);
    }
    assert!(socket.connected.get("userId").is_none());
    let global = &socket.global;
    assert_eq!((&global["room"], &global["roomId"], &global["offset"]), (&json!("global"), &json!(GLOBAL), &json!(0)));
    assert!(global.get("members").is_none(), "who is not signed in sees counts only: {global}");
    let pong = socket.ask(&json!({ "type": "ping" })).await;
    assert!(pong["timestamp"].as_str().unwrap().ends_with('Z'), "{pong}");

    let unknown = socket.ask(&json!({ "type": "dance" })).await;
    assert_eq!((&unknown["type"], &unknown["message"]), (&json!("error"), &json!("Unknown message type: dance")));
    for text in ["{", "[]", "hello", "{}", "{\"type\":7}"] {
        socket.send(text.into()).await;
        let error = socket.next().await;
        assert_eq!((&error["type"], &error["message"]), (&json!("error"), &json!("Invalid message format")), "{text}");
    }
    let strange = socket.ask(&json!({ "type": "join_room", "room": "global", "colour": "red" })).await;
    assert_eq!(
        (&strange["code"], &strange["details"]["fields"][0]["field"]),
        (&json!("VALIDATION_ERROR"), &json!("/colour"))
    );
    let nowhere = socket.ask(&join("nowhere")).await;
    assert_eq!((&nowhere["code"], &nowhere["message"]), (&json!("NOT_FOUND"), &json!("Room not found")));
    let left = socket.ask(&json!({ "type": "leave_room", "room": "nowhere" })).await;
    assert_eq!(left["code"], "CONFLICT");
    assert_eq!(socket.ask(&json!({ "type": "ping" })).await["type"], "pong", "none of that ended the connection");
}

async fn what_is_said_is_stored_and_told_to_all(database: Database) {
    let server = Server::start(database).await;
    let [(ada, ada_id), (bob, _)] = people(&server).await;
    let (mut hers, mut his, mut nobodys) = (ada.socket().await, bob.socket().await, server.client().socket().await);
    assert_eq!(hers.connected["userId"], json!(ada_id));
    let refused = nobodys.ask(&json!({ "type": "message", "content": "Hello" })).await;
    assert_eq!((&refused["code"], &refused["message"]), (&json!("UNAUTHORIZED"), &json!("Authentication required")));
    let ack = hers.ask(&json!({ "type": "message", "content": "Hello ✓\n\"all\"", "clientId": "1" })).await;
    assert_eq!(
        (&ack["type"], &ack["offset"], &ack["clientId"], &ack["room"]),
        (&json!("ack"), &json!(1), &json!("1"), &json!("global"))
    );
    for socket in [&mut hers, &mut his, &mut nobodys] {
        let told = socket.wait("message").await;
        let whole = json!({
            "type": "message", "id": ack["id"], "userId": ada_id, "content": "Hello ✓\n\"all\"", "room": "global",
            "timestamp": ack["timestamp"], "offset": 1
        });
        assert_eq!(told, whole);
    }
    // The same again is the same message.
    let again = hers.ask(&json!({ "type": "message", "content": "Hello", "clientId": "1" })).await;
    assert_eq!((&again["id"], &again["offset"]), (&ack["id"], &json!(1)));
    for bad in [json!(""), json!("  "), json!("x".repeat(4001)), json!("a\u{0}b"), json!(7), Value::Null] {
        let error = hers.ask(&json!({ "type": "message", "content": bad })).await;
        assert_eq!(
            (&error["code"], &error["details"]["fields"][0]["field"]),
            (&json!("VALIDATION_ERROR"), &json!("/content")),
            "{bad:.20}"
        );
    }
    // The longest there is does not fit into a notice between nodes.
    let long = "é".repeat(4000);
    hers.ask(&json!({ "type": "message", "content": long })).await;
    his.say(&says("global", "short")).await;
    for socket in [&mut hers, &mut his, &mut nobodys] {
        assert_eq!(socket.wait("message").await["content"], json!(long));
        let short = socket.wait("message").await;
        assert_eq!((&short["content"], &short["offset"]), (&json!("short"), &json!(3)));
    }
    let history = nobodys.ask(&json!({ "type": "history", "before": 3, "limit": 1 })).await;
    assert_eq!(
        (&history["items"][0]["offset"], &history["firstOffset"], &history["lastOffset"]),
        (&json!(2), &json!(1), &json!(3))
    );
    let path = format!("/api/v1/rooms/{GLOBAL}/messages");
    let read = server.client().get(&format!("{path}?after=2")).await.expect(200).json();
    assert_eq!((contents(read["items"].as_array().unwrap()), &read["epoch"]), (vec!["short"], &history["epoch"]));

    bob.delete(&format!("{path}/1")).await.error(403, "FORBIDDEN");
    ada.delete(&format!("{path}/1")).await.expect(200);
    for socket in [&mut his, &mut nobodys] {
        assert_eq!(socket.wait("message_deleted").await["offset"], 1);
    }
    let read = server.client().get(&format!("{path}?limit=3")).await.expect(200).json();
    assert_eq!((&read["items"][0]["content"], read["items"][0]["deletedAt"].is_string()), (&json!(""), true));
}

async fn a_person_with_two_connections_is_one_member(database: Database) {
    let server = Server::start(database).await;
    let [(ada, ada_id), (bob, bob_id)] = people(&server).await;
    room(&ada, "lamps", "public").await;
    let (mut watching, mut counting) = (ada.socket().await, server.client().socket().await);
    let joined = watching.ask(&join("lamps")).await;
    assert_eq!((&joined["members"], &joined["memberCount"]), (&json!([ada_id]), &json!(1)));
    counting.ask(&join("lamps")).await;
    let (mut one, mut two) = (bob.socket().await, bob.socket().await);
    let first = one.ask(&join("lamps")).await;
    assert_eq!(first["memberCount"], 2);
    let mut members = vec![ada_id.clone(), bob_id.clone()];
    members.sort();
    let mut told: Vec<String> = serde_json::from_value(first["members"].clone()).unwrap();
    told.sort();
    assert_eq!(told, members);
    let came = json!({ "type": "member_joined", "room": "lamps", "userId": bob_id, "memberCount": 2 });
    assert_eq!(watching.wait("member_joined").await, came);
    assert_eq!(
        counting.wait("member_joined").await,
        json!({ "type": "member_joined", "room": "lamps", "memberCount": 2 })
    );
    assert_eq!(two.ask(&join("lamps")).await["memberCount"], 2);
    assert_eq!(one.ask(&join("lamps")).await["memberCount"], 2, "again on the same connection");
    one.close().await;
    assert_eq!(two.ask(&says("lamps", "still here")).await["type"], "ack");
    watching.wait("message").await;
    assert!(watching.all("member_joined").await.is_empty() && watching.all("member_left").await.is_empty());
    two.cut();
    let left = json!({ "type": "member_left", "room": "lamps", "userId": bob_id, "memberCount": 1 });
    assert_eq!(watching.wait("member_left").await, left);
    let seen = ada.get("/api/v1/rooms?limit=100").await.expect(200).json();
    assert!(seen["items"].as_array().unwrap().iter().any(|room| room["name"] == "lamps"));
    let left = watching.ask(&json!({ "type": "leave_room", "room": "lamps" })).await;
    assert_eq!((&left["type"], &left["reason"]), (&json!("room_left"), &json!("left")));
    assert_eq!(counting.wait("member_left").await["memberCount"], 1);
    assert_eq!(counting.wait("member_left").await["memberCount"], 0);
}

async fn people_come_to_the_room_of_all_and_leave_it(database: Database) {
    let server = Server::start(database).await;
    let [(ada, _), (bob, bob_id)] = people(&server).await;
    let (mut hers, mut nobodys) = (ada.socket().await, server.client().socket().await);
    let his = bob.socket().await;
    // Those of a moment come together.
    let came = hers.wait_for(|told| comes(told, &bob_id)).await;
    assert_eq!((&came["userId"], &came["memberCount"]), (&came["userIds"][0], &json!(2)));
    let counted = nobodys.wait_for(|told| told["type"] == "user_joined" && told["memberCount"] == 2).await;
    assert!(counted.get("userId").is_none() && counted.get("userIds").is_none(), "{counted}");
    his.cut();
    let left = hers.wait("user_left").await;
    assert_eq!((&left["userId"], &left["memberCount"]), (&json!(bob_id), &json!(1)));
}

async fn a_private_room_is_for_its_members(database: Database) {
    let server = Server::start(database).await;
    let [(ada, _), (bob, bob_id)] = people(&server).await;
    let id = room(&ada, "secret", "private").await;
    let path = format!("/api/v1/rooms/{id}");
    let (mut hers, mut his) = (ada.socket().await, bob.socket().await);
    assert_eq!(hers.ask(&join("secret")).await["type"], "room_joined");
    for room in ["secret", &id] {
        for asked in [join(room), says(room, "Hello"), json!({ "type": "history", "room": room })] {
            let refused = his.ask(&asked).await;
            assert_eq!(
                (&refused["code"], &refused["message"]),
                (&json!("NOT_FOUND"), &json!("Room not found")),
                "{asked}"
            );
        }
    }
    bob.get(&path).await.error(404, "NOT_FOUND");
    bob.get(&format!("{path}/messages")).await.error(404, "NOT_FOUND");
    let membership = format!("{path}/members/{bob_id}");
    ada.put(&membership, &json!({})).await.expect(200);
    assert_eq!(his.ask(&join("secret")).await["type"], "room_joined");
    hers.wait("member_joined").await;
    hers.ask(&says("secret", "Hello")).await;
    assert_eq!(his.wait("message").await["content"], "Hello");
    ada.delete(&membership).await.expect(200);
    assert_eq!(his.wait("room_left").await["reason"], "removed");
    assert_eq!(hers.wait("member_left").await["userId"], json!(bob_id));
    hers.ask(&says("secret", "Alone")).await;
    assert!(his.all("message").await.is_empty());
    // What becomes private shows out who only listened, and a room that is gone shows out all.
    let open = room(&ada, "open", "public").await;
    let mut nobodys = server.client().socket().await;
    nobodys.ask(&join("open")).await;
    hers.ask(&join("open")).await;
    ada.patch(&format!("/api/v1/rooms/{open}"), &json!({ "kind": "private" })).await.expect(200);
    assert_eq!(nobodys.wait("room_left").await["reason"], "removed");
    ada.delete(&format!("/api/v1/rooms/{open}")).await.expect(200);
    let left = hers.wait_for(|told| told["type"] == "room_left").await;
    assert_eq!((&left["room"], &left["reason"]), (&json!("open"), &json!("deleted")));
}

async fn who_is_banned_is_shown_out_and_who_is_muted_listens(database: Database) {
    let server = Server::start(database).await;
    let [(ada, _), (bob, bob_id)] = people(&server).await;
    let id = room(&ada, "lamps", "public").await;
    let (mut hers, mut his) = (ada.socket().await, bob.socket().await);
    hers.ask(&join("lamps")).await;
    his.ask(&join("lamps")).await;
    let (mute, ban) = (format!("/api/v1/rooms/{id}/mutes/{bob_id}"), format!("/api/v1/rooms/{id}/bans/{bob_id}"));
    bob.put(&mute, &json!({})).await.error(403, "FORBIDDEN");
    ada.put(&mute, &json!({ "until": "2099-01-01T00:00:00Z", "reason": "shouting" })).await.expect(200);
    let refused = his.ask(&says("lamps", "Hello")).await;
    assert_eq!(refused["message"], "You are muted in this room until 2099-01-01T00:00:00Z");
    hers.ask(&says("lamps", "Silence")).await;
    assert_eq!(his.wait("message").await["content"], "Silence");
    ada.delete(&mute).await.expect(200);
    assert_eq!(his.ask(&says("lamps", "Thanks")).await["type"], "ack");

    ada.put(&ban, &json!({})).await.expect(200);
    assert_eq!(his.wait("room_left").await["reason"], "banned");
    assert_eq!(hers.wait("member_left").await["userId"], json!(bob_id));
    for asked in [join("lamps"), says("lamps", "But"), json!({ "type": "history", "room": "lamps" })] {
        assert_eq!(his.ask(&asked).await["message"], "You are banned from this room", "{asked}");
    }
    bob.get(&format!("/api/v1/rooms/{id}/messages")).await.error(403, "FORBIDDEN");
    assert_eq!(ada.get(&format!("/api/v1/rooms/{id}/bans")).await.expect(200).json()["total"], 1);
    assert_eq!(his.ask(&says("global", "Elsewhere")).await["type"], "ack", "other rooms are other rooms");
    ada.delete(&ban).await.expect(200);
    assert_eq!(his.ask(&join("lamps")).await["type"], "room_joined");
}

async fn who_comes_back_is_told_what_they_missed(database: Database) {
    let server = Server::start(database).await;
    let [(ada, _), (bob, _)] = people(&server).await;
    room(&ada, "lamps", "public").await;
    let (mut hers, mut his) = (ada.socket().await, bob.socket().await);
    hers.ask(&join("lamps")).await;
    let joined = his.ask(&join("lamps")).await;
    assert!(joined.get("resumed").is_none(), "{joined}");
    let epoch = joined["epoch"].as_str().unwrap().to_owned();
    for number in 1..=3 {
        hers.ask(&says("lamps", &format!("lamps {number}"))).await;
        hers.ask(&says("global", &format!("global {number}"))).await;
    }
    let last = his.wait_for(|told| told["content"] == "lamps 2").await;
    assert_eq!(last["offset"], 2);
    his.cut();
    for number in 4..=5 {
        hers.ask(&says("lamps", &format!("lamps {number}"))).await;
    }
    let back =
        |offset: u64, epoch: &str| json!({ "type": "join_room", "room": "lamps", "offset": offset, "epoch": epoch });
    // The room of all is entered with the connection, so it goes on by the address.
    let mut his = bob.socket_with("offset=1").await;
    assert_eq!((&his.global["resumed"], &his.global["offset"]), (&json!(true), &json!(3)));
    let global = his.all("message").await;
    assert_eq!(contents(&global), ["global 2", "global 3"]);
    let joined = his.ask(&back(2, &epoch)).await;
    assert_eq!((&joined["resumed"], &joined["offset"]), (&json!(true), &json!(5)), "{joined}");
    hers.ask(&says("lamps", "lamps 6")).await;
    let mut missed = Vec::new();
    for _ in 0..4 {
        missed.push(his.wait("message").await);
    }
    assert_eq!(contents(&missed), ["lamps 3", "lamps 4", "lamps 5", "lamps 6"]);
    // Asking again on the same connection tells nothing twice.
    his.ask(&back(2, &epoch)).await;
    assert!(his.all("message").await.is_empty());
    his.ask(&back(1, &epoch)).await;
    assert_eq!(contents(&his.all("message").await), ["lamps 2"]);
    for (asked, reason, after) in [(back(2, "ffffffffffffffff"), "otherEpoch", 0), (back(99, &epoch), "aheadOfRoom", 6)]
    {
        let mut other = bob.socket().await;
        let joined = other.ask(&asked).await;
        assert_eq!(
            (&joined["resumed"], &joined["gap"]),
            (&json!(false), &json!({ "reason": reason, "resumedAt": after }))
        );
        let missed = other.all("message").await;
        assert_eq!(missed.len(), if after == 0 { 6 } else { 0 });
    }
}

async fn more_than_sixty_messages_a_minute_are_refused(database: Database) {
    let mut server = Server::prepared(database, &[("SOUK__LIMITS__WS_MESSAGES", "3/86400")]);
    server.run().await;
    let [(ada, _), (bob, _)] = people(&server).await;
    let (mut one, mut two, mut his) = (ada.socket().await, ada.socket().await, bob.socket().await);
    assert_eq!(one.ask(&says("global", "Hello")).await["type"], "ack");
    for socket in [&mut one, &mut two] {
        assert_eq!(socket.ask(&says("global", "Hello")).await["type"], "ack");
    }
    for socket in [&mut one, &mut two] {
        let refused = socket.ask(&says("global", "Hello")).await;
        assert_eq!((&refused["code"], &refused["message"]), (&json!("RATE_LIMITED"), &json!("Rate limit exceeded")));
        assert!(refused["retryAfterMs"].as_u64().unwrap() > 1000, "{refused}");
    }
    assert_eq!(his.ask(&says("global", "Hello")).await["type"], "ack", "each person by themselves");
    let mut admins = server.signed_in("admin").await.socket().await;
    for _ in 0..5 {
        assert_eq!(admins.ask(&says("global", "Hello")).await["type"], "ack");
    }
}

async fn everything_said_over_a_connection_is_bounded(database: Database) {
    let mut server = Server::prepared(database, &[("SOUK__LIMITS__WS_FRAMES", "8/86400")]);
    server.run().await;
    let [(ada, _), (bob, _)] = people(&server).await;
    let (mut hers, mut also_hers, mut his) = (ada.socket().await, ada.socket().await, bob.socket().await);
    let asked = [
        json!({ "type": "ping" }),
        json!({ "type": "typing" }),
        json!({ "type": "typing", "active": false }),
        json!({ "type": "read", "offset": 0 }),
        json!({ "type": "history" }),
        json!({ "type": "subscribe", "topics": ["products"] }),
        json!({ "type": "dance" }),
    ];
    let limited = |answer: &Value| answer["code"] == "RATE_LIMITED";
    for one in &asked {
        let answer = hers.ask(one).await;
        assert!(!limited(&answer), "{one}: {answer}");
    }
    // What nobody can read is counted too, and so is a ping of the protocol, which is answered all the same.
    hers.send("nonsense".into()).await;
    assert_eq!(hers.wait("error").await["message"], "Invalid message format");
    for one in asked.iter().chain(&[join("global"), says("global", "Hello")]) {
        let refused = hers.ask(one).await;
        assert_eq!((&refused["type"], &refused["message"]), (&json!("error"), &json!("Rate limit exceeded")), "{one}");
        assert!(limited(&refused) && refused["retryAfterMs"].as_u64().unwrap() > 1000, "{refused}");
    }
    hers.ping(b"still?").await;
    // It goes on listening; her other connection and other people are not concerned.
    assert_eq!(his.ask(&says("global", "Hello")).await["type"], "ack");
    for socket in [&mut hers, &mut also_hers] {
        assert_eq!(socket.wait("message").await["content"], "Hello");
    }
    assert_eq!(also_hers.ask(&says("global", "And you")).await["type"], "ack");
    let metrics = server.client().get("/metrics").await.text();
    let refused = r#"limiter_decisions_total{policy="ws_frames",outcome="refused"} 10"#;
    assert!(metrics.contains(refused), "{metrics}");
    let mut admins = server.signed_in("admin").await.socket().await;
    for _ in 0..20 {
        assert_eq!(admins.ask(&json!({ "type": "ping" })).await["type"], "pong");
    }
}

async fn writing_and_having_read_is_told(database: Database) {
    let server = Server::start(database).await;
    let [(ada, ada_id), (bob, _)] = people(&server).await;
    let id = room(&ada, "lamps", "public").await;
    let (mut hers, mut his) = (ada.socket().await, bob.socket().await);
    let mut also_hers = ada.socket().await;
    for socket in [&mut hers, &mut his, &mut also_hers] {
        socket.ask(&join("lamps")).await;
    }
    his.ask(&says("lamps", "Hello")).await;
    assert_eq!(hers.ask(&json!({ "type": "typing", "room": "lamps" })).await["type"], "done");
    let typing = json!({ "type": "typing", "room": "lamps", "userId": ada_id, "active": true });
    assert_eq!(his.wait("typing").await, typing);
    // In another room she has not been heard of yet. That she stopped is told once, and only where she had begun.
    hers.ask(&json!({ "type": "typing", "room": "global" })).await;
    assert_eq!(his.wait("typing").await["room"], "global");
    for (active, room) in [(false, "lamps"), (false, "lamps")] {
        hers.ask(&json!({ "type": "typing", "room": room, "active": active })).await;
    }
    let stopped = json!({ "type": "typing", "room": "lamps", "userId": ada_id, "active": false });
    assert_eq!(his.wait("typing").await, stopped);
    hers.ask(&json!({ "type": "read", "room": "lamps", "offset": 1 })).await;
    assert_eq!(his.wait("read").await, json!({ "type": "read", "room": "lamps", "userId": ada_id, "offset": 1 }));
    hers.ask(&json!({ "type": "read", "room": "lamps", "offset": 1 })).await;
    assert_eq!(hers.ask(&json!({ "type": "read", "room": "lamps", "offset": 2 })).await["code"], "CONFLICT");
    assert!(his.all("read").await.is_empty(), "what is known is not told again");
    assert!(his.all("typing").await.is_empty());
    assert!(also_hers.all("typing").await.is_empty() && also_hers.all("read").await.is_empty());
    assert_eq!(ada.get(&format!("/api/v1/rooms/{id}")).await.expect(200).json()["readOffset"], 1);
    let mut nobodys = server.client().socket().await;
    for asked in [json!({ "type": "typing" }), json!({ "type": "read", "offset": 0 })] {
        assert_eq!(nobodys.ask(&asked).await["message"], "Authentication required");
    }
}

async fn topics_are_heard_beside_rooms(database: Database) {
    let server = Server::start(database).await;
    let owner = server.signed_in("seller").await;
    server.settled().await;
    let mut socket = server.client().socket().await;
    let unknown = socket.ask(&json!({ "type": "subscribe", "topics": ["products", "weather"] })).await;
    assert_eq!(unknown["details"]["fields"][0]["field"], "/topics/1", "{unknown}");
    let begun = socket.ask(&json!({ "type": "subscribe", "topics": ["products"] })).await;
    assert_eq!((&begun["type"], &begun["topics"]), (&json!("subscribed"), &json!(["products"])));
    let seq = begun["seq"].as_u64().unwrap();
    let lamp = shop::create(&owner, &shop::lamp()).await;
    let told = socket.wait("product.created").await;
    assert_eq!((&told["productId"], told["seq"].as_u64() > Some(seq)), (&lamp["id"], true), "{told}");
    owner.delete(&shop::path(&lamp)).await.expect(200);
    socket.wait("product.deleted").await;
    // Another one begins where this one began.
    let mut later = server.client().socket().await;
    later.ask(&json!({ "type": "subscribe", "topics": ["products"], "since": seq })).await;
    assert_eq!(later.wait("product.created").await, told);
    later.wait("product.deleted").await;
    later.ask(&json!({ "type": "subscribe", "topics": ["products"], "since": 999_999 })).await;
    assert_eq!(later.wait("gap").await["reason"], "aheadOfLog");
    let left = later.ask(&json!({ "type": "unsubscribe", "topics": ["products"] })).await;
    assert_eq!(left["topics"], json!([]));
    let chair = shop::create(&owner, &shop::lamp()).await;
    assert_eq!(socket.wait("product.created").await["productId"], chair["id"]);
    assert!(later.all("product.created").await.is_empty());
}

async fn who_may_connect_is_decided_before(database: Database) {
    let limits = [
        ("SOUK__SOCKETS__MAX_PER_USER", "2"),
        ("SOUK__SOCKETS__MAX_OPEN", "4"),
        ("SOUK__SOCKETS__MAX_ROOMS", "2"),
        ("ALLOWED_ORIGINS", "https://shop.example"),
    ];
    let mut server = Server::prepared(database, &limits);
    server.run().await;
    let client = server.client();
    client.get("/ws").await.error(426, "VALIDATION_ERROR");
    client.get("/api/v1/ws?colour=red").await.error(400, "VALIDATION_ERROR");
    let url = format!("{}/api/v1/ws", server.url());
    let refused = async |headers: &[(&str, &str)], url: &str| match Socket::try_open(url, headers).await {
        Err(answer) => answer.status().as_u16(),
        Ok(_) => panic!("it was given"),
    };
    assert_eq!(refused(&[("origin", "https://evil.example")], &url).await, 403);
    assert_eq!(refused(&[("origin", "null")], &url).await, 403);
    assert_eq!(refused(&[("authorization", "Bearer nonsense")], &url).await, 401);
    assert_eq!(refused(&[], &format!("{url}?ticket=nonsense")).await, 401);
    for origin in ["https://shop.example", &server.url()] {
        Socket::try_open(&url, &[("origin", origin)]).await.unwrap().close().await;
    }
    let [(ada, ada_id), _] = people(&server).await;
    let made = ada.send(ada.request("POST", "/api/v1/events/tickets")).await.expect(200).json();
    let ticket = format!("{url}?ticket={}", made["ticket"].as_str().unwrap());
    let mut by_ticket = Socket::try_open(&ticket, &[]).await.unwrap();
    assert_eq!(by_ticket.connected["userId"], json!(ada_id));
    assert_eq!(by_ticket.ask(&says("global", "Hello")).await["type"], "ack");
    assert_eq!(refused(&[], &ticket).await, 401, "it was used");
    let bearer = format!("Bearer {}", ada.token());
    let second = ada.socket().await;
    assert_eq!(refused(&[("authorization", &bearer)], &url).await, 429);
    let (_third, _fourth) = (client.socket().await, client.socket().await);
    assert_eq!(refused(&[], &url).await, 503);
    second.close().await;
    let until = Instant::now() + Duration::from_secs(20);
    let mut fifth = loop {
        match Socket::try_open(&url, &[("authorization", &bearer)]).await {
            Ok(socket) => break socket,
            Err(answer) => assert!(Instant::now() < until, "no room: {answer:?}"),
        }
    };
    for name in ["one", "two"] {
        room(&ada, name, "public").await;
    }
    assert_eq!(fifth.ask(&join("one")).await["type"], "room_joined");
    assert_eq!(fifth.ask(&join("two")).await["code"], "CONFLICT");
    fifth.ask(&json!({ "type": "leave_room", "room": "one" })).await;
    assert_eq!(fifth.ask(&join("two")).await["type"], "room_joined");
}

async fn a_session_goes_on_with_a_new_token_of_the_same_person(database: Database) {
    let mut server = Server::prepared(database, &[("SOUK__SOCKETS__HEARTBEAT_MS", "200")]);
    server.run().await;
    let [(ada, ada_id), (bob, _)] = people(&server).await;
    let mut socket = ada.socket().await;
    let fresh = ada.sign_in("ada@rooms.example.com", "correct horse battery").await;
    let refresh = |client: &Client| json!({ "type": "refresh", "token": client.token() });
    let done = socket.ask(&refresh(&fresh)).await;
    assert_eq!(done["type"], "refreshed", "{done}");
    assert!(done["expiresAt"].as_str() >= socket.connected["expiresAt"].as_str());
    assert_eq!(socket.ask(&refresh(&bob)).await["code"], "FORBIDDEN");
    assert_eq!(socket.ask(&json!({ "type": "refresh", "token": "nonsense" })).await["code"], "UNAUTHORIZED");
    let mut nobodys = server.client().socket().await;
    assert_eq!(nobodys.ask(&refresh(&ada)).await["code"], "FORBIDDEN");
    // The person is gone: so is their session, within a heartbeat.
    let tables = server.tables();
    let id = tables.literal(&ada_id.replace('-', ""));
    tables.run(&format!("DELETE FROM users WHERE id = {id}"));
    let closed = socket.closed().await;
    assert_eq!((closed.code, closed.reason.as_str()), (4401, "Session ended"));
    assert_eq!(closed.farewell.unwrap()["reconnect"], false);
    assert_eq!(nobodys.ask(&json!({ "type": "ping" })).await["type"], "pong");
}
