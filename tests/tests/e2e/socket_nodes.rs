//! Rooms and presence over several nodes, with Redis and with PostgreSQL alone.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use souk_e2e::{Client, Cluster, Database, Events, RedisServer, Socket};

use crate::{
    shop,
    sockets::{comes, contents, people, room, says},
};

/// One test with Redis and one without.
macro_rules! over_nodes {
    ($($case:ident),+ $(,)?) => {
        mod redis {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $case() { super::$case(souk_e2e::Database::postgres()).await; })+
        }
        mod postgres_alone {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $case() { super::$case(souk_e2e::Database::postgres_with(None)).await; })+
        }
    };
}

over_nodes!(
    messages_and_people_are_told_over_nodes,
    the_people_of_a_killed_node_leave_once,
    who_changes_the_node_misses_nothing,
    order_is_kept_over_nodes,
    who_is_banned_or_muted_on_one_node_is_so_on_the_other,
    who_is_no_administrator_any_more_hears_no_more_than_others,
);

/// Presence that does not take long to notice.
const QUICK: [(&str, &str); 3] =
    [("SOUK__SOCKETS__PRESENCE_MS", "1000"), ("SOUK__LIMITS__WS_MESSAGES", "off"), ("SOUK__LIMITS__WS_FRAMES", "off")];

fn join(room: &str) -> Value {
    json!({ "type": "join_room", "room": room })
}

async fn there(client: &Client, cluster: &Cluster, node: usize) -> Socket {
    client.at(cluster.nodes[node].url()).socket().await
}

async fn messages_and_people_are_told_over_nodes(database: Database) {
    let cluster = Cluster::start(database, 2, &QUICK).await;
    let [(ada, ada_id), (bob, bob_id)] = people(&cluster.nodes[0]).await;
    room(&ada, "lamps", "public").await;
    let mut hers = there(&ada, &cluster, 0).await;
    hers.ask(&join("lamps")).await;
    let mut his = there(&bob, &cluster, 1).await;
    let came = hers.wait_for(|told| comes(told, &bob_id)).await;
    assert_eq!(came["memberCount"], 2);
    let joined = his.ask(&join("lamps")).await;
    assert_eq!(joined["memberCount"], 2);
    assert!(joined["members"].as_array().unwrap().contains(&json!(ada_id)), "{joined}");
    assert_eq!(hers.wait("member_joined").await["userId"], json!(bob_id));
    // The same person on the other node is nobody new.
    let mut also_his = there(&bob, &cluster, 0).await;
    assert_eq!(also_his.ask(&join("lamps")).await["memberCount"], 2);
    for number in 1..=20 {
        let (speaks, listens) = if number % 2 == 0 { (&mut hers, &mut his) } else { (&mut his, &mut hers) };
        let content = format!("{number} {}", if number % 5 == 0 { "é".repeat(4000 - 10) } else { String::new() });
        assert_eq!(speaks.ask(&says("lamps", &content)).await["offset"], number);
        listens.wait_for(|told| told["offset"] == number && told["type"] == "message").await;
    }
    hers.say(&json!({ "type": "typing", "room": "lamps" })).await;
    assert_eq!(his.wait("typing").await["userId"], json!(ada_id));
    his.cut();
    hers.ask(&says("lamps", "still two")).await;
    assert!(hers.all("member_left").await.is_empty());
    also_his.cut();
    let left = hers.wait("member_left").await;
    assert_eq!((&left["userId"], &left["memberCount"]), (&json!(bob_id), &json!(1)));
    assert!(hers.all("member_joined").await.is_empty());
}

async fn the_people_of_a_killed_node_leave_once(database: Database) {
    let mut cluster = Cluster::start(database, 3, &QUICK).await;
    let [(ada, _), (bob, bob_id)] = people(&cluster.nodes[0]).await;
    room(&ada, "lamps", "public").await;
    let mut hers = there(&ada, &cluster, 0).await;
    let mut also_hers = there(&ada, &cluster, 1).await;
    let (mut his, mut hers_there) = (there(&bob, &cluster, 2).await, there(&ada, &cluster, 2).await);
    for socket in [&mut hers, &mut also_hers, &mut his, &mut hers_there] {
        socket.ask(&join("lamps")).await;
    }
    hers.wait("member_joined").await;
    cluster.nodes[2].kill();
    let killed = Instant::now();
    for socket in [&mut hers, &mut also_hers] {
        let left = socket.wait("member_left").await;
        assert_eq!((&left["userId"], &left["memberCount"]), (&json!(bob_id), &json!(1)));
    }
    // Two heartbeats of a second; what a machine that runs other tests takes besides.
    assert!(killed.elapsed() < Duration::from_secs(2) + Duration::from_secs(3), "{:?}", killed.elapsed());
    let gone = hers.wait_for(|told| told["type"] == "user_left").await;
    assert_eq!((&gone["userId"], &gone["memberCount"]), (&json!(bob_id), &json!(1)));
    // Once, and she is still there on the others.
    hers.ask(&says("lamps", "after it")).await;
    also_hers.wait("message").await;
    for socket in [&mut hers, &mut also_hers] {
        assert!(socket.all("member_left").await.is_empty());
    }
    let joined = there(&bob, &cluster, 1).await.ask(&join("lamps")).await;
    assert_eq!(joined["memberCount"], 2);
    assert_eq!(hers.wait("member_joined").await["userId"], json!(bob_id));
}

