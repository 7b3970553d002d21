//! Compares what was acknowledged with what is stored, and every change with its event and audit entry.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    ledger::{State, Writer},
    rows::Picture,
};

/// The kinds that count a product's version on; each has exactly one event per version.
const VERSIONED: [&str; 4] = ["product.created", "product.updated", "product.deleted", "product.restored"];

/// Everything that is wrong. What was in doubt when the process died is decided by what is stored.
pub fn faults(found: &Picture, writers: &mut [Writer]) -> Vec<String> {
    let mut faults = Vec::new();
    let mut versioned: BTreeMap<&str, i64> = BTreeMap::new();
    let mut stock: BTreeMap<&str, i64> = BTreeMap::new();
    let products: BTreeSet<&str> = found.products.iter().map(|row| row.id.as_str()).collect();
    for event in &found.events {
        if VERSIONED.contains(&event.kind.as_str()) {
            *versioned.entry(&event.entity).or_default() += 1;
        } else if event.kind == "product.stock_changed" {
            *stock.entry(&event.entity).or_default() += 1;
        }
        if event.kind.starts_with("product.") && !products.contains(event.entity.as_str()) {
            faults.push(format!("phantom event {} {}: there is no such product", event.kind, event.id));
        }
    }
    let mut stored = BTreeMap::new();
    for row in &found.products {
        let events = versioned.get(row.id.as_str()).copied().unwrap_or_default();
        let kind = if events < row.version { "lost" } else { "phantom" };
        if events != row.version {
            faults.push(format!("{kind} event: product {} has version {}, and {events} events", row.id, row.version));
        }
        let state = State {
            version: row.version,
            price: row.price,
            stock: row.stock,
            deleted: row.deleted,
            stock_changes: stock.get(row.id.as_str()).copied().unwrap_or_default(),
        };
        stored.insert(row.sku.clone(), state);
    }
    for writer in writers.iter_mut() {
        writer.settle(&stored, &mut faults);
    }
    let known: BTreeSet<&String> = writers.iter().flat_map(|writer| writer.products.keys()).collect();
    for sku in stored.keys().filter(|sku| sku.starts_with("kill-") && !known.contains(sku)) {
        faults.push(format!("phantom write: nobody sent {sku}"));
    }
    pairs(found, &mut faults);
    numbers(found, &mut faults);
    faults
}

/// Each event has an audit entry and each audit entry an event.
fn pairs(found: &Picture, faults: &mut Vec<String>) {
    let events: BTreeSet<&str> = found.events.iter().map(|event| event.id.as_str()).collect();
    let audit: BTreeSet<&str> = found.audit.iter().map(String::as_str).collect();
    faults.extend(events.difference(&audit).map(|id| format!("event {id} has no audit entry")));
    faults.extend(audit.difference(&events).map(|id| format!("lost event: audit entry {id} has none")));
}

/// The numbers go from 1 on without a gap.
fn numbers(found: &Picture, faults: &mut Vec<String>) {
    let mut seqs: Vec<i64> = found.events.iter().filter_map(|event| event.seq).collect();
    if seqs.len() != found.events.len() {
        faults.push("events without a number".to_owned());
    }
    seqs.sort_unstable();
    if let Some((expected, seq)) = (1..).zip(seqs).find(|(expected, seq)| expected != seq) {
        faults.push(format!("a gap in the log: {expected} is missing, {seq} is there"));
    }
}
