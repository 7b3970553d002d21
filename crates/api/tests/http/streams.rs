//! Live streams over HTTP: how many there may be, and whose.

use std::{net::SocketAddr, sync::Arc};

use actix_web::{
    body::{BoxBody, MessageBody as _},
    test::{self, TestRequest},
};
use domain::{access::change_role, identity::RoleChange, permission::Role};
use serde_json::Value;
use souk_api::PlaceSettings;

use crate::setup::{Door, Reply};

const PRODUCTS: &str = "/api/v1/events?topics=products";

fn door(most_open: usize, most_of_user: usize, most_of_address: usize) -> Door {
    let places = PlaceSettings { most_open, most_of_user, most_of_address };
    Door::with(|services| services.settings.streams.places = places)
}

/// Opens a stream, which stays open for as long as it is kept.
async fn opened(door: &Door, request: TestRequest) -> BoxBody {
    let drawn = souk_api::app::Drawn::of(&door.services);
    let app = test::init_service(souk_api::build(&door.services, &drawn)).await;
    let answer = test::call_service(&app, request.to_request()).await;
    assert_eq!(answer.status().as_u16(), 200);
    assert!(!answer.headers().contains_key("content-encoding"), "{:?}", answer.headers());
    answer.into_body()
}

fn refused(reply: &Reply, status: u16, code: &str) {
    assert_eq!((reply.status, reply.code().as_str(), reply.header("retry-after")), (status, code, "30"), "{reply:?}");
}

fn get(path: &str) -> TestRequest {
    TestRequest::get().uri(path)
}

#[actix_web::test]
async fn a_person_has_room_for_so_many_streams_and_gets_back_what_they_leave() {
    let door = door(10, 2, 1);
    let (ada, bob) = (door.person(Role::User).await, door.person(Role::User).await);
    let by = |who, path| get(path).insert_header(door.bearer(who));
    let first = opened(&door, by(&ada, PRODUCTS)).await;
    let second = opened(&door, by(&ada, "/events?topics=products")).await;
    for path in [PRODUCTS, "/events?topics=products"] {
        refused(&door.send(by(&ada, path)).await, 429, "RATE_LIMITED");
    }
    // In the form that is asked for.
    let problem = door.send(by(&ada, PRODUCTS).insert_header(("Accept", "application/problem+json"))).await;
    assert_eq!((problem.status, problem.header("content-type")), (429, "application/problem+json"));
    assert_eq!(problem.json()["detail"], "You have too many connections open");
    drop(opened(&door, by(&bob, PRODUCTS).insert_header(("Accept-Encoding", "gzip, br"))).await);
    drop(first);
    let third = opened(&door, by(&ada, PRODUCTS)).await;
    refused(&door.send(by(&ada, PRODUCTS)).await, 429, "RATE_LIMITED");
    drop((second, third));
    drop(opened(&door, by(&ada, PRODUCTS)).await);
}

#[actix_web::test]
async fn who_is_not_signed_in_is_counted_by_address() {
    let door = door(10, 1, 1);
    let from = |address: &str| get(PRODUCTS).peer_addr(SocketAddr::new(address.parse().unwrap(), 4000));
    let _first = opened(&door, from("192.0.2.1")).await;
    refused(&door.send(from("192.0.2.1")).await, 429, "RATE_LIMITED");
    let _second = opened(&door, from("192.0.2.2")).await;
    let _third = opened(&door, from("2001:db8::1")).await;
    refused(&door.send(from("2001:db8::2")).await, 429, "RATE_LIMITED");
    // Who signs in from there is somebody of their own.
    let ada = door.person(Role::User).await;
    drop(opened(&door, from("192.0.2.1").insert_header(door.bearer(&ada))).await);
}

#[actix_web::test]
async fn a_full_node_refuses_before_a_ticket_is_used_up() {
    let door = door(1, 0, 0);
    let ada = door.person(Role::User).await;
    let request = TestRequest::post().uri("/api/v1/events/tickets").insert_header(door.bearer(&ada));
    let ticket = door.send(request).await.json()["ticket"].as_str().unwrap().to_owned();
    let path = format!("{PRODUCTS}&ticket={ticket}");
    let held = opened(&door, get(PRODUCTS)).await;
    refused(&door.send(get(&path)).await, 503, "UNAVAILABLE");
    drop(held);
    drop(opened(&door, get(&path)).await);
    assert_eq!(door.send(get(&path)).await.status, 401);
}

#[actix_web::test]
async fn a_stream_looks_again_at_whom_it_belongs_to_before_it_tells_what_came_after() {
    let door = door(10, 10, 10);
    let admin = door.person(Role::Admin).await;
    let mut stream = opened(&door, get(PRODUCTS).insert_header(door.bearer(&admin))).await;
    assert!(next(&mut stream).await.starts_with("retry: "));
    let seller = door.seller().await;
    let draft =
        serde_json::json!({ "name": "Secret lamp", "description": "Warm", "price": 1, "stock": 1, "status": "draft" });
    let make = async |status: &str| {
        let mut body: Value = draft.clone();
        body["status"] = status.into();
        let made = door.post("/api/v1/products", &seller, &body).await;
        assert_eq!(made.status, 201, "{}", made.text);
        told(&door).await;
        made.json()["id"].as_str().unwrap().to_owned()
    };
    let seen = make("draft").await;
    assert!(next(&mut stream).await.contains(&seen));
    let email = door.services.users.profile(admin.user).await.unwrap().unwrap().user.email;
    // The last administrator would stay one.
    door.person(Role::Admin).await;
    change_role(&door.fixtures.shop, &email, RoleChange::Revoke, Role::Admin.name()).await.unwrap();
    make("draft").await;
    let shown = make("published").await;
    let heard = next(&mut stream).await;
    assert!(heard.contains(&shown) && heard.matches("data:").count() == 1, "{heard}");
}

/// Gives the listeners what stands in the log, as the feed does.
async fn told(door: &Door) {
    let (hub, feed) = (&door.services.streams.hub, &door.services.streams.feed);
    let page = feed.after(hub.last(), 100).await.unwrap();
    for numbered in &page {
        hub.heed(&numbered.event);
    }
    let last = page.last().map_or(0, |numbered| numbered.seq);
    let news = page.iter().filter_map(domain::realtime::Notice::of);
    let news: Vec<_> = news.map(|notice| Arc::new(souk_api::Told::new(notice))).collect();
    hub.deliver(&news, last);
}

/// The next piece of a stream.
async fn next(stream: &mut BoxBody) -> String {
    let piece = std::future::poll_fn(|context| std::pin::Pin::new(&mut *stream).poll_next(context)).await;
    String::from_utf8(piece.unwrap().unwrap().to_vec()).unwrap()
}