async fn who_changes_the_node_misses_nothing(database: Database) {
    let cluster = Cluster::start(database, 2, &QUICK).await;
    let [(ada, _), (bob, _)] = people(&cluster.nodes[0]).await;
    room(&ada, "lamps", "public").await;
    let speaking = {
        let mut speakers = [there(&ada, &cluster, 0).await, there(&bob, &cluster, 1).await];
        async move {
            for number in 0..300 {
                let ack = speakers[number % 2].ask(&says("lamps", &number.to_string())).await;
                assert_eq!(ack["type"], "ack", "{ack}");
            }
        }
    };
    let listening = async {
        let (mut last, mut epoch, mut told) = (0_u64, None::<Value>, Vec::new());
        for cut in 0_usize.. {
            let mut socket = there(&cluster.nodes[0].client(), &cluster, cut % 2).await;
            let mut asked = join("lamps");
            asked["offset"] = json!(last);
            if let Some(epoch) = &epoch {
                asked["epoch"] = epoch.clone();
            }
            let joined = socket.ask(&asked).await;
            assert_eq!(joined["resumed"], true, "{joined}");
            epoch = Some(joined["epoch"].clone());
            for _ in 0..(7 + cut % 5) {
                let message = socket.wait("message").await;
                assert_eq!(message["offset"], last + 1, "in order, each once");
                last += 1;
                told.push(message);
                if last == 300 {
                    return told;
                }
            }
            socket.cut();
        }
        told
    };
    let ((), told) = tokio::join!(speaking, listening);
    let mut numbers: Vec<u32> = contents(&told).iter().map(|content| content.parse().unwrap()).collect();
    numbers.sort_unstable();
    assert_eq!(numbers, (0..300).collect::<Vec<_>>());
}

async fn order_is_kept_over_nodes(database: Database) {
    let cluster = Cluster::start(database, 2, &QUICK).await;
    let [(ada, _), (bob, bob_id)] = people(&cluster.nodes[0]).await;
    let id = room(&ada, "lamps", "public").await;
    let mut his = there(&bob, &cluster, 1).await;
    his.ask(&join("lamps")).await;
    let ban = format!("/api/v1/rooms/{id}/bans/{bob_id}");
    ada.put(&ban, &json!({})).await.expect(200);
    assert_eq!(his.wait("room_left").await["reason"], "banned");
    ada.delete(&ban).await.expect(200);
    his.ask(&join("lamps")).await;
    let mut hers = there(&ada, &cluster, 0).await;
    hers.ask(&says("lamps", "Oh")).await;
    his.wait("message").await;
    ada.delete(&format!("/api/v1/rooms/{id}/messages/1")).await.expect(200);
    assert_eq!(his.wait("message_deleted").await["offset"], 1);
    ada.delete(&format!("/api/v1/rooms/{id}")).await.expect(200);
    assert_eq!(his.wait("room_left").await["reason"], "deleted");
}

