//! The changes of prompts, told once for events and audit. What templates say stays out of both: the version has it.

use serde_json::{Value, json};

use super::{Prompt, VersionNumber};
use crate::event::{Change, Entity};

fn change(action: &'static str, event: &'static str, prompt: &Prompt, metadata: Value) -> Change {
    let payload = json!({ "promptId": prompt.id, "name": prompt.name });
    Change { action, event, entity: Entity::new("prompt", prompt.id), payload, metadata }
}

pub(super) fn created(prompt: &Prompt) -> Change {
    let metadata = json!({ "name": prompt.name, "description": prompt.description });
    change("prompt.create", "prompt.created", prompt, metadata)
}

/// `fields` are the names of what changed.
pub(super) fn updated(prompt: &Prompt, fields: &[&'static str]) -> Change {
    let metadata = json!({ "name": prompt.name, "version": prompt.version, "fields": fields });
    change("prompt.update", "prompt.updated", prompt, metadata)
}

pub(super) fn version_written(prompt: &Prompt, number: VersionNumber) -> Change {
    let metadata = json!({ "name": prompt.name, "number": number });
    change("prompt.write_version", "prompt.version_written", prompt, metadata)
}

pub(super) fn deleted(prompt: &Prompt) -> Change {
    change("prompt.delete", "prompt.deleted", prompt, json!({ "name": prompt.name }))
}

fn split(action: &'static str, event: &'static str, prompt: &Prompt) -> Change {
    let split = prompt.split.as_ref();
    let metadata = json!({
        "name": prompt.name,
        "number": split.map(|split| split.number),
        "origin": split.map(|split| split.origin),
        "shares": split.map(|split| &split.shares),
    });
    change(action, event, prompt, metadata)
}

pub(super) fn split_set(prompt: &Prompt) -> Change {
    split("prompt.set_split", "prompt.split_set", prompt)
}

pub(super) fn rolled_back(prompt: &Prompt) -> Change {
    split("prompt.roll_back", "prompt.rolled_back", prompt)
}
