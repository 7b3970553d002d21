//! What is asked again in the same words: answered ahead of the application, and not told from what it answers.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    time::Duration,
};

use actix_http::{Request, Response};
use actix_web::{
    Error,
    body::BoxBody,
    dev::{AppConfig, Service, ServiceFactory},
    test::TestRequest,
};
use async_trait::async_trait;
use domain::{
    Principal, Result,
    access::change_role,
    cache::{self, Cache, Key, Lead, Looked, Policy, Tag},
    catalog::Product,
    clock::Timestamp,
    event::{Entity, Event},
    id::EventId,
    identity::RoleChange,
    limit,
    permission::Role,
    relay::Numbered,
};
use serde_json::{Value, json};
use souk_api::{LimitRule, LimitScope};
use uuid::Uuid;

use crate::setup::{Door, Reply};

/// Keeps everything until it is told that something is old, and counts how it is asked.
#[derive(Clone, Default)]
struct Plain {
    kept: Arc<Mutex<HashMap<Arc<str>, Arc<cache::Entry>>>>,
    /// Looks, and glances that found something.
    asked: Arc<(AtomicU32, AtomicU32)>,
    /// Whether glances never end.
    is_stuck: Arc<AtomicBool>,
}

impl Plain {
    fn asked(&self) -> (u32, u32) {
        (self.asked.0.swap(0, Ordering::SeqCst), self.asked.1.swap(0, Ordering::SeqCst))
    }
}

#[async_trait]
impl Cache for Plain {
    async fn look(&self, key: &Key, _: Policy) -> Looked {
        self.asked.0.fetch_add(1, Ordering::SeqCst);
        let (kept, text) = (Arc::clone(&self.kept), Arc::clone(&key.text));
        if let Some(entry) = kept.lock().unwrap().get(&text) {
            return Looked::Hit(Arc::clone(entry));
        }
        Looked::Miss(Lead::new(move |entry| drop(kept.lock().unwrap().insert(text, entry))))
    }

    async fn glance(&self, key: &Key) -> Option<Arc<cache::Entry>> {
        if self.is_stuck.load(Ordering::SeqCst) {
            std::future::pending::<()>().await;
        }
        let found = self.kept.lock().unwrap().get(&key.text).cloned()?;
        self.asked.1.fetch_add(1, Ordering::SeqCst);
        Some(found)
    }

    async fn invalidate(&self, _: &[Tag], _: &[EventId]) -> Result<()> {
        self.kept.lock().unwrap().clear();
        Ok(())
    }

    async fn resume(&self, last: u64) -> u64 {
        last
    }

    async fn resumed(&self) {}

    async fn follow(&self, _: &[Numbered]) {}
}

/// A worker of a server.
struct Worker<S> {
    door: Door,
    cache: Plain,
    service: S,
}

async fn worker(
    limits: impl IntoIterator<Item = LimitRule>,
) -> Worker<impl Service<Request, Response = Response<BoxBody>, Error = Error>> {
    let (cache, limits) = (Plain::default(), Vec::from_iter(limits));
    let kept = cache.clone();
    let door = Door::with(move |services| {
        services.cache = Arc::new(kept);
        services.settings.limits = limits;
    });
    let drawn = souk_api::app::Drawn::of(&door.services);
    let service = souk_api::serve(&door.services, &drawn).new_service(AppConfig::default()).await.unwrap();
    Worker { door, cache, service }
}

impl<S: Service<Request, Response = Response<BoxBody>, Error = Error>> Worker<S> {
    async fn send(&self, request: TestRequest) -> Reply {
        Reply::of(self.service.call(request.to_request()).await.unwrap()).await
    }

    async fn get(&self, path: &str, by: Option<&Principal>) -> Reply {
        self.send(self.asks(path, by, &[])).await
    }

    fn asks(&self, path: &str, by: Option<&Principal>, headers: &[(&str, &str)]) -> TestRequest {
        let request = TestRequest::get().uri(path);
        let request = by.into_iter().fold(request, |request, by| request.insert_header(self.door.bearer(by)));
        headers.iter().fold(request, |request, header| request.insert_header(*header))
    }

    async fn lamp(&self, name: &str) -> Product {
        let seller = self.door.seller().await.seller.unwrap();
        let name = name.to_owned();
        self.door.fixtures.stored_product(seller, |product| product.name = name.parse().unwrap()).await
    }
}

fn at(product: &Product) -> String {
    format!("/api/v1/products/{}", product.id)
}

