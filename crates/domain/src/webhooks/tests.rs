//! The use cases over the store in memory.

use std::{sync::Arc, time::Duration};

use serde_json::json;
use uuid::Uuid;

use super::{
    ports::{Ask, Dispatch as _, MessageFilter, WebhookQueries as _},
    *,
};
use crate::{
    Principal,
    clock::Timestamp,
    error::{Error, Violations},
    event::{Entity, Event},
    id::{EndpointId, EventId, ProductId, SellerId},
    idempotency::Once,
    identity::{Known, Verification, known::KnownRules},
    page::{Limit, PageRequest},
    permission::Role,
    realtime::{EventFeed, Reach},
    relay::Numbered,
    testing::{Fixtures, PlainAddresses, PlainSealer, PlainSigner, PlainWording, Postbox, memory::MemoryStore},
};

fn keyring() -> Keyring {
    Keyring { sealer: Arc::new(PlainSealer), signer: Arc::new(PlainSigner) }
}

fn input(url: &str) -> EndpointInput {
    EndpointInput { url: Some(url.to_owned()), ..EndpointInput::default() }
}

fn checked(input: &EndpointInput) -> NewEndpoint {
    let mut violations = Violations::default();
    let new = input.check(&PlainAddresses, &mut violations);
    new.unwrap_or_else(|| panic!("{violations}"))
}

async fn made(given: &Fixtures, by: &Principal, owner: Owner, input: &EndpointInput) -> Result<MadeEndpoint, Error> {
    let (by, once) = (given.authorized(by), Once::always());
    let rules = WebhookRules { most: 2, ..WebhookRules::default() };
    let made = create_endpoint(&given.shop, &keyring(), rules, &by, owner, &checked(input), &once).await?;
    Ok(made.fresh().unwrap())
}

fn faults(input: &EndpointInput) -> String {
    let mut violations = Violations::default();
    assert_eq!(input.check(&PlainAddresses, &mut violations), None);
    violations.iter().map(|one| format!("{} {}", one.field, one.rule)).collect::<Vec<_>>().join(", ")
}

#[test]
fn every_breach_is_told_at_once() {
    assert_eq!(faults(&EndpointInput::default()), "/url required");
    let wrong = EndpointInput {
        url: Some("ftp://example.com".to_owned()),
        description: Some("x".repeat(201)),
        types: Some(vec!["product.created".to_owned(), "product.exploded".to_owned()]),
        products: Some(vec![ProductId(Uuid::nil()); 51]),
        channels: Some(vec!["products".to_owned(), "rooms".to_owned()]),
        per_minute: Some(-1),
        ..EndpointInput::default()
    };
    let told = "/url url, /description max_length, /eventTypes/1 enum, /productIds max_items, /channels/1 channel, \
                /callsPerMinute range";
    assert_eq!(faults(&wrong), told);
    for bad in ["http://127.0.0.1", "https://a@b", "https://ex ample.com", "https://example.com\\@x", "https://a\n"] {
        assert_eq!(faults(&input(bad)), "/url url", "{bad}");
    }
    assert_eq!(faults(&input(&format!("https://{}", "a".repeat(2048)))), "/url max_length");
}

