//! Rows of webhooks.

use domain::{
    Error, Result,
    clock::Timestamp,
    id::{EndpointId, EventId, SellerId, UserId, WebhookMessageId},
    webhooks::{
        Algorithm, Attempt, Cause, Endpoint, EventType, Fault, Form, Message, MessageState, Off, Order, Owner,
        StoredSecret,
    },
};
use sea_orm::{QueryResult, Value};
use uuid::Uuid;

use crate::statement::at;

pub(super) const ENDPOINT: &str = "id, owner, user_id, seller_id, url, description, types, filter, form, ordering, per_minute, \
    off_reason, failing_since, circuit_until, created_at, updated_at";
pub(super) const MESSAGE: &str =
    "id, endpoint_id, event_id, kind, body, state, cause, attempts, next_attempt_at, created_at, finished_at";
pub(super) const ATTEMPT: &str = "message_id, number, began_at, millis, status, fault, body";
pub(super) const SECRET: &str = "number, algorithm, sealed, created_at, expires_at";

/// The condition that says whose endpoints are meant, with its value at this place.
pub(super) fn these(owner: Owner, place: usize) -> (String, Option<Value>) {
    match owner {
        Owner::Person(user) => (format!("owner = 'person' AND user_id = ${place}"), Some(user.0.into())),
        Owner::Seller(seller) => (format!("seller_id = ${place}"), Some(seller.0.into())),
        Owner::Shop => ("owner = 'shop'".to_owned(), None),
    }
}

/// Types as they are stored.
pub(super) fn names(types: &[EventType]) -> String {
    types.iter().map(|kind| kind.name()).collect::<Vec<_>>().join(",")
}

pub(super) fn number(number: impl Into<u64>) -> Result<Value> {
    i64::try_from(number.into()).map(Value::from).map_err(Error::internal)
}

pub(super) fn small(row: &QueryResult, index: usize) -> Result<u32> {
    u32::try_from(at::<i64>(row, index)?).map_err(Error::internal)
}

fn unknown(what: &str, text: &str) -> Error {
    Error::internal(format!("a webhook has the {what} {text:?}"))
}

pub(super) fn endpoint(row: &QueryResult, first: usize) -> Result<Endpoint> {
    let made_by = UserId(at(row, first + 2)?);
    let (kind, seller): (String, Option<Uuid>) = (at(row, first + 1)?, at(row, first + 3)?);
    let owner = match (kind.as_str(), seller) {
        ("person", None) => Owner::Person(made_by),
        ("seller", Some(seller)) => Owner::Seller(SellerId(seller)),
        ("shop", None) => Owner::Shop,
        _ => return Err(unknown("owner", &kind)),
    };
    let types: String = at(row, first + 6)?;
    let (filter, form, order): (String, String, String) =
        (at(row, first + 7)?, at(row, first + 8)?, at(row, first + 9)?);
    let per_minute: Option<i64> = at(row, first + 10)?;
    let off: Option<String> = at(row, first + 11)?;
    Ok(Endpoint {
        id: EndpointId(at(row, first)?),
        owner,
        made_by,
        url: at(row, first + 4)?,
        description: at(row, first + 5)?,
        // A type that a later version knew is none of this one's.
        types: types.split(',').filter_map(EventType::stored).collect(),
        filter: serde_json::from_str(&filter).map_err(Error::internal)?,
        form: Form::named(&form).ok_or_else(|| unknown("form", &form))?,
        order: Order::named(&order).ok_or_else(|| unknown("order", &order))?,
        per_minute: per_minute.and_then(|calls| u32::try_from(calls).ok()),
        off: off.map(|off| Off::named(&off).ok_or_else(|| unknown("reason", &off))).transpose()?,
        failing_since: at(row, first + 12)?,
        circuit_until: at(row, first + 13)?,
        created_at: at(row, first + 14)?,
        updated_at: at(row, first + 15)?,
    })
}

pub(super) fn message(row: &QueryResult, first: usize) -> Result<Message> {
    let (kind, state): (String, String) = (at(row, first + 3)?, at(row, first + 5)?);
    let cause: Option<String> = at(row, first + 6)?;
    let state = MessageState::named(&state).ok_or_else(|| unknown("state", &state))?;
    let next: Option<Timestamp> = at(row, first + 8)?;
    Ok(Message {
        id: WebhookMessageId(at(row, first)?),
        endpoint: EndpointId(at(row, first + 1)?),
        event: at::<Option<Uuid>>(row, first + 2)?.map(EventId),
        kind: EventType::stored(&kind).ok_or_else(|| unknown("type", &kind))?,
        body: at(row, first + 4)?,
        state,
        cause: cause.map(|cause| Cause::named(&cause).ok_or_else(|| unknown("cause", &cause))).transpose()?,
        attempts: small(row, first + 7)?,
        next_attempt_at: next,
        created_at: at(row, first + 9)?,
        finished_at: at(row, first + 10)?,
    })
}

pub(super) fn attempt(row: &QueryResult, first: usize) -> Result<Attempt> {
    let status: Option<i64> = at(row, first + 4)?;
    let fault: Option<String> = at(row, first + 5)?;
    Ok(Attempt {
        number: small(row, first + 1)?,
        at: at(row, first + 2)?,
        millis: u64::try_from(at::<i64>(row, first + 3)?).unwrap_or_default(),
        status: status.and_then(|status| u16::try_from(status).ok()),
        fault: fault.map(|fault| Fault::named(&fault).ok_or_else(|| unknown("fault", &fault))).transpose()?,
        body: at(row, first + 6)?,
    })
}

pub(super) fn secret(row: &QueryResult) -> Result<StoredSecret> {
    let algorithm: String = at(row, 1)?;
    Ok(StoredSecret {
        number: small(row, 0)?,
        algorithm: Algorithm::named(&algorithm).ok_or_else(|| unknown("algorithm", &algorithm))?,
        sealed: at(row, 2)?,
        created_at: at(row, 3)?,
        expires_at: at(row, 4)?,
    })
}
