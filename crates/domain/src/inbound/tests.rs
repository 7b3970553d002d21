//! From the call to what it did, over the store in memory.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use serde_json::{Value, json};

use super::{ports::HookHandler, *};
use crate::{
    clock::Timestamp,
    error::{Error, Result},
    id::JobId,
    identity::{ForeignId, outside::ports::ForeignIdQueries as _, ports::UserQueries as _},
    job::Job as _,
    permission::Role,
    shop::Shop,
    store::Tx,
    testing::{Fixtures, PlainHooks, memory::MemoryStore},
};

/// Counts what it is handed over, and fails while it is told to.
#[derive(Default)]
struct Counter {
    seen: AtomicU32,
    failing: AtomicU32,
}

#[async_trait]
impl HookHandler for Counter {
    async fn handle(&self, _: &Shop, _: &mut dyn Tx, event: &HookEvent, body: &[u8], _: Timestamp) -> Result<Handled> {
        assert_eq!(event.body.as_deref(), Some(body));
        self.seen.fetch_add(1, Ordering::SeqCst);
        if self.failing.load(Ordering::SeqCst) > 0 {
            self.failing.fetch_sub(1, Ordering::SeqCst);
            return Err(Error::Unprocessable("No".to_owned()));
        }
        Ok(Handled::done("counted"))
    }
}

struct World {
    given: Fixtures,
    store: MemoryStore,
    counter: Arc<Counter>,
    sources: Sources,
}

fn source(name: &str, handler: Option<Arc<dyn HookHandler>>) -> Source {
    let field = |pointer: &str| Some(Place::Field(pointer.to_owned()));
    let finds = Finds { id: field("/id"), kind: field("/type"), at: None };
    Source { name: name.to_owned(), verifier: Arc::new(PlainHooks), most: 1000, finds, handler }
}

impl World {
    fn new() -> Self {
        let (given, store) = Fixtures::in_memory();
        let counter = Arc::<Counter>::default();
        let clerk = Clerk { issuer: "https://clerk.example".to_owned(), provider: "clerk".to_owned() };
        let sources = Sources::new([
            source("counted", Some(Arc::<Counter>::clone(&counter))),
            source("clerk", Some(Arc::new(clerk))),
            source("kept", None),
        ]);
        Self { given, store, counter, sources }
    }

    fn believe(&self, source: &str, id: &str, body: &[u8]) -> Result<Believed, Disbelief> {
        let now = self.given.shop.now();
        let headers = PlainHooks::headers(id, body, now);
        let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        self.sources.get(source).unwrap().believe(&headers, body.to_vec(), now)
    }

    async fn receive(&self, source: &str, id: &str, body: &Value) -> Received {
        let believed = self.believe(source, id, body.to_string().as_bytes()).unwrap();
        receive_hook(&self.given.shop, &believed).await.unwrap()
    }

    async fn job(&self, id: crate::id::HookEventId) -> JobId {
        self.store.get_hook(id).await.job
    }

    async fn handle(&self, id: crate::id::HookEventId) -> Result<Option<(String, HookState)>> {
        handle_hook(&self.given.shop, &self.sources, HandleHook { event: id }, self.job(id).await).await
    }

    /// What a call does.
    async fn hear(&self, source: &str, id: &str, body: &Value) -> HookEvent {
        let received = self.receive(source, id, body).await;
        self.handle(received.id).await.unwrap();
        self.store.get_hook(received.id).await
    }
}

impl MemoryStore {
    async fn get_hook(&self, id: crate::id::HookEventId) -> HookEvent {
        let queries: &dyn ports::HookQueries = self;
        queries.get(id).await.unwrap().unwrap().event
    }
}

