//! The changes of access, told once for events and audit. Texts of keys, and what somebody is banned for, stay out of both.

use serde_json::{Value, json};

use super::{ApiKey, Ban, StoredRole};
use crate::{
    event::{Change, Entity},
    id::UserId,
};

fn role(action: &'static str, event: &'static str, role: &StoredRole, metadata: Value) -> Change {
    let payload = json!({ "roleId": role.id, "name": role.role });
    Change { action, event, entity: Entity::new("role", role.id), payload, metadata }
}

fn told(role: &StoredRole) -> Value {
    json!({ "level": role.role.level(), "permissions": role.permissions().names().collect::<Vec<_>>() })
}

pub(super) fn role_created(new: &StoredRole) -> Change {
    role("role.create", "role.created", new, told(new))
}

pub(super) fn role_updated(before: &StoredRole, after: &StoredRole) -> Change {
    role("role.update", "role.updated", after, json!({ "before": told(before), "after": told(after) }))
}

pub(super) fn role_deleted(gone: &StoredRole) -> Change {
    role("role.delete", "role.deleted", gone, told(gone))
}

fn user(action: &'static str, event: &'static str, user: UserId, metadata: Value) -> Change {
    Change { action, event, entity: Entity::new("user", user), payload: json!({ "userId": user }), metadata }
}

pub(crate) fn banned(ban: &Ban) -> Change {
    user("user.ban", "user.banned", ban.user, json!({ "until": ban.until }))
}

pub(crate) fn unbanned(ban: &Ban) -> Change {
    user("user.unban", "user.unbanned", ban.user, json!({ "until": ban.until }))
}

fn key(action: &'static str, event: &'static str, key: &ApiKey) -> Change {
    Change {
        action,
        event,
        entity: Entity::new("api_key", key.id),
        // Whose open connections are to look again.
        payload: json!({ "apiKeyId": key.id, "userId": key.user }),
        metadata: json!({
            "sellerId": key.seller,
            "scopes": key.scopes.names().collect::<Vec<_>>(),
            "models": key.models,
            "expiresAt": key.expires_at,
        }),
    }
}

pub(super) fn key_created(new: &ApiKey) -> Change {
    key("api_key.create", "api_key.created", new)
}

pub(super) fn key_renamed(one: &ApiKey) -> Change {
    key("api_key.rename", "api_key.renamed", one)
}

pub(super) fn key_updated(one: &ApiKey) -> Change {
    key("api_key.update", "api_key.updated", one)
}

pub(super) fn key_deleted(gone: &ApiKey) -> Change {
    key("api_key.delete", "api_key.deleted", gone)
}
