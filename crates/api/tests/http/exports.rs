//! The archive of all that is kept of oneself over HTTP.

use std::sync::Arc;

use actix_web::{
    http::Method,
    test::{self, TestRequest},
};
use async_trait::async_trait;
use domain::{
    Principal, Result,
    id::{ExportId, UserId},
    identity::{
        FRESH,
        exports::{
            MakeExport, Maker, make_export,
            ports::{Pack, Packer, PersonalData},
        },
    },
    permission::Role,
    testing::PlainSealer,
};
use serde_json::{Value, json};

use crate::setup::{Door, Reply};

const PATH: &str = "/api/v1/users/me/exports";

async fn send(door: &Door, method: Method, path: &str, by: &Principal) -> Reply {
    door.send(TestRequest::default().method(method).uri(path).insert_header(door.bearer(by))).await
}

/// The whole of a body that comes in pieces.
async fn whole(door: &Door, path: &str, by: &Principal) -> String {
    let drawn = souk_api::app::Drawn::of(&door.services);
    let app = test::init_service(souk_api::build(&door.services, &drawn)).await;
    let request = TestRequest::get().uri(path).insert_header(door.bearer(by)).to_request();
    let body = test::read_body(test::call_service(&app, request).await).await;
    String::from_utf8(body.to_vec()).unwrap()
}

/// Enough rows that the archive is kept in more than one chunk.
struct Rows;

#[async_trait]
impl PersonalData for Rows {
    fn subjects(&self) -> Vec<&'static str> {
        vec!["rows"]
    }

    async fn rows(&self, _: UserId, _: &str, offset: u64, limit: u32) -> Result<Vec<Value>> {
        let end = 3_000.min(offset + u64::from(limit));
        Ok((offset..end).map(|n| json!({ "n": n, "text": "x".repeat(500) })).collect())
    }
}

struct Plain(Vec<u8>);

impl Packer for Plain {
    fn begin(&self) -> Result<Box<dyn Pack>> {
        Ok(Box::new(Plain(Vec::new())))
    }
}

impl Pack for Plain {
    fn file(&mut self, name: &str) -> Result<()> {
        self.write(name.as_bytes())
    }

    fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.0.extend(bytes);
        Ok(())
    }

    fn finish(self: Box<Self>) -> Result<Vec<u8>> {
        Ok(self.0)
    }
}

async fn make(door: &Door, id: &Value) {
    let (packer, room) = (Arc::new(Plain(Vec::new())), door.services.mailroom.clone());
    let maker = Maker { data: Arc::new(Rows), packer, sealer: Arc::new(PlainSealer), room };
    let export: ExportId = id.as_str().unwrap().parse().unwrap();
    make_export(&door.fixtures.shop, &maker, MakeExport { export }).await.unwrap();
}

#[actix_web::test]
async fn it_is_asked_for_made_taken_away_and_deleted() {
    let door = Door::new();
    let ada = door.person(Role::User).await;
    let asked = send(&door, Method::POST, PATH, &ada).await;
    assert_eq!(asked.status, 202, "{}", asked.text);
    let id = asked.json()["id"].clone();
    let own = format!("{PATH}/{}", id.as_str().unwrap());
    assert_eq!((asked.header("location"), &asked.json()["state"]), (own.as_str(), &json!("preparing")));
    let archive = format!("{own}/archive");
    for (method, path) in [(Method::POST, PATH), (Method::GET, archive.as_str())] {
        let early = send(&door, method, path, &ada).await;
        assert_eq!((early.status, early.code()), (409, "CONFLICT".to_owned()));
    }
    make(&door, &id).await;
    let ready = send(&door, Method::GET, &own, &ada).await;
    assert_eq!(
        (ready.status, &ready.json()["state"], ready.header("cache-control")),
        (200, &json!("ready"), "no-store")
    );
    let listed = send(&door, Method::GET, PATH, &ada).await.json();
    assert_eq!((&listed["total"], &listed["items"][0]), (&json!(1), &ready.json()));
    let taken = send(&door, Method::GET, &archive, &ada).await;
    assert_eq!((taken.status, taken.header("content-type")), (200, "application/zip"));
    assert_eq!(taken.header("cache-control"), "no-store");
    let name = format!("attachment; filename=\"{}.zip\"", id.as_str().unwrap());
    assert_eq!(taken.header("content-disposition"), name);
    let text = whole(&door, &archive, &ada).await;
    assert_eq!(json!(text.len()), ready.json()["bytes"]);
    assert!(text.len() > 1 << 20, "more than one chunk");
    assert!(text.starts_with("rows.json[\n") && text.contains("\"n\":2999,"));
    assert_eq!(send(&door, Method::DELETE, &own, &ada).await.status, 200);
    assert_eq!(send(&door, Method::DELETE, &own, &ada).await.status, 404);
    assert_eq!(send(&door, Method::GET, &archive, &ada).await.status, 404);
    let traces: Vec<_> = door.store.traces().into_iter().map(|(action, _)| action).collect();
    assert_eq!(traces, ["user.request_export", "user.make_export", "user.delete_export"]);
}

#[actix_web::test]
async fn it_is_for_nobody_else_and_asks_for_a_fresh_proof() {
    let door = Door::new();
    let (ada, eve) = (door.person(Role::User).await, door.person(Role::Admin).await);
    let id = send(&door, Method::POST, PATH, &ada).await.json()["id"].clone();
    make(&door, &id).await;
    let (own, unknown) = (format!("{PATH}/{}", id.as_str().unwrap()), format!("{PATH}/{}", ada.user));
    for (method, end) in [(Method::GET, ""), (Method::GET, "/archive"), (Method::DELETE, "")] {
        let theirs = send(&door, method.clone(), &format!("{own}{end}"), &eve).await;
        let nobodys = send(&door, method, &format!("{unknown}{end}"), &eve).await;
        let message = |reply: &Reply| (reply.status, reply.json()["error"]["message"].clone());
        assert_eq!(message(&theirs), (404, json!("Data export not found")));
        assert_eq!(message(&theirs), message(&nobodys), "nobody learns that it is there");
    }
    assert_eq!(door.send(TestRequest::get().uri(&own)).await.status, 401);
    door.fixtures.clock.advance(FRESH);
    door.services.known.heard(door.fixtures.shop.now());
    for (method, path) in [(Method::POST, PATH.to_owned()), (Method::GET, format!("{own}/archive"))] {
        let stale = send(&door, method, &path, &ada).await;
        assert_eq!(stale.status, 403, "{}", stale.text);
    }
    assert_eq!(send(&door, Method::GET, &own, &ada).await.status, 200);
}
