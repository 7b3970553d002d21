//! What makes and changes an endpoint, and the rules it must keep.

use super::{Algorithm, Endpoint, EventType, Filter, Form, Order, Owner, ports::Addresses};
use crate::{
    error::{Breach, Violations},
    id::{CategoryId, ProductId, SellerId},
    realtime::Topic,
    text,
};

/// Most characters of an address.
const URL_MAX: usize = 2048;
/// Most characters of a description.
const DESCRIPTION_MAX: usize = 200;
/// Most items of each list of a filter.
const FILTER_MAX: usize = 50;
/// The most calls a minute that may be asked for.
const PER_MINUTE_MAX: i64 = 1_000_000;

/// An endpoint as sent, unchecked. What is `None` is not said.
#[derive(Debug, Clone, Default)]
pub struct EndpointInput {
    /// Where events are sent.
    pub url: Option<String>,
    /// What its owner says of it.
    pub description: Option<String>,
    /// Types by name; none for all.
    pub types: Option<Vec<String>>,
    /// Categories.
    pub categories: Option<Vec<CategoryId>>,
    /// Products.
    pub products: Option<Vec<ProductId>>,
    /// Seller accounts.
    pub sellers: Option<Vec<SellerId>>,
    /// Channels.
    pub channels: Option<Vec<String>>,
    /// How much is said.
    pub form: Option<Form>,
    /// In which order.
    pub order: Option<Order>,
    /// How many calls a minute at most; zero is no bound.
    pub per_minute: Option<i64>,
    /// How it is signed.
    pub algorithm: Option<Algorithm>,
    /// Whether it is on.
    pub enabled: Option<bool>,
}

/// A checked [`EndpointInput`] that makes an endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewEndpoint {
    pub(super) url: String,
    pub(super) algorithm: Algorithm,
    pub(super) rest: EndpointChange,
}

/// A checked [`EndpointInput`] that changes one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EndpointChange {
    pub(super) url: Option<String>,
    pub(super) description: Option<String>,
    pub(super) types: Option<Vec<EventType>>,
    pub(super) categories: Option<Vec<CategoryId>>,
    pub(super) products: Option<Vec<ProductId>>,
    pub(super) sellers: Option<Vec<SellerId>>,
    pub(super) channels: Option<Vec<String>>,
    pub(super) form: Option<Form>,
    pub(super) order: Option<Order>,
    /// Zero is no bound.
    pub(super) per_minute: Option<u32>,
    pub(super) enabled: Option<bool>,
}

impl EndpointInput {
    /// Checks what makes an endpoint; breaches go to `violations`.
    pub fn check(&self, addresses: &dyn Addresses, violations: &mut Violations) -> Option<NewEndpoint> {
        if self.url.is_none() {
            violations.missing::<()>("/url");
        }
        let rest = self.check_change(addresses, violations)?;
        Some(NewEndpoint { url: rest.url.clone()?, algorithm: self.algorithm.unwrap_or(Algorithm::Hmac), rest })
    }

    /// Checks what changes one.
    pub fn check_change(&self, addresses: &dyn Addresses, violations: &mut Violations) -> Option<EndpointChange> {
        let before = violations.iter().count();
        let url = self.url.as_deref().and_then(|url| violations.check("/url", address(url, addresses)));
        let description = self.description.as_deref();
        let description =
            description.and_then(|text| violations.check("/description", text::line(text, 0, DESCRIPTION_MAX)));
        let types = self.types.as_deref().map(|names| types(names, violations));
        for (field, count) in [
            ("/categoryIds", self.categories.as_ref().map(Vec::len)),
            ("/productIds", self.products.as_ref().map(Vec::len)),
            ("/sellerIds", self.sellers.as_ref().map(Vec::len)),
            ("/channels", self.channels.as_ref().map(Vec::len)),
        ] {
            if count.is_some_and(|count| count > FILTER_MAX) {
                violations.add(field, "max_items", format!("must have at most {FILTER_MAX} items"));
            }
        }
        for (i, channel) in self.channels.iter().flatten().enumerate() {
            if let Err(fault) = channel.parse::<Topic>() {
                violations.add(format!("/channels/{i}"), "channel", fault.to_string());
            }
        }
        let per_minute = self.per_minute.and_then(|calls| {
            let fits = u32::try_from(calls).ok().filter(|_| (0..=PER_MINUTE_MAX).contains(&calls));
            let breach = || Breach::new("range", "must be a whole number from 0, for no bound, to 1000000");
            violations.check("/callsPerMinute", fits.ok_or_else(breach))
        });
        (violations.iter().count() == before).then(|| EndpointChange {
            url,
            description,
            types,
            categories: self.categories.clone(),
            products: self.products.clone(),
            sellers: self.sellers.clone(),
            channels: self.channels.clone(),
            form: self.form,
            order: self.order,
            per_minute,
            enabled: self.enabled,
        })
    }
}

impl EndpointChange {
    /// Changes an endpoint, all but whether it is on.
    pub(super) fn apply(&self, to: &mut Endpoint) {
        fn set<T: Clone>(to: &mut T, from: Option<&T>) {
            if let Some(from) = from {
                to.clone_from(from);
            }
        }
        let filter: &mut Filter = &mut to.filter;
        set(&mut filter.categories, self.categories.as_ref());
        set(&mut filter.products, self.products.as_ref());
        set(&mut filter.sellers, self.sellers.as_ref());
        set(&mut filter.channels, self.channels.as_ref());
        set(&mut to.url, self.url.as_ref());
        set(&mut to.description, self.description.as_ref());
        set(&mut to.types, self.types.as_ref());
        set(&mut to.form, self.form.as_ref());
        set(&mut to.order, self.order.as_ref());
        if let Some(calls) = self.per_minute {
            to.per_minute = (calls > 0).then_some(calls);
        }
    }

    /// The first type that an owner of this kind can never hear.
    pub(super) fn never_heard(&self, owner: Owner) -> Option<EventType> {
        self.types.iter().flatten().find(|kind| !kind.is_for(owner)).copied()
    }
}

fn address(url: &str, addresses: &dyn Addresses) -> Result<String, Breach> {
    if url.chars().count() > URL_MAX {
        return Err(Breach::new("max_length", format!("must have at most {URL_MAX} characters")));
    }
    // What a parser would drop or read another way is not guessed at.
    if url.chars().any(|c| c.is_control() || c.is_whitespace() || matches!(c, '\\' | '<' | '>' | '"')) {
        return Err(Breach::new("url", "must be an address without spaces, such as https://example.com/hook"));
    }
    addresses.check(url).map_err(|reason| Breach::new("url", reason))?;
    Ok(url.to_owned())
}

fn types(names: &[String], violations: &mut Violations) -> Vec<EventType> {
    let mut types = Vec::with_capacity(names.len().min(EventType::ALL.len()));
    for (i, name) in names.iter().enumerate() {
        match EventType::named(name) {
            Some(kind) if types.contains(&kind) => {}
            Some(kind) => types.push(kind),
            None => violations.add(
                format!("/eventTypes/{i}"),
                "enum",
                "must be one of those that GET /api/v1/webhooks/event-types lists",
            ),
        }
    }
    types
}
