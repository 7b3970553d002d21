//! What is told of models.

use serde_json::{Value, json};

use super::{Fault, Model, Version};
use crate::{
    catalog::Product,
    event::{Change, Entity},
};

/// What every event of a model carries: whose it is, and enough to decide who may hear of it.
fn payload(model: &Model, product: &Product, version: Option<&Version>) -> Value {
    json!({
        "modelId": model.id,
        "productId": product.id,
        "sellerId": model.seller,
        "status": product.status,
        "name": model.name,
        "version": version.map(|version| version.number),
        "state": version.map(|version| version.state),
        "progress": version.map(Version::progress),
    })
}

fn change(action: &'static str, event: &'static str, model: &Model, payload: Value, metadata: Value) -> Change {
    Change { action, event, entity: Entity::new("model", model.id), payload, metadata }
}

pub(super) fn created(model: &Model, product: &Product, version: &Version) -> Change {
    let metadata = json!({ "product": product.id, "digest": version.source, "size": version.size });
    change("model.create", "model.created", model, payload(model, product, Some(version)), metadata)
}

pub(super) fn version_added(model: &Model, product: &Product, version: &Version) -> Change {
    let metadata = json!({ "version": version.number, "digest": version.source, "size": version.size });
    change("model.add_version", "model.version_added", model, payload(model, product, Some(version)), metadata)
}

pub(super) fn version_measured(model: &Model, product: &Product, version: &Version) -> Change {
    let triangles = version.findings.as_ref().map(|findings| findings.triangles);
    let metadata = json!({ "version": version.number, "triangles": triangles });
    change("model.measure_version", "model.version_measured", model, payload(model, product, Some(version)), metadata)
}

pub(super) fn version_ready(model: &Model, product: &Product, version: &Version) -> Change {
    let metadata = json!({ "version": version.number });
    change("model.finish_version", "model.version_ready", model, payload(model, product, Some(version)), metadata)
}

pub(super) fn version_failed(model: &Model, product: &Product, version: &Version, fault: &Fault) -> Change {
    let metadata = json!({ "version": version.number, "code": fault.code });
    change("model.fail_version", "model.version_failed", model, payload(model, product, Some(version)), metadata)
}

pub(super) fn version_deleted(model: &Model, product: &Product, version: &Version) -> Change {
    let metadata = json!({ "version": version.number });
    change("model.delete_version", "model.version_deleted", model, payload(model, product, None), metadata)
}

pub(super) fn renamed(model: &Model, product: &Product, before: &Model) -> Change {
    let metadata = json!({ "before": before.name, "after": model.name });
    change("model.rename", "model.renamed", model, payload(model, product, None), metadata)
}

/// It left this product.
pub(super) fn detached(model: &Model, product: &Product) -> Change {
    change("model.detach", "model.detached", model, payload(model, product, None), json!({ "product": product.id }))
}

/// It came to this product.
pub(super) fn attached(model: &Model, product: &Product, before: &Model) -> Change {
    let metadata = json!({ "product": product.id, "before": before.name, "after": model.name });
    change("model.attach", "model.attached", model, payload(model, product, None), metadata)
}

pub(super) fn deleted(model: &Model, product: &Product) -> Change {
    let metadata = json!({ "latest": model.latest });
    change("model.delete", "model.deleted", model, payload(model, product, None), metadata)
}

pub(super) fn purged(model: &Model) -> Change {
    change("model.purge", "model.purged", model, json!({ "modelId": model.id }), json!({}))
}