#[tokio::test]
async fn what_came_is_stored_once_with_its_job() {
    let world = World::new();
    let body = json!({ "id": "evt_1", "type": "thing.done", "secret": "s3cret" });
    let first = world.receive("counted", "", &body).await;
    assert!(!first.known);
    for _ in 0..3 {
        assert_eq!(world.receive("counted", "", &body).await, Received { id: first.id, known: true });
    }
    // The same id of another source is another event.
    assert!(!world.receive("kept", "", &body).await.known);
    let event = world.store.get_hook(first.id).await;
    assert_eq!((event.event.as_deref(), event.kind.as_deref()), (Some("evt_1"), Some("thing.done")));
    assert_eq!(event.body.as_deref(), Some(body.to_string().as_bytes()));
    assert_eq!(event.state, HookState::Waiting);
    let jobs: &dyn crate::job::ports::JobQueries = &world.store;
    let job = jobs.get(event.job).await.unwrap().unwrap();
    assert_eq!((job.kind.as_str(), job.payload), (HandleHook::NAME, json!({ "event": first.id })));
    let told: Vec<_> = world.store.traces().into_iter().collect();
    assert_eq!(told, vec![("inbound.receive".to_owned(), "inbound.received".to_owned()); 2]);
    let logs = serde_json::to_string(&(world.store.events(), world.store.audit_entries())).unwrap();
    assert!(!logs.contains("s3cret") && !logs.contains("evt_1"), "{logs}");
}

#[tokio::test]
async fn what_a_signature_vouches_for_is_what_an_event_is_known_by() {
    let world = World::new();
    let mut unsigned = source("unsigned", None);
    unsigned.finds = Finds { id: Some(Place::Header("x-id".to_owned())), ..Finds::default() };
    let body = b"the very bytes";
    let now = world.given.shop.now();
    let key = |id: &str, told: &str, body: &[u8]| {
        let mut headers = PlainHooks::headers(id, body, now).to_vec();
        headers.push(("x-id", told.to_owned()));
        headers.push(("x-secret", "kept nowhere".to_owned()));
        let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let believed = unsigned.believe(&headers, body.to_vec(), now).unwrap();
        assert!(!believed.headers.contains_key("x-secret") && !believed.headers.contains_key("plain-signature"));
        (believed.key, believed.event)
    };
    // Whoever repeats a call under another id that nobody signed repeats it still.
    let (first, told) = key("", "delivery_1", body);
    assert_eq!(told.as_deref(), Some("delivery_1"));
    assert_eq!(key("", "delivery_2", body).0, first);
    assert_ne!(key("", "delivery_1", b"other bytes").0, first);
    // A signed id is it, whatever the body says.
    assert_eq!(key("msg_1", "delivery_1", body), ("id:msg_1".to_owned(), Some("msg_1".to_owned())));
}

#[tokio::test]
async fn what_is_not_believed_is_told_by_a_word() {
    let world = World::new();
    let source = world.sources.get("counted").unwrap();
    let (now, body) = (world.given.shop.now(), b"{}".as_slice());
    let refused = |at: Timestamp, signed: &[u8]| {
        let headers = PlainHooks::headers("1", signed, at);
        let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        source.believe(&headers, body.to_vec(), now).unwrap_err().reason()
    };
    let minutes = Duration::from_mins(6);
    assert_eq!(refused(now - minutes, body), "signature_too_old");
    assert_eq!(refused(now + minutes, body), "signature_too_early");
    assert_eq!(refused(now, b"{ }"), "signature_wrong");
    assert_eq!(source.believe(&[], body.to_vec(), now).unwrap_err().reason(), "signature_missing");
}

