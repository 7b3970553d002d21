//! The changes of jobs that people or the system make to the shop's own work.

use serde_json::{Value, json};

use crate::{
    event::{Change, Entity},
    id::JobId,
    job::StoredJob,
};

fn change(action: &'static str, event: &'static str, id: JobId, kind: &str, metadata: Value) -> Change {
    let payload = json!({ "jobId": id, "kind": kind });
    Change { action, event, entity: Entity::new("job", id), payload, metadata }
}

pub(super) fn retried(job: &StoredJob) -> Change {
    let metadata = json!({ "kind": job.kind, "state": job.state.name(), "attempts": job.attempts });
    change("job.retry", "job.retried", job.id, &job.kind, metadata)
}

pub(super) fn cancelled(job: &StoredJob) -> Change {
    let metadata = json!({ "kind": job.kind, "state": job.state.name() });
    change("job.cancel", "job.cancelled", job.id, &job.kind, metadata)
}

/// Somebody started an entry of the schedule by hand.
pub(crate) fn requested(id: JobId, kind: &str, schedule: &str) -> Change {
    change("job.request", "job.requested", id, kind, json!({ "kind": kind, "schedule": schedule }))
}

/// A page of products was looked at; told also when nothing had to be changed, so that one sees how far it got.
pub(crate) fn reindexed(id: JobId, kind: &str, products: usize, changed: u64) -> Change {
    change("job.reindex", "job.reindexed", id, kind, json!({ "products": products, "changed": changed }))
}