/// All of an answer that is not of its own moment.
fn told(reply: &Reply) -> (u16, BTreeMap<String, Vec<String>>, String) {
    let mut headers: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (name, value) in &reply.headers {
        headers.entry(name.to_string()).or_default().push(value.to_str().unwrap().to_owned());
    }
    for own in ["x-request-id", "server-timing", "ratelimit", "ratelimit-remaining"] {
        headers.remove(own);
    }
    (reply.status, headers, reply.text.clone())
}

fn rule(limit: u32, patience: Duration) -> LimitRule {
    let policy = limit::Policy { name: "each".into(), limit, window: Duration::from_mins(1), patience };
    LimitRule { applies_to: vec!["get_product".to_owned()], scope: LimitScope::Actor, policy }
}

#[actix_web::test]
async fn what_is_asked_again_is_answered_as_before_in_every_header() {
    let worker = worker([rule(1000, Duration::ZERO)]).await;
    let lamp = worker.lamp("Lamp").await;
    for number in 0..30 {
        worker.lamp(&format!("Lamp {number}")).await;
    }
    let (buyer, seller) = (worker.door.person(Role::User).await, worker.door.seller().await);
    let tag = worker.get(&at(&lamp), None).await.header("etag").to_owned();
    worker.cache.asked();
    let list = "/api/v1/products?limit=30&sortBy=price";
    for by in [None, Some(&buyer), Some(&seller)] {
        for (path, headers) in [
            (at(&lamp), vec![]),
            (at(&lamp), vec![("If-None-Match", tag.as_str())]),
            (at(&lamp), vec![("If-None-Match", "\"other\""), ("Accept-Encoding", "gzip")]),
            (at(&lamp), vec![("X-Request-Id", "mine"), ("Accept", "text/html")]),
            (list.to_owned(), vec![]),
            (list.to_owned(), vec![("Accept-Encoding", "gzip")]),
            (list.to_owned(), vec![("Accept-Encoding", "br"), ("Cookie", "theme=dark")]),
        ] {
            // By the application at first, unless it was asked with other headers that make no difference.
            let first = worker.send(worker.asks(&path, by, &headers)).await;
            worker.cache.asked();
            let again = worker.send(worker.asks(&path, by, &headers)).await;
            assert_eq!(worker.cache.asked(), (0, 1), "{path} {headers:?}");
            assert_eq!(told(&again), told(&first), "{path} {headers:?}");
            // What the application says, when it is asked the whole way.
            let whole = worker.send(worker.asks(&path, by, &headers).insert_header(("Souk-Seller", ""))).await;
            if by.is_none() {
                assert_eq!((told(&whole), worker.cache.asked()), (told(&again), (1, 0)), "{path} {headers:?}");
            }
            for name in ["x-request-id", "server-timing", "content-security-policy", "vary", "cache-control", "etag"] {
                assert!(!again.header(name).is_empty(), "{name}");
            }
        }
    }
    let mine = worker.send(worker.asks(&at(&lamp), None, &[("X-Request-Id", "mine")])).await;
    assert_eq!(mine.header("x-request-id"), "mine");
    let seen = worker.door.seen.0.lock().unwrap().iter().filter(|view| view.product == lamp.id).count();
    assert_eq!(seen, 2 * 4 * 2, "each time by somebody, and not where they are refused");
}

#[actix_web::test]
async fn who_may_know_of_something_else_is_answered_something_else() {
    let worker = worker([]).await;
    let seller = worker.door.seller().await;
    let draft = worker.door.fixtures.stored_product(seller.seller.unwrap(), |product| {
        product.status = domain::catalog::ProductStatus::Draft;
    });
    let (draft, buyer) = (draft.await, worker.door.person(Role::User).await);
    for _ in 0..3 {
        assert_eq!(worker.get(&at(&draft), Some(&seller)).await.status, 200);
        assert_eq!(worker.get(&at(&draft), None).await.status, 404);
        assert_eq!(worker.get(&at(&draft), Some(&buyer)).await.status, 404);
        let drafts = "/api/v1/products?status=draft";
        assert_eq!(worker.get(drafts, Some(&seller)).await.json()["total"], 1);
        assert_eq!(worker.get(drafts, Some(&buyer)).await.json()["total"], 0);
        assert_eq!(worker.get(drafts, None).await.status, 401);
    }
}