#[tokio::test]
async fn an_event_is_handled_once_for_each_job_and_again_when_it_is_replayed() {
    let world = World::new();
    let received = world.receive("counted", "", &json!({ "id": "evt_1" })).await;
    let job = world.job(received.id).await;
    assert_eq!(world.handle(received.id).await.unwrap(), Some(("counted".to_owned(), HookState::Done)));
    assert_eq!(world.handle(received.id).await.unwrap(), None, "a lost attempt comes again");
    assert_eq!(world.counter.seen.load(Ordering::SeqCst), 1);
    let event = world.store.get_hook(received.id).await;
    assert_eq!((event.state, event.outcome.as_deref()), (HookState::Done, Some("counted")));
    let admin = world.given.person(Role::Admin).await;
    let by = world.given.authorized(&admin);
    replay_hook(&world.given.shop, &by, received.id).await.unwrap();
    assert!(matches!(replay_hook(&world.given.shop, &by, received.id).await, Err(Error::Conflict(_))), "it waits");
    let shop = &world.given.shop;
    assert_eq!(handle_hook(shop, &world.sources, HandleHook { event: received.id }, job).await.unwrap(), None);
    world.handle(received.id).await.unwrap();
    assert_eq!(world.counter.seen.load(Ordering::SeqCst), 2);
    assert_eq!(world.store.get_hook(received.id).await.replays, 1);
    assert!(matches!(replay_hook(shop, &by, shop.id()).await, Err(Error::NotFound(_))));
    let told: Vec<_> = world.store.traces().into_iter().map(|(action, _)| action).collect();
    assert_eq!(told, ["inbound.receive", "inbound.handle", "inbound.replay", "inbound.handle"]);
    assert_eq!(world.store.events()[2].actor, Some(admin.user));
}

#[tokio::test]
async fn what_failed_did_nothing_and_may_be_tried_again() {
    let world = World::new();
    world.counter.failing.store(1, Ordering::SeqCst);
    let received = world.receive("counted", "", &json!({ "id": "evt_1" })).await;
    assert!(matches!(world.handle(received.id).await, Err(Error::Unprocessable(_))));
    let event = world.store.get_hook(received.id).await;
    assert_eq!((event.state, event.outcome, event.handled_at), (HookState::Waiting, None, None));
    assert!(world.handle(received.id).await.unwrap().is_some());
}

#[tokio::test]
async fn what_nobody_handles_is_kept_and_told_of() {
    let world = World::new();
    let event = world.hear("kept", "", &json!({ "id": "evt_1", "type": "a" })).await;
    assert_eq!((event.state, event.outcome.as_deref()), (HookState::Ignored, Some("no_handler")));
    let told = world.store.events();
    assert_eq!(told.len(), 2);
    assert_eq!(
        told[0].payload,
        json!({ "hookEventId": event.id, "source": "kept", "type": "a", "state": "waiting", "outcome": null })
    );
}

fn person(updated_at: i64, more: &Value) -> Value {
    let mut data = json!({
        "id": "user_1", "object": "user", "updated_at": updated_at, "created_at": 1, "username": "ada",
        "first_name": "Ada", "last_name": "Lovelace", "banned": false, "locked": false,
        "primary_email_address_id": "idn_2",
        "email_addresses": [
            { "id": "idn_1", "email_address": "other@example.com", "verification": { "status": "verified" } },
            { "id": "idn_2", "email_address": "Ada@Example.com", "verification": { "status": "verified" } },
        ],
    });
    for (name, value) in more.as_object().unwrap() {
        data[name] = value.clone();
    }
    data
}

fn told(kind: &str, data: impl Into<Value>) -> Value {
    let data: Value = data.into();
    json!({ "type": kind, "object": "event", "timestamp": 1, "data": data })
}

