//! The changes of the category tree.

use serde_json::{Value, json};

use super::difference;
use crate::{
    catalog::Category,
    event::{Change, Entity},
};

fn snapshot(category: &Category) -> Value {
    json!({
        "categoryId": category.id,
        "parentId": category.parent,
        "name": category.name,
        "slug": category.slug,
        "rank": category.rank,
    })
}

pub(in crate::catalog) fn created(category: &Category) -> Change {
    Change {
        action: "category.create",
        event: "category.created",
        entity: Entity::new("category", category.id),
        payload: snapshot(category),
        metadata: json!({ "slug": category.slug, "parent": category.parent }),
    }
}

pub(in crate::catalog) fn updated(before: &Category, after: &Category) -> Change {
    Change {
        action: "category.update",
        event: "category.updated",
        entity: Entity::new("category", after.id),
        payload: snapshot(after),
        metadata: json!({ "changed": difference(before, after) }),
    }
}

pub(in crate::catalog) fn deleted(category: &Category, moved: usize) -> Change {
    Change {
        action: "category.delete",
        event: "category.deleted",
        entity: Entity::new("category", category.id),
        payload: json!({ "categoryId": category.id, "parentId": category.parent }),
        metadata: json!({ "slug": category.slug, "movedProducts": moved }),
    }
}
