//! The changes of second factors and passkeys, told once for events and audit. No secret is in them.

use serde_json::json;

use crate::{
    event::{Change, Entity},
    id::UserId,
    identity::{Method, StoredSession},
};

/// Somebody has another way to prove who they are.
pub(in crate::identity) fn factor_added(user: UserId, factor: Method) -> Change {
    change("user.add_factor", "user.factor_added", user, factor)
}

/// They have it no more.
pub(in crate::identity) fn factor_removed(user: UserId, factor: Method) -> Change {
    change("user.remove_factor", "user.factor_removed", user, factor)
}

/// Their recovery codes are others.
pub(in crate::identity) fn recovery_codes_renewed(user: UserId) -> Change {
    change("user.renew_recovery_codes", "user.recovery_codes_renewed", user, Method::Recovery)
}

/// One of their recovery codes was used.
pub(in crate::identity) fn recovery_code_used(user: UserId) -> Change {
    change("user.use_recovery_code", "user.recovery_code_used", user, Method::Recovery)
}

/// Somebody proved anew, within a session, who they are.
pub(in crate::identity) fn session_authenticated(session: &StoredSession) -> Change {
    Change {
        action: "session.authenticate",
        event: "session.authenticated",
        entity: Entity::new("session", session.id),
        payload: json!({ "sessionId": session.id, "userId": session.user, "tokensUntil": session.tokens_until }),
        metadata: json!({ "userId": session.user, "methods": session.methods.names().collect::<Vec<_>>() }),
    }
}

/// One of their passkeys has another name.
pub(in crate::identity) fn passkey_renamed(user: UserId) -> Change {
    change("user.rename_passkey", "user.passkey_renamed", user, Method::Passkey)
}

fn change(action: &'static str, event: &'static str, user: UserId, factor: Method) -> Change {
    Change {
        action,
        event,
        entity: Entity::new("user", user),
        payload: json!({ "userId": user }),
        metadata: json!({ "factor": factor.name() }),
    }
}
