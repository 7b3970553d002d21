//! The changes of files and grants, told once for events and audit.

use serde_json::json;

use super::{Grant, ProductFile};
use crate::event::{Change, Entity};

fn of(file: &ProductFile, action: &'static str, event: &'static str) -> Change {
    Change {
        action,
        event,
        entity: Entity::new("file", file.id),
        payload: json!({
            "fileId": file.id,
            "productId": file.product,
            "sellerId": file.seller,
            "size": file.size,
            "mediaType": file.told.media_type.as_str(),
            "public": file.is_public(),
        }),
        metadata: json!({ "digest": file.digest }),
    }
}

pub(super) fn created(file: &ProductFile) -> Change {
    of(file, "file.create", "file.created")
}

pub(super) fn deleted(file: &ProductFile) -> Change {
    of(file, "file.delete", "file.deleted")
}

fn about(grant: &Grant, action: &'static str, event: &'static str) -> Change {
    Change {
        action,
        event,
        entity: Entity::new("grant", grant.id),
        payload: json!({ "grantId": grant.id, "productId": grant.product, "userId": grant.user }),
        metadata: json!({}),
    }
}

pub(super) fn granted(grant: &Grant) -> Change {
    about(grant, "grant.give", "grant.given")
}

pub(super) fn taken(grant: &Grant) -> Change {
    about(grant, "grant.take", "grant.taken")
}