#[tokio::test]
async fn an_owner_makes_changes_and_deletes_their_own_and_nobody_else_does() {
    let (given, store) = Fixtures::in_memory();
    let (ada, bob) = (given.seller().await, given.person(Role::User).await);
    let (person, seller) = (Owner::Person(ada.user), Owner::Seller(ada.seller.unwrap()));
    let secret_url = "https://example.com/hook/very-secret";
    let one = made(&given, &ada, person, &input(secret_url)).await.unwrap();
    assert!(matches!(made(&given, &bob, seller, &input(secret_url)).await, Err(Error::NotFound("Seller"))));
    assert!(matches!(made(&given, &ada, Owner::Shop, &input(secret_url)).await, Err(Error::Forbidden(_))));
    let unheard = EndpointInput { types: Some(vec!["user.created".to_owned()]), ..input(secret_url) };
    assert!(matches!(made(&given, &ada, seller, &unheard).await, Err(Error::Invalid(_))));
    made(&given, &ada, person, &input(secret_url)).await.unwrap();
    assert!(matches!(made(&given, &ada, person, &input(secret_url)).await, Err(Error::Conflict(_))), "too many");

    let id = one.endpoint.id;
    let mut violations = Violations::default();
    let thin = EndpointInput { form: Some(Form::Thin), per_minute: Some(60), ..EndpointInput::default() };
    let change = thin.check_change(&PlainAddresses, &mut violations).unwrap();
    let (hers, his) = (given.authorized(&ada), given.authorized(&bob));
    assert!(matches!(change_endpoint(&given.shop, &his, id, &change).await, Err(Error::NotFound(_))));
    let changed = change_endpoint(&given.shop, &hers, id, &change).await.unwrap();
    assert_eq!((changed.form, changed.per_minute, changed.url.as_str()), (Form::Thin, Some(60), secret_url));
    assert!(matches!(delete_endpoint(&given.shop, &his, id).await, Err(Error::NotFound(_))));
    delete_endpoint(&given.shop, &hers, id).await.unwrap();
    assert!(matches!(delete_endpoint(&given.shop, &hers, id).await, Err(Error::NotFound(_))));

    let kinds: Vec<_> =
        store.events().into_iter().filter(|event| event.entity.id == id.0).map(|event| event.kind).collect();
    assert_eq!(kinds, ["created", "updated", "deleted"].map(|verb| format!("webhook_endpoint.{verb}")));
    let told = serde_json::to_string(&(store.events(), store.audit_entries())).unwrap();
    assert!(!told.contains("very-secret") && !told.contains(one.secret.expose()), "{told}");
    assert!(!format!("{one:?}").contains(one.secret.expose()));
}

#[tokio::test]
async fn old_secrets_sign_for_a_day_and_no_more_than_ten() {
    let (given, store) = Fixtures::in_memory();
    let ada = given.person(Role::User).await;
    let hook = made(&given, &ada, Owner::Person(ada.user), &input("https://example.com")).await.unwrap();
    let (id, by) = (hook.endpoint.id, given.authorized(&ada));
    let rotate = async |algorithm| {
        let once = Once::always();
        rotate_secret(&given.shop, &keyring(), &by, id, algorithm, &once).await.unwrap().fresh().unwrap()
    };
    let signing = async || store.signing(id, given.shop.now()).await.unwrap();
    let second = rotate(Some(Algorithm::Ed25519)).await;
    assert_ne!(second, hook.secret);
    assert_eq!(
        signing().await.iter().map(|(algorithm, _)| *algorithm).collect::<Vec<_>>(),
        [Algorithm::Ed25519, Algorithm::Hmac]
    );
    given.clock.advance(OVERLAP.saturating_sub(Duration::from_secs(1)));
    assert_eq!(signing().await.len(), 2);
    given.clock.advance(Duration::from_secs(1));
    assert_eq!(signing().await.len(), 1);
    for _ in 0..15 {
        rotate(None).await;
    }
    let kept = store.secrets(id).await.unwrap();
    assert_eq!(kept.len(), 1 + OLD_SECRETS);
    assert_eq!((kept[0].number, kept[0].expires_at), (17, None));
    assert!(kept.iter().all(|secret| secret.algorithm == Algorithm::Ed25519), "as the one before");
    assert!(kept[1..].iter().all(|secret| secret.expires_at.is_some()));
}

/// A log of these events.
struct Log(Vec<Numbered>);

#[async_trait::async_trait]
impl EventFeed for Log {
    async fn reach(&self) -> Result<Reach, Error> {
        Ok(Reach { first: 1, last: u64::try_from(self.0.len()).unwrap() })
    }

    async fn after(&self, seq: u64, limit: u32) -> Result<Vec<Numbered>, Error> {
        Ok(self.0.iter().filter(|one| one.seq > seq).take(usize::try_from(limit).unwrap()).cloned().collect())
    }

    async fn ahead(&self, _: u64, _: &[&str], _: u32) -> Result<Vec<Event>, Error> {
        Ok(Vec::new())
    }
}

