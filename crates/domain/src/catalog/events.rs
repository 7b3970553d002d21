//! The changes of the catalogue, told once for events and audit.

pub(super) mod category;
pub(super) mod review;

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::Product;
use crate::{
    event::{Change, Entity},
    id::ProductId,
};

/// What readers of the event log get of a product: public facts, without the long texts.
pub(crate) fn snapshot(product: &Product) -> Value {
    json!({
        "productId": product.id,
        "sellerId": product.seller,
        "categoryId": product.category,
        "name": product.name,
        "slug": product.slug,
        "priceMinor": product.price,
        "stock": product.stock,
        "status": product.status,
        "version": product.version,
    })
}

pub(super) fn created(product: &Product) -> Change {
    let image = |i: &super::Image| i.url.clone();
    Change {
        action: "product.create",
        event: "product.created",
        entity: Entity::new("product", product.id),
        payload: snapshot(product),
        metadata: json!({ "sku": product.sku, "price": product.price, "images": product.images.iter().map(image).collect::<Vec<_>>() }),
    }
}

pub(super) fn updated(before: &Product, after: &Product) -> Change {
    let mut payload = snapshot(after);
    if before.category != after.category {
        // The topic of the old category hears of it too.
        insert(&mut payload, "previousCategoryId", json!(before.category));
    }
    if before.status != after.status {
        insert(&mut payload, "previousStatus", json!(before.status));
    }
    Change {
        action: "product.update",
        event: "product.updated",
        entity: Entity::new("product", after.id),
        payload,
        metadata: json!({ "version": after.version, "changed": difference(before, after) }),
    }
}

pub(super) fn deleted(product: &Product) -> Change {
    Change {
        action: "product.delete",
        event: "product.deleted",
        entity: Entity::new("product", product.id),
        payload: json!({
            "productId": product.id,
            "sellerId": product.seller,
            "categoryId": product.category,
            "status": product.status,
        }),
        metadata: json!({ "version": product.version, "slug": product.slug }),
    }
}

pub(super) fn restored(product: &Product) -> Change {
    Change {
        action: "product.restore",
        event: "product.restored",
        entity: Entity::new("product", product.id),
        payload: snapshot(product),
        metadata: json!({ "version": product.version, "slug": product.slug }),
    }
}

pub(super) fn stock_changed(product: &Product, delta: i64, stock: i64, reason: Option<&str>) -> Change {
    let mut payload = snapshot(product);
    insert(&mut payload, "stock", json!(stock));
    Change {
        action: "product.adjust_stock",
        event: "product.stock_changed",
        entity: Entity::new("product", product.id),
        payload,
        metadata: json!({ "delta": delta, "stock": stock, "reason": reason }),
    }
}

pub(super) fn purged(id: ProductId) -> Change {
    Change {
        action: "product.purge",
        event: "product.purged",
        entity: Entity::new("product", id),
        payload: json!({ "productId": id }),
        metadata: json!({}),
    }
}

/// The fields that differ, each as `[before, after]`.
fn difference<T: Serialize>(before: &T, after: &T) -> Value {
    let (Ok(Value::Object(before)), Ok(Value::Object(after))) =
        (serde_json::to_value(before), serde_json::to_value(after))
    else {
        return Value::Null;
    };
    let silent = ["version", "updatedAt", "rating"];
    let changed =
        after.into_iter().filter(|(field, _)| !silent.contains(&field.as_str())).filter_map(|(field, value)| {
            let old = before.get(&field).cloned().unwrap_or(Value::Null);
            (old != value).then(|| (field, json!([old, value])))
        });
    Value::Object(changed.collect::<Map<_, _>>())
}

fn insert(payload: &mut Value, key: &str, value: Value) {
    if let Value::Object(map) = payload {
        map.insert(key.to_owned(), value);
    }
}
