//! Webhooks: endpoints, messages and their attempts.

mod endpoints;
mod messages;

use std::time::Duration;

use uuid::Uuid;

use super::{Harness, begin};
use crate::{
    clock::Timestamp,
    id::{EndpointId, SellerId, WebhookMessageId},
    permission::Role,
    testing::Fixtures,
    webhooks::{
        Algorithm, Attempt, Endpoint, EventType, Fault, Filter, Finished, Form, MessageState, NewMessage, Order, Owner,
        Settled, StoredSecret,
        ports::{Ask, Taken},
    },
};

/// Runs the cases.
pub async fn run(harness: &impl Harness) {
    endpoints::run(harness).await;
    messages::run(harness).await;
}

fn endpoint(given: &Fixtures, owner: Owner, made_by: crate::id::UserId) -> Endpoint {
    let now = given.shop.now();
    Endpoint {
        id: given.shop.id(),
        owner,
        made_by,
        url: "https://example.com/hook?a=ü".to_owned(),
        description: "Stock robot".to_owned(),
        types: vec![EventType::ProductUpdated, EventType::ModelChanged],
        filter: Filter {
            sellers: vec![SellerId(Uuid::from_u128(9))],
            channels: vec!["products".to_owned()],
            ..Filter::default()
        },
        form: Form::Thin,
        order: Order::Thing,
        per_minute: Some(90),
        off: None,
        failing_since: None,
        circuit_until: None,
        created_at: now,
        updated_at: now,
    }
}

fn secret(given: &Fixtures, number: u32) -> StoredSecret {
    let created_at = given.shop.now();
    StoredSecret {
        number,
        algorithm: Algorithm::Hmac,
        sealed: vec![7, u8::try_from(number).unwrap()],
        created_at,
        expires_at: None,
    }
}

/// A stored endpoint of a person.
async fn stored(harness: &impl Harness, given: &Fixtures) -> Endpoint {
    let ada = given.person(Role::User).await;
    let endpoint = endpoint(given, Owner::Person(ada.user), ada.user);
    store(harness, given, &endpoint).await;
    endpoint
}

async fn store(harness: &impl Harness, given: &Fixtures, endpoint: &Endpoint) {
    let mut tx = begin(harness).await;
    tx.webhooks().insert(endpoint, &secret(given, 1)).await.unwrap();
    tx.commit().await.unwrap();
}

fn message(given: &Fixtures, endpoint: &Endpoint, seq: u64, key: Option<u128>) -> NewMessage {
    NewMessage {
        id: given.shop.id(),
        endpoint: endpoint.id,
        event: Some(given.shop.id()),
        seq,
        kind: EventType::ProductUpdated,
        key: key.map(Uuid::from_u128),
        body: format!(r#"{{"type":"product.updated","text":"ü \" \\ {seq}"}}"#),
        created_at: given.shop.now(),
    }
}

/// Stores messages as the fan-out does.
async fn tell(harness: &impl Harness, messages: &[NewMessage]) {
    let dispatch = harness.dispatch();
    let cursor = dispatch.cursor().await.unwrap();
    assert!(dispatch.fan_out(cursor, cursor + 1, messages).await.unwrap());
}

fn ask(given: &Fixtures, endpoint: &Endpoint, most: u32) -> Ask {
    let now = given.shop.now();
    Ask { endpoint: endpoint.id, most, per_minute: None, now, until: now + Duration::from_secs(10) }
}

async fn take(harness: &impl Harness, given: &Fixtures, endpoint: &Endpoint, most: u32) -> Vec<Taken> {
    let mut taken = harness.dispatch().take(&[ask(given, endpoint, most)]).await.unwrap();
    // Which of a batch comes first is nobody's promise; their bodies end with their numbers.
    taken.sort_by(|one, other| one.body.cmp(&other.body));
    taken
}

fn ids(taken: &[Taken]) -> Vec<WebhookMessageId> {
    taken.iter().map(|one| one.id).collect()
}

fn finished(given: &Fixtures, taken: &Taken, settled: Settled) -> Finished {
    let delivered = settled == Settled::Delivered;
    let attempt = Attempt {
        number: taken.attempts + 1,
        at: given.shop.now(),
        millis: 40,
        status: Some(if delivered { 204 } else { 500 }),
        fault: (!delivered).then_some(Fault::Status),
        body: "schön".to_owned(),
    };
    let Taken { id: message, endpoint, fence, ordered, .. } = *taken;
    Finished { message, endpoint, fence, ordered, attempt, settled }
}

async fn settle(harness: &impl Harness, given: &Fixtures, finished: &[Finished]) -> Vec<(EndpointId, Timestamp)> {
    harness.dispatch().settle(finished, given.shop.now()).await.unwrap()
}

async fn has_lane(harness: &impl Harness, given: &Fixtures, endpoint: &Endpoint) -> bool {
    let lanes = harness.dispatch().lanes(given.shop.now()).await.unwrap();
    lanes.iter().any(|lane| lane.endpoint == endpoint.id)
}

async fn state(harness: &impl Harness, endpoint: &Endpoint, id: WebhookMessageId) -> MessageState {
    harness.webhooks().message(endpoint.id, id).await.unwrap().unwrap().state
}