fn told_of(seq: u64, kind: &str, entity: &str, id: u128, payload: serde_json::Value, at: Timestamp) -> Numbered {
    let id = Uuid::from_u128(id);
    let event = Event {
        id: EventId(Uuid::from_u128(1000 + u128::from(seq))),
        kind: kind.to_owned(),
        entity: Entity::new(entity, id),
        actor: None,
        at,
        payload,
    };
    Numbered { seq, event }
}

fn product(seq: u64, kind: &str, seller: SellerId, status: &str, at: Timestamp) -> Numbered {
    let payload = json!({
        "productId": Uuid::from_u128(7), "sellerId": seller, "categoryId": Uuid::from_u128(8), "status": status,
        "name": "Lamp", "slug": "lamp", "priceMinor": 1995, "stock": 3, "version": 2,
    });
    told_of(seq, kind, "product", 7, payload, at)
}

fn fan(given: &Fixtures, store: &MemoryStore, log: Vec<Numbered>) -> FanOut {
    let reader = Arc::new(store.clone());
    let known =
        Known::new(reader.clone(), reader.clone(), reader.clone(), given.shop.clock.clone(), KnownRules::default());
    known.heard(given.shop.now());
    let (known, feed) = (Arc::new(known), Arc::new(Log(log)));
    FanOut { dispatch: reader, feed, known, wording: Arc::new(PlainWording), shop: given.shop.clone() }
}

/// The types that were stored for an endpoint, by name.
async fn heard(store: &MemoryStore, id: EndpointId) -> Vec<&'static str> {
    let page = PageRequest { page: 1, limit: Limit::new(50).unwrap() };
    let found = store.messages(id, MessageFilter::default(), page).await.unwrap();
    let mut names: Vec<_> = found.items.iter().map(|message| message.kind.name()).collect();
    names.sort_unstable();
    names
}

#[tokio::test]
async fn each_hears_what_they_may_and_want_and_each_event_once() {
    let (given, store) = Fixtures::in_memory();
    let (ada, bob, admin) = (given.seller().await, given.seller().await, given.person(Role::Admin).await);
    let (own, others) = (ada.seller.unwrap(), bob.seller.unwrap());
    let before = given.shop.now();
    given.clock.advance(Duration::from_secs(1));
    let make =
        async |by: &Principal, owner, input: EndpointInput| made(&given, by, owner, &input).await.unwrap().endpoint.id;
    let url = || input("https://example.com");
    let hers = make(&ada, Owner::Seller(own), url()).await;
    let his = make(&bob, Owner::Person(bob.user), url()).await;
    let shop = make(&admin, Owner::Shop, url()).await;
    let deletions = EndpointInput { types: Some(vec!["product.deleted".to_owned()]), ..url() };
    let narrow = make(&admin, Owner::Shop, deletions).await;
    let elsewhere = EndpointInput { sellers: Some(vec![others]), ..url() };
    let filtered = make(&ada, Owner::Person(ada.user), elsewhere).await;
    let channel = EndpointInput { channels: Some(vec![format!("products:{}", Uuid::from_u128(8))]), ..url() };
    let by_category = make(&ada, Owner::Person(ada.user), channel).await;
    let now = given.shop.now();
    let user = told_of(5, "user.created", "user", 9, json!({ "userId": Uuid::from_u128(9) }), now);
    let joined = json!({ "sellerId": own, "userId": ada.user });
    let mut joined = told_of(6, "seller.member_joined", "seller", 0, joined, now);
    joined.event.entity.id = own.0;
    let log = vec![
        product(1, "product.created", own, "published", before),
        product(2, "product.created", own, "draft", now),
        product(3, "product.updated", own, "published", now),
        product(4, "product.deleted", own, "published", now),
        user,
        joined,
        told_of(7, "session.refreshed", "session", 3, json!({}), now),
    ];
    let with = fan(&given, &store, log);
    let fanned = fan_out(&with).await.unwrap();
    assert!(!fanned.more && fanned.messages > 0);
    assert_eq!(store.cursor().await.unwrap(), 7);
    assert_eq!(fan_out(&with).await.unwrap(), Fanned { messages: 0, more: false });
    let products = ["product.created", "product.deleted", "product.updated"];
    assert_eq!(heard(&store, hers).await, [&products[..], &["seller.member_joined"]].concat());
    assert_eq!(heard(&store, his).await, products[1..], "no draft of somebody else");
    assert_eq!(heard(&store, shop).await, [&products[..], &["seller.member_joined", "user.created"]].concat());
    assert_eq!(heard(&store, narrow).await, ["product.deleted"]);
    assert_eq!(heard(&store, filtered).await, [""; 0]);
    assert_eq!(heard(&store, by_category).await, products);
    let of = MessageFilter { kind: Some(EventType::MemberJoined), ..MessageFilter::default() };
    let page = PageRequest { page: 1, limit: Limit::new(1).unwrap() };
    let body = store.messages(shop, of, page).await.unwrap().items.remove(0).body;
    let body: serde_json::Value = serde_json::from_str(&body).unwrap();
    assert_eq!(body["type"], "seller.member_joined");
    assert_eq!(body["timestamp"], now.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true));
    assert_eq!(body["data"]["form"], "full");
}