/// An event of a thing, as it is heard of.
fn event(kind: &str, entity: (&'static str, Uuid), payload: Value) -> Event {
    let (id, entity) = (EventId(Uuid::from_u128(9)), Entity::new(entity.0, entity.1));
    Event { id, kind: kind.to_owned(), entity, actor: None, at: Timestamp::UNIX_EPOCH, payload }
}

#[actix_web::test]
async fn who_called_a_moment_ago_is_looked_at_again_after_any_change() {
    let worker = worker([]).await;
    let known = Arc::clone(&worker.door.services.known);
    let (lamp, seller) = (worker.lamp("Lamp").await, worker.door.seller().await);
    let draft = worker.door.fixtures.stored_product(seller.seller.unwrap(), |product| {
        product.status = domain::catalog::ProductStatus::Draft;
    });
    let draft = at(&draft.await);
    let statuses = async |by: &Principal| {
        let mut statuses = Vec::new();
        for path in [&at(&lamp), &draft] {
            statuses.push(worker.get(path, Some(by)).await.status);
        }
        statuses
    };
    for _ in 0..3 {
        assert_eq!(statuses(&seller).await, [200, 200]);
    }
    // Whose session has ended is nobody from that moment on.
    let ended = json!({ "sessionId": seller.user, "userId": seller.user, "tokensUntil": "2100-01-01T00:00:00Z" });
    assert!(known.heed(&event("session.ended", ("session", seller.user.0), ended)));
    for _ in 0..2 {
        assert_eq!(statuses(&seller).await, [200, 404]);
        let refused = worker.get(&at(&lamp), Some(&seller)).await;
        assert!(refused.header("www-authenticate").contains("invalid_token"));
    }
    // Whose role was taken may not know of what it showed them.
    let admin = worker.door.person(Role::Admin).await;
    for _ in 0..3 {
        assert_eq!(statuses(&admin).await, [200, 200]);
    }
    let email = worker.door.services.users.profile(admin.user).await.unwrap().unwrap().user.email;
    worker.door.person(Role::Admin).await;
    change_role(&worker.door.fixtures.shop, &email, RoleChange::Revoke, Role::Admin.name()).await.unwrap();
    known.heed(&event("user.role_revoked", ("user", admin.user.0), json!({ "userId": admin.user })));
    assert_eq!(statuses(&admin).await, [200, 404]);
}

#[actix_web::test]
async fn who_called_a_moment_ago_is_nobody_once_their_token_has_ended_or_no_news_come() {
    let worker = worker([]).await;
    let (door, seller) = (&worker.door, worker.door.seller().await);
    let draft = door.fixtures.stored_product(seller.seller.unwrap(), |product| {
        product.status = domain::catalog::ProductStatus::Draft;
    });
    let path = at(&draft.await);
    let bearer = door.bearer(&seller);
    let status = async || {
        let request = TestRequest::get().uri(&path).insert_header(bearer.clone());
        worker.send(request).await.status
    };
    // Within a second, and after more than one.
    for wait in [0, 1, 900, 1500] {
        door.fixtures.clock.advance(Duration::from_millis(wait));
        assert_eq!(status().await, 200);
    }
    door.services.known.heard(door.fixtures.shop.now() - chrono::TimeDelta::seconds(31));
    assert_eq!(status().await, 404, "nothing was heard of the log");
    door.services.known.heard(door.fixtures.shop.now());
    assert_eq!(status().await, 200);
    // Which the token outlives by half a second.
    door.fixtures.clock.advance(Duration::from_mins(5) - Duration::from_millis(2901));
    door.services.known.heard(door.fixtures.shop.now());
    assert_eq!(status().await, 200);
    door.fixtures.clock.advance(Duration::from_millis(600));
    assert_eq!(status().await, 404);
}

#[actix_web::test]
async fn a_change_is_seen_and_what_is_gone_is_gone() {
    let worker = worker([]).await;
    let seller = worker.door.seller().await;
    let body = serde_json::json!({ "name": "Lamp", "price": 5 });
    let path = worker.door.post("/api/v1/products", &seller, &body).await.header("location").to_owned();
    for _ in 0..3 {
        assert_eq!(worker.get(&path, None).await.json()["name"], "Lamp");
    }
    let change = TestRequest::patch().uri(&path).set_json(serde_json::json!({ "name": "Tall lamp" }));
    assert_eq!(worker.send(change.insert_header(worker.door.bearer(&seller))).await.status, 200);
    worker.cache.invalidate(&[], &[]).await.unwrap();
    for _ in 0..3 {
        assert_eq!(worker.get(&path, None).await.json()["name"], "Tall lamp");
    }
    let removal = TestRequest::delete().uri(&path).insert_header(worker.door.bearer(&seller));
    assert_eq!(worker.send(removal).await.status, 200);
    worker.cache.invalidate(&[], &[]).await.unwrap();
    for _ in 0..3 {
        assert_eq!(worker.get(&path, None).await.status, 404);
    }
}

#[actix_web::test]
async fn each_is_counted_once_and_too_many_are_refused_or_wait() {
    let worker = worker([rule(3, Duration::ZERO)]).await;
    let lamp = worker.lamp("Lamp").await;
    for left in ["2", "1", "0"] {
        let reply = worker.get(&at(&lamp), None).await;
        assert_eq!((reply.status, reply.header("ratelimit-remaining")), (200, left));
    }
    let refused = worker.get(&at(&lamp), None).await;
    assert_eq!((refused.status, refused.header("retry-after")), (429, "2"));
    assert_eq!((refused.code(), refused.header("ratelimit-remaining")), ("RATE_LIMITED".to_owned(), "0"));

    // Also by an address, whoever calls from it.
    let by_address = LimitRule { scope: LimitScope::Address, ..rule(3, Duration::ZERO) };
    let worker = self::worker([by_address]).await;
    let (lamp, buyer) = (worker.lamp("Lamp").await, worker.door.person(Role::User).await);
    for (by, status) in [(None, 200), (Some(&buyer), 200), (None, 200), (None, 429), (Some(&buyer), 429)] {
        assert_eq!(worker.get(&at(&lamp), by).await.status, status);
    }

    let worker = self::worker([rule(1, Duration::from_millis(50))]).await;
    let lamp = worker.lamp("Lamp").await;
    for wait in [0, 50, 50] {
        let began = worker.door.fixtures.shop.now();
        assert_eq!(worker.get(&at(&lamp), None).await.status, 200);
        assert_eq!(worker.door.fixtures.shop.now() - began, chrono::TimeDelta::milliseconds(wait));
    }
}

#[actix_web::test]
async fn what_is_not_known_before_long_is_asked_of_the_application() {
    let worker = worker([]).await;
    let lamp = worker.lamp("Lamp").await;
    for stuck in [false, false, true] {
        worker.cache.is_stuck.store(stuck, Ordering::SeqCst);
        worker.cache.asked();
        assert_eq!(worker.get(&at(&lamp), None).await.status, 200);
    }
    assert_eq!(worker.cache.asked(), (1, 0));
}

#[actix_web::test]
async fn no_questions_of_many_words_are_kept() {
    let worker = worker([]).await;
    worker.lamp("Lamp").await;
    for (words, kept) in [("x".repeat(1500), 1), ("x".repeat(2500), 0)] {
        let list = format!("/api/v1/products?search={words}");
        let replies = [worker.get(&list, None).await, worker.get(&list, None).await];
        assert!(replies.iter().all(|reply| reply.status == 200), "{}", replies[0].text);
        assert_eq!(
            (worker.cache.asked(), worker.cache.kept.lock().unwrap().drain().count()),
            ((kept, kept), usize::try_from(kept).unwrap())
        );
    }
}

#[actix_web::test]
async fn whatever_is_unusual_goes_the_whole_way() {
    let worker = worker([]).await;
    let (lamp, buyer) = (worker.lamp("Lamp").await, worker.door.person(Role::User).await);
    for by in [None, Some(&buyer)] {
        worker.get(&at(&lamp), by).await;
    }
    worker.cache.asked();
    for (status, request) in [
        (200, worker.asks(&at(&lamp), None, &[("Origin", "https://shop.example")])),
        (200, worker.asks(&at(&lamp), None, &[("Authorization", "Bearer not-a-token")])),
        (200, worker.asks(&at(&lamp), None, &[("Authorization", "Basic eDp5")])),
        (403, worker.asks(&at(&lamp), Some(&buyer), &[("Souk-Seller", "01890000-0000-7000-8000-000000000000")])),
        (
            200,
            worker
                .asks(&at(&lamp), None, &[])
                .append_header(("Accept-Encoding", "br"))
                .append_header(("Accept-Encoding", "gzip")),
        ),
        (200, worker.asks(&at(&lamp), None, &[]).method(actix_web::http::Method::HEAD)),
        (405, worker.asks(&at(&lamp), None, &[]).method(actix_web::http::Method::PUT)),
        (400, worker.asks(&format!("{}?unheard=1", at(&lamp)), None, &[])),
    ] {
        let reply = worker.send(request).await;
        assert_eq!((reply.status, worker.cache.asked().1), (status, 0), "{}", reply.text);
    }
}