#[tokio::test]
async fn clerk_keeps_people_in_step_in_any_order() {
    let world = World::new();
    let id = ForeignId { issuer: "https://clerk.example".to_owned(), subject: "user_1".to_owned() };
    let outcome = async |message: &str, body: Value| {
        let event = world.hear("clerk", message, &body).await;
        (event.outcome.unwrap(), event.user)
    };
    let (later, earlier) = (person(2000, &json!({})), person(1000, &json!({ "first_name": "Old" })));
    let (first, user) = outcome("m1", told("user.updated", later.clone())).await;
    assert_eq!((first.as_str(), user), ("appeared", world.store.user_of(&id).await.unwrap()));
    let user = user.unwrap();
    assert_eq!(outcome("m2", told("user.created", earlier)).await, ("older".to_owned(), Some(user)));
    assert_eq!(outcome("m3", told("user.updated", later)).await, ("unchanged".to_owned(), Some(user)));
    let profile = world.store.profile(user).await.unwrap().unwrap().user;
    assert_eq!((profile.name.as_str(), profile.email.as_str()), ("Ada Lovelace", "ada@example.com"));
    assert!(profile.email_verified_at.is_some());
    let locked = person(3000, &json!({ "locked": true }));
    assert_eq!(outcome("m4", told("user.updated", locked)).await.0, "unchanged", "who is locked keeps what they have");
    let banned = person(4000, &json!({ "banned": true }));
    assert_eq!(outcome("m5", told("user.updated", banned.clone())).await.0, "changed");
    assert_eq!(world.store.principal(user).await.unwrap(), None);
    let moved = json!({ "banned": false, "primary_email_address_id": "idn_1", "first_name": null, "last_name": null });
    assert_eq!(outcome("m6", told("user.updated", person(5000, &moved))).await.0, "changed");
    let profile = world.store.profile(user).await.unwrap().unwrap().user;
    assert_eq!((profile.name.as_str(), profile.email.as_str()), ("ada", "other@example.com"));
    assert_eq!(outcome("m7", told("session.created", json!({ "id": "sess_1" }))).await.0, "not_of_people");
    let gone = told("user.deleted", json!({ "id": "user_1", "object": "user", "deleted": true }));
    assert_eq!(outcome("m8", gone).await, ("deleted".to_owned(), Some(user)));
    let late = world.hear("clerk", "m9", &told("user.updated", banned)).await;
    assert_eq!((late.outcome.as_deref(), late.body, late.user), (Some("gone"), None, None), "nothing is kept of them");
    let admin = world.given.person(Role::Admin).await;
    let replay = replay_hook(&world.given.shop, &world.given.authorized(&admin), late.id).await;
    assert!(matches!(replay, Err(Error::Conflict(_))));
}

#[tokio::test]
async fn what_clerk_does_not_send_is_given_up() {
    let world = World::new();
    for (n, body) in [
        json!({}),
        json!([1]),
        json!({ "type": "user.created" }),
        told("user.created", json!({ "id": "user_1" })),
        told("user.created", person(1, &json!({ "id": "" }))),
        told("user.created", person(1, &json!({ "id": "x".repeat(256) }))),
        told("user.updated", person(1, &json!({ "updated_at": "soon" }))),
        told("user.updated", person(i64::MAX, &json!({}))),
        told("user.updated", person(1, &json!({ "banned": 1 }))),
    ]
    .into_iter()
    .enumerate()
    {
        let received = world.receive("clerk", &format!("m{n}"), &body).await;
        let refused = world.handle(received.id).await;
        assert!(matches!(refused, Err(Error::Unprocessable(_))), "{body}: {refused:?}");
    }
    for (n, unproven) in [
        json!({ "email_addresses": [] }),
        json!({ "email_addresses": [{ "id": "idn_2", "email_address": "ada@example.com", "verification": null }] }),
        json!({ "email_addresses": [{ "id": "idn_2", "email_address": "no address", "verification": { "status": "verified" } }] }),
        json!({ "primary_email_address_id": null }),
    ]
    .into_iter()
    .enumerate()
    {
        let id = format!("user_of_{n}");
        let mut data = person(1, &unproven);
        data["id"] = json!(id);
        let event = world.hear("clerk", &id, &told("user.created", data)).await;
        let profile = world.store.profile(event.user.unwrap()).await.unwrap().unwrap().user;
        assert!(profile.email.is_nowhere(), "{unproven}");
    }
}