#[tokio::test]
async fn who_is_banned_hears_nothing() {
    let (given, store) = Fixtures::in_memory();
    let (ada, admin) = (given.person(Role::User).await, given.person(Role::Admin).await);
    let hers = made(&given, &ada, Owner::Person(ada.user), &input("https://example.com")).await.unwrap().endpoint.id;
    let ban = crate::access::BanInput { until: None, reason: Some("spam".to_owned()) };
    let ban = ban.check(given.shop.now(), &mut Violations::default()).unwrap();
    crate::access::ban_user(&given.shop, given.authorized(&admin), ada.user, ban).await.unwrap();
    let log = vec![product(1, "product.created", SellerId(Uuid::nil()), "published", given.shop.now())];
    fan_out(&fan(&given, &store, log)).await.unwrap();
    assert_eq!(heard(&store, hers).await, [""; 0]);
}

#[tokio::test]
async fn what_fails_for_five_days_or_is_gone_is_switched_off_and_its_keepers_are_told() {
    let (given, store) = Fixtures::in_memory();
    let ada = given.person(Role::User).await;
    let postbox = Arc::new(Postbox::default());
    let room = crate::identity::Mailroom { open: true, ..Postbox::room(Verification::Off) };
    let owner = Owner::Person(ada.user);
    let failing = made(&given, &ada, owner, &input("https://example.com")).await.unwrap().endpoint.id;
    let other = made(&given, &ada, owner, &input("https://example.org")).await.unwrap().endpoint.id;
    let by = given.authorized(&ada);
    let message = send_test(&given.shop, &PlainWording, &by, failing, EventType::Test).await.unwrap();
    let off = async |why| disable_endpoint(&given.shop, &room, failing, why, ENDURED).await.unwrap();
    assert!(!off(Off::Failing).await, "it does not fail");
    let fail = async || {
        let now = given.shop.now();
        let until = now + Duration::from_secs(30);
        let ask = [Ask { endpoint: failing, most: 1, per_minute: None, now, until }];
        let one = store.take(&ask).await.unwrap().remove(0);
        let outcome = Outcome::Failed(Fault::Connection);
        let settled = conclude(&outcome, one.place, now, 0);
        let attempt = outcome.kept(one.attempts + 1, now, 3);
        let (message, fence, ordered) = (one.id, one.fence, one.ordered);
        store.settle(&[Finished { message, endpoint: failing, fence, ordered, attempt, settled }], now).await.unwrap()
    };
    assert_eq!(fail().await, [(failing, given.shop.now())]);
    given.clock.advance(ENDURED.saturating_sub(Duration::from_secs(1)));
    assert!(!off(Off::Failing).await, "not yet");
    given.clock.advance(Duration::from_secs(1));
    assert!(off(Off::Failing).await);
    assert!(!off(Off::Gone).await, "it is off");
    let stored = store.get(failing).await.unwrap().unwrap();
    assert_eq!(stored.off, Some(Off::Failing));
    let gave_up = store.message(failing, message).await.unwrap().unwrap();
    assert_eq!((gave_up.state, gave_up.cause, gave_up.is_finished()), (MessageState::Failed, Some(Cause::Off), true));
    let sent = postbox.deliver_all(&given.shop, &room, &store).await.unwrap();
    assert_eq!(sent.iter().map(|mail| mail.about).collect::<Vec<_>>(), [crate::mail::Subject::WebhookDisabled]);
    // Another endpoint of the same owner hears of it.
    let event = store.events().into_iter().find(|event| event.kind == "webhook_endpoint.disabled").unwrap();
    assert_eq!(event.payload["reason"], "failing");
    fan_out(&fan(&given, &store, vec![Numbered { seq: 1, event }])).await.unwrap();
    assert_eq!(heard(&store, other).await, ["webhook_endpoint.disabled"]);

    // Switched on again it begins anew, and what was given up can be sent again.
    assert!(matches!(resend_message(&given.shop, &by, failing, message).await, Err(Error::Conflict(_))), "it is off");
    let on = EndpointInput { enabled: Some(true), ..EndpointInput::default() };
    let on = on.check_change(&PlainAddresses, &mut Violations::default()).unwrap();
    let stored = change_endpoint(&given.shop, &by, failing, &on).await.unwrap();
    assert_eq!((stored.off, stored.failing_since, stored.circuit_until), (None, None, None));
    let since = given.shop.now() - ENDURED;
    assert_eq!(recover_messages(&given.shop, &by, failing, since).await.unwrap(), 1);
    assert_eq!(recover_messages(&given.shop, &by, failing, since).await.unwrap(), 0);
    for moment in [given.shop.now() - RECOVERABLE - Duration::from_secs(1), given.shop.now() + Duration::from_secs(1)] {
        assert!(matches!(recover_messages(&given.shop, &by, failing, moment).await, Err(Error::Invalid(_))));
    }
    assert!(matches!(resend_message(&given.shop, &by, failing, message).await, Err(Error::Conflict(_))), "it waits");
    assert!(matches!(resend_message(&given.shop, &by, failing, given.shop.id()).await, Err(Error::NotFound(_))));
}

