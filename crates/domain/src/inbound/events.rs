//! The changes of inbound webhooks, told once for events and audit: ids and public facts, nothing of what a body says.

use serde_json::{Value, json};

use super::HookEvent;
use crate::event::{Change, Entity};

fn of(hook: &HookEvent, action: &'static str, event: &'static str, metadata: Value) -> Change {
    Change {
        action,
        event,
        entity: Entity::new("inbound", hook.id),
        payload: json!({
            "hookEventId": hook.id,
            "source": hook.source,
            "type": hook.kind,
            "state": hook.state.name(),
            "outcome": hook.outcome,
        }),
        metadata,
    }
}

pub(super) fn received(hook: &HookEvent) -> Change {
    of(hook, "inbound.receive", "inbound.received", json!({ "source": hook.source, "size": hook.size }))
}

pub(super) fn handled(hook: &HookEvent) -> Change {
    of(hook, "inbound.handle", "inbound.handled", json!({ "source": hook.source, "outcome": hook.outcome }))
}

pub(super) fn replayed(hook: &HookEvent) -> Change {
    of(hook, "inbound.replay", "inbound.replayed", json!({ "source": hook.source, "replays": hook.replays }))
}