async fn who_is_banned_or_muted_on_one_node_is_so_on_the_other(database: Database) {
    let cluster = Cluster::start(database, 2, &QUICK).await;
    let [(ada, _), (bob, bob_id)] = people(&cluster.nodes[0]).await;
    let id = room(&ada, "lamps", "public").await;
    // She moderates over the first node. He has a connection to each.
    let mut hers = there(&ada, &cluster, 0).await;
    hers.ask(&join("lamps")).await;
    let mut his = [there(&bob, &cluster, 0).await, there(&bob, &cluster, 1).await];
    for socket in &mut his {
        socket.ask(&join("lamps")).await;
    }
    let (ban, mute) = (format!("/api/v1/rooms/{id}/bans/{bob_id}"), format!("/api/v1/rooms/{id}/mutes/{bob_id}"));
    let until = json!({ "until": "2099-01-01T00:00:00Z" });

    ada.put(&mute, &until).await.expect(200);
    for socket in &mut his {
        let refused = socket.ask(&says("lamps", "But")).await;
        assert_eq!(refused["message"], "You are muted in this room until 2099-01-01T00:00:00Z");
    }
    hers.ask(&says("lamps", "Silence")).await;
    for socket in &mut his {
        assert_eq!(socket.wait("message").await["content"], "Silence", "who is muted listens");
    }
    ada.delete(&mute).await.expect(200);
    for socket in &mut his {
        assert_eq!(socket.ask(&says("lamps", "Thanks")).await["type"], "ack");
    }

    ada.put(&ban, &until).await.expect(200);
    let banned = Instant::now();
    for socket in &mut his {
        assert_eq!(socket.wait("room_left").await["reason"], "banned");
    }
    assert!(banned.elapsed() < Duration::from_secs(3), "at once: {:?}", banned.elapsed());
    assert_eq!(hers.wait("member_left").await["userId"], json!(bob_id));
    let refusal = "You are banned from this room until 2099-01-01T00:00:00Z";
    for (node, his) in his.iter_mut().enumerate() {
        let mut fresh = there(&bob, &cluster, node).await;
        for socket in [his, &mut fresh] {
            for asked in [join("lamps"), says("lamps", "But"), json!({ "type": "history", "room": "lamps" })] {
                assert_eq!(socket.ask(&asked).await["message"], refusal, "{asked}");
            }
        }
        let at = bob.at(cluster.nodes[node].url());
        at.get(&format!("/api/v1/rooms/{id}/messages")).await.error(403, "FORBIDDEN");
    }
    hers.ask(&says("lamps", "Peace")).await;
    ada.delete(&ban).await.expect(200);
    for socket in &mut his {
        assert!(socket.all("message").await.iter().all(|told| told["content"] != "Peace"), "it was not for him");
        assert_eq!(socket.ask(&join("lamps")).await["type"], "room_joined");
        assert_eq!(socket.ask(&says("lamps", "Sorry")).await["type"], "ack");
    }
}

fn role(cluster: &Cluster, verb: &str, email: &str) {
    let (status, printed) = cluster.nodes[0].run_command(&["user", verb, "--email", email, "--role", "admin"]);
    assert!(status.success() && printed.contains(email), "{printed}: {}", cluster.nodes[0].log());
}

async fn who_is_no_administrator_any_more_hears_no_more_than_others(database: Database) {
    // Connections look by themselves every 30 seconds: what is seen here came by the log.
    let cluster = Cluster::start(database, 2, &QUICK).await;
    let [(ada, _), (bob, bob_id)] = people(&cluster.nodes[0]).await;
    let secret = room(&ada, "secret", "private").await;
    let shared = room(&ada, "shared", "private").await;
    let (_, calm) = (room(&ada, "open", "public").await, room(&ada, "calm", "public").await);
    ada.put(&format!("/api/v1/rooms/{shared}/members/{bob_id}"), &json!({ "role": "member" })).await.expect(200);
    let ban = json!({ "until": "2099-01-01T00:00:00Z" });
    ada.put(&format!("/api/v1/rooms/{calm}/bans/{bob_id}"), &ban).await.expect(200);

    let mut hers = there(&ada, &cluster, 0).await;
    let mut his = [there(&bob, &cluster, 0).await, there(&bob, &cluster, 1).await];
    assert_eq!(his[1].ask(&join("secret")).await["code"], "NOT_FOUND");
    role(&cluster, "grant", "bob@rooms.example.com");
    let until = Instant::now() + Duration::from_secs(20);
    for socket in &mut his {
        while socket.ask(&join("secret")).await["type"] != "room_joined" {
            assert!(Instant::now() < until, "an administrator may be everywhere");
        }
        for name in ["shared", "open", "calm"] {
            assert_eq!(socket.ask(&join(name)).await["type"], "room_joined", "{name}");
        }
        socket.ask(&json!({ "type": "subscribe", "topics": ["products"] })).await;
    }
    let mut streams = Vec::new();
    for node in &cluster.nodes {
        let request = bob.at(node.url()).request("GET", "/api/v1/events?topics=products");
        streams.push(Events::open(request).await);
    }
    let seller = cluster.nodes[0].signed_in("seller").await;
    let make = async |name: &str, status: &str| {
        let mut body = shop::lamp();
        (body["name"], body["status"]) = (json!(name), json!(status));
        shop::create(&seller, &body).await["id"].clone()
    };
    let draft = make("Draft lamp", "draft").await;
    for (socket, events) in his.iter_mut().zip(&mut streams) {
        assert_eq!(socket.wait("product.created").await["productId"], draft);
        assert_eq!(events.told().await.data.unwrap()["productId"], draft);
    }
    hers.ask(&join("secret")).await;

    role(&cluster, "revoke", "bob@rooms.example.com");
    let revoked = Instant::now();
    for socket in &mut his {
        let mut left = [socket.wait("room_left").await, socket.wait("room_left").await];
        left.sort_by_key(|one| one["room"].to_string());
        let left = left.map(|one| (one["room"].clone(), one["reason"].clone()));
        assert_eq!(left, [(json!("calm"), json!("banned")), (json!("secret"), json!("removed"))]);
    }
    assert!(revoked.elapsed() < Duration::from_secs(5), "{:?}", revoked.elapsed());
    assert_eq!(hers.wait("member_left").await["userId"], json!(bob_id));
    make("Another draft", "draft").await;
    let shown = make("Shown lamp", "published").await;
    for name in ["secret", "shared", "open"] {
        hers.ask(&join(name)).await;
        assert_eq!(hers.ask(&says(name, name)).await["type"], "ack");
    }
    for (socket, events) in his.iter_mut().zip(&mut streams) {
        // Of two rooms either may be heard first.
        let mut heard =
            [socket.wait("message").await, socket.wait("message").await].map(|one| one["content"].to_string());
        heard.sort();
        assert_eq!(heard, ["\"open\"", "\"shared\""], "where he may be he stayed");
        assert_eq!(socket.wait("product.created").await["productId"], shown, "the draft is not for him");
        assert_eq!(events.told().await.data.unwrap()["productId"], shown);
        assert_eq!(socket.ask(&join("secret")).await["code"], "NOT_FOUND");
        assert_eq!(socket.ask(&join("calm")).await["code"], "FORBIDDEN");
    }
    // Whoever looks who may be in a room takes him for what he is now.
    ada.delete(&format!("/api/v1/rooms/{shared}/members/{bob_id}")).await.expect(200);
    for socket in &mut his {
        let left = socket.wait("room_left").await;
        assert_eq!((&left["room"], &left["reason"]), (&json!("shared"), &json!("removed")));
    }
    drop(secret);
}

