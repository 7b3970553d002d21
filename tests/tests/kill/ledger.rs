//! A writer and what it knows: what was acknowledged, and what was in doubt when the answer did not come.

use std::{cell::Cell, collections::BTreeMap};

use serde_json::json;
use souk_e2e::{Client, Reply};

use crate::version;

/// What a product must look like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct State {
    pub version: i64,
    pub price: i64,
    pub stock: i64,
    pub deleted: bool,
    pub stock_changes: i64,
}

/// What a writer knows of a product.
#[derive(Debug, Clone)]
pub struct Known {
    /// Its id, from the acknowledgement of its creation.
    id: Option<String>,
    /// As it was acknowledged; `None` when even its creation was not.
    acknowledged: Option<State>,
    /// As it is if the request without an answer took effect.
    doubtful: Option<State>,
}

/// Numbers that look random, for choosing what to do when.
#[derive(Debug, Clone)]
pub struct Dice(Cell<u64>);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(Cell::new(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1))
    }

    /// A number below `sides`.
    pub fn roll(&self, sides: u64) -> u64 {
        let mut x = self.0.get();
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        self.0.set(x);
        x % sides
    }
}

/// Writes products of its own, one request after the other.
#[derive(Debug, Clone)]
pub struct Writer {
    name: u64,
    next: u64,
    dice: Dice,
    /// By sku.
    pub products: BTreeMap<String, Known>,
}

impl Writer {
    pub fn new(name: u64) -> Self {
        Self { name, next: 0, dice: Dice::new(name + 7), products: BTreeMap::new() }
    }

    /// Sends one request; `false` when no answer came, so that its effect is in doubt.
    pub async fn turn(&mut self, seller: &Client) -> bool {
        let live: Vec<String> = self
            .products
            .iter()
            .filter(|(_, known)| known.id.is_some() && known.acknowledged.as_ref().is_some_and(|state| !state.deleted))
            .map(|(sku, _)| sku.clone())
            .collect();
        let choice = self.dice.roll(10);
        if live.is_empty() || choice < 4 {
            return self.create(seller).await;
        }
        let sku = live[usize::try_from(self.dice.roll(u64::try_from(live.len()).unwrap())).unwrap()].clone();
        let known = self.products[&sku].clone();
        let path = format!("/api/v1/products/{}", known.id.unwrap());
        let mut state = known.acknowledged.unwrap();
        let (request, status) = match choice {
            4..7 => {
                state.price += 1;
                state.version += 1;
                let price = format!("{}.{:02}", state.price / 100, state.price % 100);
                let price: serde_json::Number = price.parse().unwrap();
                (seller.request("PATCH", &path).json(&json!({ "price": price })), 200)
            }
            7..9 => {
                state.stock += 2;
                state.stock_changes += 1;
                (seller.request("POST", &format!("{path}/stock-adjustments")).json(&json!({ "delta": 2 })), 200)
            }
            _ => {
                state.deleted = true;
                state.version += 1;
                (seller.request("DELETE", &path), 200)
            }
        };
        self.products.get_mut(&sku).unwrap().doubtful = Some(state.clone());
        let Some(reply) = answer(seller, request).await else { return false };
        assert_eq!(reply.status, status, "{}: {}", reply.what, reply.text());
        let known = self.products.get_mut(&sku).unwrap();
        known.acknowledged = Some(state);
        known.doubtful = None;
        true
    }

    async fn create(&mut self, seller: &Client) -> bool {
        let sku = format!("kill-{}-{}", self.name, self.next);
        self.next += 1;
        let state = State { version: 1, price: 1995, stock: 3, deleted: false, stock_changes: 0 };
        let known = Known { id: None, acknowledged: None, doubtful: Some(state.clone()) };
        self.products.insert(sku.clone(), known);
        let body = json!({ "name": "Brass lamp", "price": 19.95, "stock": 3, "sku": sku });
        let Some(reply) = answer(seller, seller.request("POST", "/api/v1/products").json(&body)).await else {
            return false;
        };
        let made = reply.expect(201).json();
        assert_eq!(version(&made), 1);
        let id = made["id"].as_str().unwrap().to_owned();
        self.products.insert(sku, Known { id: Some(id), acknowledged: Some(state), doubtful: None });
        true
    }

    /// Compares with what is stored, and takes it for the truth where there was doubt.
    pub fn settle(&mut self, stored: &BTreeMap<String, State>, faults: &mut Vec<String>) {
        let mut gone = Vec::new();
        for (sku, known) in &mut self.products {
            let found = stored.get(sku);
            let doubtful = known.doubtful.take();
            if found != known.acknowledged.as_ref() && (doubtful.is_none() || found != doubtful.as_ref()) {
                faults.push(format!(
                    "lost write: {sku} should be {:?} or {doubtful:?}, is {found:?}",
                    known.acknowledged
                ));
            }
            match found {
                Some(state) => known.acknowledged = Some(state.clone()),
                None => gone.push(sku.clone()),
            }
        }
        for sku in gone {
            self.products.remove(&sku);
        }
    }
}

/// The answer, unless the process died or was about to.
async fn answer(seller: &Client, request: reqwest::RequestBuilder) -> Option<Reply> {
    seller.try_send(request).await.ok().filter(|reply| reply.status < 500)
}
