//! From the log to the endpoints: one message for each event and each endpoint that hears it.

use std::{collections::HashMap, fmt, sync::Arc};

use super::{Endpoint, EventType, Form, Hearer, NewMessage, Order, Owner, Told, hearing::told, ports::Dispatch};
use crate::{
    catalog::policy::Scope, clock::Timestamp, error::Result, id::WebhookMessageId, identity::Known,
    realtime::EventFeed, relay::Numbered, shop::Shop,
};

/// The topic of the bus on which nodes are told that there is something to send.
pub const QUEUED: &str = "webhooks:queued";

/// Events looked at in one transaction.
const PAGE: u32 = 200;

/// Finds the words of events.
pub trait Wording: Send + Sync {
    /// The `data` of what is told, as JSON.
    ///
    /// # Errors
    /// For what cannot be written down.
    fn data(&self, numbered: &Numbered, told: &Told, form: Form) -> Result<String>;

    /// An example of the data of a type.
    ///
    /// # Errors
    /// As for [`Wording::data`].
    fn example(&self, kind: EventType, form: Form) -> Result<String>;
}

/// What the fan-out stands on.
#[derive(Clone)]
pub struct FanOut {
    /// Where messages are stored.
    pub dispatch: Arc<dyn Dispatch>,
    /// The log.
    pub feed: Arc<dyn EventFeed>,
    /// Who people are now.
    pub known: Arc<Known>,
    /// The words.
    pub wording: Arc<dyn Wording>,
    /// Where ids and time come from.
    pub shop: Shop,
}

impl fmt::Debug for FanOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FanOut")
    }
}

/// What one step did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fanned {
    /// Messages that were stored.
    pub messages: usize,
    /// Whether more events are likely to wait.
    pub more: bool,
}

/// Looks at the next events of the log and stores what is to be told of them. The cursor moves in the transaction that stores: so
/// each event is looked at once over all nodes, in order, and a kill loses none.
///
/// # Errors
/// Those of the ports.
pub async fn fan_out(with: &FanOut) -> Result<Fanned> {
    let from = with.dispatch.cursor().await?;
    let page = with.feed.after(from, PAGE).await?;
    let Some(to) = page.last().map(|last| last.seq) else { return Ok(Fanned { messages: 0, more: false }) };
    let more = u32::try_from(page.len()).is_ok_and(|read| read >= PAGE);
    let everything = Hearer { owner: Owner::Shop, scope: Scope::All };
    let audible: Vec<&Numbered> = page.iter().filter(|one| told(one, everything).is_some()).collect();
    let mut messages = Vec::new();
    if !audible.is_empty() {
        let endpoints = with.dispatch.listeners().await?;
        let hearers = hearers(with, &endpoints).await?;
        for numbered in audible {
            let mut heard: HashMap<Owner, Option<Told>> = HashMap::new();
            for endpoint in endpoints.iter().filter(|one| one.created_at <= numbered.event.at) {
                let Some(hearer) = hearers.get(&endpoint.owner) else { continue };
                let heard = heard.entry(endpoint.owner).or_insert_with(|| told(numbered, *hearer));
                if let Some(heard) = heard.as_ref().filter(|heard| endpoint.wants(heard)) {
                    messages.push(message(with, endpoint, numbered, heard)?);
                }
            }
        }
    }
    if !with.dispatch.fan_out(from, to, &messages).await? {
        // Another node was faster; what comes after is looked at next.
        return Ok(Fanned { messages: 0, more: true });
    }
    Ok(Fanned { messages: messages.len(), more })
}

/// What the owners of endpoints may know of now; who is banned or deleted hears nothing.
async fn hearers(with: &FanOut, endpoints: &[Endpoint]) -> Result<HashMap<Owner, Hearer>> {
    let mut hearers = HashMap::new();
    for owner in endpoints.iter().map(|endpoint| endpoint.owner) {
        if hearers.contains_key(&owner) {
            continue;
        }
        let scope = match owner {
            Owner::Shop => Some(Scope::All),
            Owner::Seller(seller) => Some(Scope::seller(seller)),
            Owner::Person(user) => with.known.person(user).await?.map(|who| Scope::of_principal(&who)),
        };
        if let Some(scope) = scope {
            hearers.insert(owner, Hearer { owner, scope });
        }
    }
    Ok(hearers)
}

fn message(with: &FanOut, endpoint: &Endpoint, numbered: &Numbered, told: &Told) -> Result<NewMessage> {
    let event = &numbered.event;
    Ok(NewMessage {
        id: with.shop.id::<WebhookMessageId>(),
        endpoint: endpoint.id,
        event: Some(event.id),
        seq: numbered.seq,
        kind: told.kind,
        key: (endpoint.order == Order::Thing).then_some(told.thing),
        body: body(told.kind, event.at, &with.wording.data(numbered, told, endpoint.form)?),
        created_at: with.shop.now(),
    })
}

/// The body of Standard Webhooks. The data go in as they were written: a price keeps every digit.
pub(super) fn body(kind: EventType, at: Timestamp, data: &str) -> String {
    let at = at.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true);
    format!(r#"{{"type":"{}","timestamp":"{at}","data":{data}}}"#, kind.name())
}