#[tokio::test(flavor = "multi_thread")]
async fn rooms_go_on_while_redis_is_away() {
    let mut redis = RedisServer::start();
    let mut settings = QUICK.to_vec();
    settings.push(("SOUK__REDIS__RESPONSE_TIMEOUT_MS", "500"));
    let cluster = Cluster::start(Database::postgres_with(Some(redis.corner())), 2, &settings).await;
    let [(ada, _), (bob, bob_id)] = people(&cluster.nodes[0]).await;
    room(&ada, "lamps", "public").await;
    let (mut hers, mut his) = (there(&ada, &cluster, 0).await, there(&bob, &cluster, 1).await);
    hers.ask(&join("lamps")).await;
    his.ask(&join("lamps")).await;
    hers.wait("member_joined").await;
    redis.stop();
    for number in 1..=5 {
        assert_eq!(hers.ask(&says("lamps", &number.to_string())).await["offset"], number);
        let told = his.wait("message").await;
        assert_eq!(told["offset"], number, "through the database");
    }
    // Who comes meanwhile is told of those on their node.
    let mut nobodys = there(&cluster.nodes[0].client(), &cluster, 0).await;
    assert_eq!(nobodys.ask(&join("lamps")).await["memberCount"], 1);
    redis.again();
    // Both nodes enter their people again. Nobody left meanwhile, and nobody is told that somebody came.
    counted(&mut hers, 2).await;
    assert!(hers.all("member_joined").await.is_empty() && hers.all("member_left").await.is_empty());
    his.cut();
    counted(&mut hers, 1).await;
    let mut socket = there(&bob, &cluster, 1).await;
    assert_eq!(socket.ask(&join("lamps")).await["members"].as_array().unwrap().len(), 2, "{bob_id} came back");
}

/// Waits until so many are in the room, both by what a new connection is told and by what this one was.
async fn counted(socket: &mut Socket, wanted: u64) {
    let until = Instant::now() + Duration::from_secs(20);
    let mut told = 2;
    loop {
        for kind in ["room_members", "member_left"] {
            let of_lamps = |message: &Value| message["room"] == "lamps";
            let last = socket.all(kind).await.into_iter().rfind(of_lamps);
            told = last.map_or(told, |last| last["memberCount"].as_u64().unwrap());
        }
        if told == wanted && socket.ask(&join("lamps")).await["memberCount"] == wanted {
            return;
        }
        assert!(Instant::now() < until, "{told} were told of, not {wanted}");
    }
}