/// The whole schedule, with a clock that is set: at once, and then seven times more.
#[tokio::test]
async fn a_message_is_tried_by_the_schedule_and_then_given_up() {
    let (given, store) = Fixtures::in_memory();
    let ada = given.person(Role::User).await;
    let id = made(&given, &ada, Owner::Person(ada.user), &input("https://example.com")).await.unwrap().endpoint.id;
    let by = given.authorized(&ada);
    let message = send_test(&given.shop, &PlainWording, &by, id, EventType::ProductCreated).await.unwrap();
    let began = given.shop.now();
    let mut tried = Vec::new();
    loop {
        let now = given.shop.now();
        let ask = [Ask { endpoint: id, most: 9, per_minute: None, now, until: now + Duration::from_secs(30) }];
        let Some(one) = store.take(&ask).await.unwrap().pop() else { break };
        tried.push((now - began).num_seconds());
        let outcome = Outcome::Answered(Answered { status: 500, ..Answered::default() });
        let settled = conclude(&outcome, one.place, now, 127);
        let attempt = outcome.kept(one.attempts + 1, now, 3);
        let (fence, ordered) = (one.fence, one.ordered);
        store.settle(&[Finished { message, endpoint: id, fence, ordered, attempt, settled }], now).await.unwrap();
        let next = store.message(id, message).await.unwrap().unwrap().next_attempt_at;
        let Some(next) = next else { break };
        // A moment before it is not due.
        given.clock.set(next - Duration::from_millis(1));
        assert!(store.lanes(given.shop.now()).await.unwrap().is_empty());
        given.clock.set(next);
    }
    let whole = [0, 5, 305, 2105, 9305, 27_305, 63_305, 99_305];
    assert_eq!(tried.len(), whole.len());
    for (tried, whole) in tried.iter().zip(whole) {
        assert!((tried - whole).abs() <= 1 + whole / 100, "{tried} s in the place of {whole} s");
    }
    let kept = store.message(id, message).await.unwrap().unwrap();
    assert_eq!((kept.state, kept.cause, kept.attempts), (MessageState::Failed, Some(Cause::Exhausted), 8));
}
