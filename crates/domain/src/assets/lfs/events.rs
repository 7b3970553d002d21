//! The changes of libraries, told once for events and audit. Paths and names stay out of both.

use serde_json::{Value, json};

use super::{Library, Lock, Object};
use crate::event::{Change, Entity};

fn of_library(action: &'static str, event: &'static str, library: &Library, metadata: Value) -> Change {
    let payload = json!({ "libraryId": library.id, "sellerId": library.seller });
    Change { action, event, entity: Entity::new("library", library.id), payload, metadata }
}

pub(super) fn created(library: &Library) -> Change {
    of_library("library.create", "library.created", library, json!({}))
}

pub(super) fn object_added(library: &Library, object: &Object) -> Change {
    let metadata = json!({ "digest": object.digest, "size": object.size });
    of_library("library.add_object", "library.object_added", library, metadata)
}

pub(super) fn deleted(library: &Library, objects: u64) -> Change {
    of_library("library.delete", "library.deleted", library, json!({ "objects": objects }))
}

pub(super) fn locked(library: &Library, lock: &Lock) -> Change {
    of_library("library.lock", "library.locked", library, json!({ "lockId": lock.id }))
}

pub(super) fn unlocked(library: &Library, lock: &Lock) -> Change {
    let metadata = json!({ "lockId": lock.id, "ownerId": lock.owner });
    of_library("library.unlock", "library.unlocked", library, metadata)
}
