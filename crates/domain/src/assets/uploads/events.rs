//! The changes of uploads, told once for events and audit.

use serde_json::json;

use super::Resumable;
use crate::event::{Change, Entity};

fn of(upload: &Resumable, action: &'static str, event: &'static str) -> Change {
    Change {
        action,
        event,
        entity: Entity::new("upload", upload.id),
        payload: json!({
            "uploadId": upload.id,
            "sellerId": upload.seller,
            "purpose": upload.purpose.kind(),
            "length": upload.length,
            "offset": upload.offset,
        }),
        metadata: json!({}),
    }
}

pub(super) fn created(upload: &Resumable) -> Change {
    of(upload, "upload.create", "upload.created")
}

pub(super) fn finished(upload: &Resumable) -> Change {
    of(upload, "upload.finish", "upload.finished")
}

pub(super) fn failed(upload: &Resumable) -> Change {
    of(upload, "upload.fail", "upload.failed")
}

pub(super) fn deleted(upload: &Resumable) -> Change {
    of(upload, "upload.delete", "upload.deleted")
}
