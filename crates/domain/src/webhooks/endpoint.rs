//! Endpoints: where events are told, and which.

use serde::{Deserialize, Serialize};

use super::EventType;
use crate::{
    clock::Timestamp,
    id::{CategoryId, EndpointId, ProductId, SellerId, UserId},
    realtime::Topic,
};

/// Whose an endpoint is: it hears what they may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Owner {
    /// A person.
    Person(UserId),
    /// A seller account.
    Seller(SellerId),
    /// The operator: all that happens in the shop.
    Shop,
}

impl Owner {
    /// The name stored and shown.
    pub fn kind(self) -> &'static str {
        match self {
            Self::Person(_) => "person",
            Self::Seller(_) => "seller",
            Self::Shop => "shop",
        }
    }

    /// The seller account, when it is one's.
    pub fn seller(self) -> Option<SellerId> {
        match self {
            Self::Seller(seller) => Some(seller),
            Self::Person(_) | Self::Shop => None,
        }
    }
}

/// How much an event says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Form {
    /// What happened and what is so now.
    Full,
    /// What happened to which thing; the rest is to be read from the API.
    Thin,
}

impl Form {
    /// The name stored and shown.
    pub fn name(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Thin => "thin",
        }
    }

    /// The form of that name.
    pub fn named(name: &str) -> Option<Self> {
        [Self::Full, Self::Thin].into_iter().find(|form| form.name() == name)
    }
}

/// In which order events are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Order {
    /// As fast as may be: one that failed does not hold up others.
    None,
    /// Those of one thing, such as a product, one after the other: one that failed holds up the later ones of that thing.
    Thing,
}

impl Order {
    /// The name stored and shown.
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Thing => "thing",
        }
    }

    /// The order of that name.
    pub fn named(name: &str) -> Option<Self> {
        [Self::None, Self::Thing].into_iter().find(|order| order.name() == name)
    }
}

/// Why nothing is told to an endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Off {
    /// Its owner switched it off.
    Owner,
    /// It failed for too long.
    Failing,
    /// It said that it is gone (410).
    Gone,
}

impl Off {
    /// The name stored and shown.
    pub fn name(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Failing => "failing",
            Self::Gone => "gone",
        }
    }

    /// The reason of that name.
    pub fn named(name: &str) -> Option<Self> {
        [Self::Owner, Self::Failing, Self::Gone].into_iter().find(|off| off.name() == name)
    }
}

/// Which events of all that its owner may hear: each list that is not empty must hold what an event is about.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Filter {
    /// The category a product is in, or just left.
    pub categories: Vec<CategoryId>,
    /// The product.
    pub products: Vec<ProductId>,
    /// The seller account.
    pub sellers: Vec<SellerId>,
    /// Channels: topics of live streams, such as `products:{categoryId}`.
    pub channels: Vec<String>,
}

impl Filter {
    /// Its channels that are topics, which are all of those that were checked.
    pub fn topics(&self) -> impl Iterator<Item = Topic> {
        self.channels.iter().filter_map(|channel| channel.parse().ok())
    }
}

/// An endpoint, without its secrets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// Its id.
    pub id: EndpointId,
    /// Whose it is.
    pub owner: Owner,
    /// Who made it.
    pub made_by: UserId,
    /// Where events are sent.
    pub url: String,
    /// What its owner says of it; may be empty.
    pub description: String,
    /// The types it hears; none for all that its owner may hear.
    pub types: Vec<EventType>,
    /// Which of them.
    pub filter: Filter,
    /// How much they say.
    pub form: Form,
    /// In which order they come.
    pub order: Order,
    /// How many calls a minute it wants at most.
    pub per_minute: Option<u32>,
    /// Why nothing is told to it, if nothing is.
    pub off: Option<Off>,
    /// Since when every call failed.
    pub failing_since: Option<Timestamp>,
    /// Until when its circuit is open; past that, until it was proven to be well again.
    pub circuit_until: Option<Timestamp>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

impl Endpoint {
    /// Whether events are told to it.
    pub fn is_on(&self) -> bool {
        self.off.is_none()
    }
}
