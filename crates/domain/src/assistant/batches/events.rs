//! The changes of batches and their files, told once for events and audit. What is asked and answered stays out of both.

use serde_json::json;

use super::{AssistantFile, Batch};
use crate::event::{Change, Entity};

fn file(file: &AssistantFile, action: &'static str, event: &'static str) -> Change {
    Change {
        action,
        event,
        entity: Entity::new("assistant_file", file.id),
        payload: json!({ "fileId": file.id }),
        metadata: json!({ "purpose": file.purpose.name(), "size": file.size }),
    }
}

pub(super) fn file_created(new: &AssistantFile) -> Change {
    file(new, "assistant_file.create", "assistant_file.created")
}

pub(super) fn file_deleted(gone: &AssistantFile) -> Change {
    file(gone, "assistant_file.delete", "assistant_file.deleted")
}

fn batch(batch: &Batch, action: &'static str, event: &'static str) -> Change {
    Change {
        action,
        event,
        entity: Entity::new("assistant_batch", batch.id),
        payload: json!({ "batchId": batch.id, "status": batch.state.name() }),
        metadata: json!({
            "status": batch.state.name(),
            "total": batch.counts.total,
            "completed": batch.counts.completed,
            "failed": batch.counts.failed,
        }),
    }
}

pub(super) fn created(one: &Batch) -> Change {
    batch(one, "assistant_batch.create", "assistant_batch.created")
}

pub(super) fn cancelled(one: &Batch) -> Change {
    batch(one, "assistant_batch.cancel", "assistant_batch.cancelled")
}

pub(super) fn ended(one: &Batch) -> Change {
    batch(one, "assistant_batch.end", "assistant_batch.ended")
}

pub(super) fn deleted(one: &Batch) -> Change {
    batch(one, "assistant_batch.delete", "assistant_batch.deleted")
}
