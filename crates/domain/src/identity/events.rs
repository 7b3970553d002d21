//! The changes of accounts, told once for events and audit.

use serde_json::{Value, json};

use super::{EndReason, Seller, StoredSession, User};
use crate::{
    clock::Timestamp,
    event::{Change, Entity},
    id::UserId,
    permission::Role,
};

/// What is to become of a role of somebody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RoleChange {
    /// They have it from now on.
    Grant,
    /// They have it no more.
    Revoke,
}

/// Somebody has an account now.
pub(super) fn user_created(user: &User) -> Change {
    Change {
        action: "user.create",
        event: "user.created",
        entity: Entity::new("user", user.id),
        payload: json!({ "userId": user.id }),
        metadata: json!({ "roles": user.roles }),
    }
}

/// Somebody may do more than before, or less.
pub(crate) fn role_changed(user: &User, change: RoleChange, role: Role) -> Change {
    let (action, event) = match change {
        RoleChange::Grant => ("user.grant_role", "user.role_granted"),
        RoleChange::Revoke => ("user.revoke_role", "user.role_revoked"),
    };
    Change {
        action,
        event,
        entity: Entity::new("user", user.id),
        payload: json!({ "userId": user.id }),
        metadata: json!({ "role": role, "roles": user.roles }),
    }
}

/// Somebody has a seller account now.
pub(super) fn seller_created(seller: &Seller, member: UserId) -> Change {
    Change {
        action: "seller.create",
        event: "seller.created",
        entity: Entity::new("seller", seller.id),
        payload: json!({ "sellerId": seller.id }),
        metadata: json!({ "member": member }),
    }
}

fn session_change(session: &StoredSession, action: &'static str, event: &'static str, metadata: Value) -> Change {
    let payload = json!({ "sessionId": session.id, "userId": session.user, "tokensUntil": session.tokens_until });
    Change { action, event, entity: Entity::new("session", session.id), payload, metadata }
}

/// Somebody signed in.
pub(super) fn session_created(session: &StoredSession) -> Change {
    session_change(session, "session.create", "session.created", json!({ "userId": session.user }))
}

/// An operator acts as somebody else from now on. Why stays with the session.
pub(crate) fn session_impersonated(session: &StoredSession) -> Change {
    session_change(session, "session.impersonate", "session.created", json!({ "userId": session.user }))
}

/// Somebody goes on with their session.
pub(super) fn session_refreshed(session: &StoredSession) -> Change {
    let metadata = json!({ "userId": session.user, "generation": session.generation });
    session_change(session, "session.refresh", "session.refreshed", metadata)
}

/// A session is over before its time.
pub(super) fn session_ended(session: &StoredSession, reason: EndReason) -> Change {
    let metadata = json!({ "userId": session.user, "reason": reason.name() });
    session_change(session, "session.end", "session.ended", metadata)
}

/// Somebody has another password now, and whoever signed in with the old one is to sign in again.
pub(super) fn password_changed(user: UserId) -> Change {
    of_user("user.change_password", "user.password_changed", user)
}

/// A guest is a user of the shop from now on.
pub(super) fn user_promoted(user: UserId) -> Change {
    of_user("user.promote", "user.promoted", user)
}

/// A guest chose an address and a password, and is to prove the address.
pub(super) fn promotion_requested(user: UserId) -> Change {
    of_user("user.request_promotion", "user.promotion_requested", user)
}

/// Somebody has proven that their address is theirs.
pub(super) fn email_verified(user: UserId) -> Change {
    of_user("user.verify_email", "user.email_verified", user)
}

/// Somebody asked to be deleted.
pub(super) fn deletion_requested(user: UserId, due: Timestamp) -> Change {
    let change = of_user("user.request_deletion", "user.deletion_requested", user);
    Change { metadata: json!({ "due": due }), ..change }
}

/// Somebody thought again.
pub(super) fn deletion_withdrawn(user: UserId) -> Change {
    of_user("user.withdraw_deletion", "user.deletion_withdrawn", user)
}

/// Somebody is a pseudonym from now on.
pub(super) fn user_deleted(user: UserId) -> Change {
    of_user("user.delete", "user.deleted", user)
}

/// Somebody wants an archive of all that is kept of them.
pub(super) fn export_requested(user: UserId) -> Change {
    of_user("user.request_export", "user.export_requested", user)
}

/// The archive is there.
pub(super) fn export_made(user: UserId) -> Change {
    of_user("user.make_export", "user.export_made", user)
}

/// The archive is gone, before its time.
pub(super) fn export_deleted(user: UserId) -> Change {
    of_user("user.delete_export", "user.export_deleted", user)
}

/// Somebody has another address now; neither is told.
pub(super) fn email_changed(user: UserId) -> Change {
    of_user("user.change_email", "user.email_changed", user)
}

/// Somebody goes by another name now.
pub(super) fn renamed(user: UserId) -> Change {
    of_user("user.rename", "user.renamed", user)
}

/// Somebody can sign in by a provider, or with tokens of an issuer.
pub(super) fn identity_linked(user: UserId, provider: &str) -> Change {
    let change = of_user("user.link_identity", "user.identity_linked", user);
    Change { metadata: json!({ "provider": provider }), ..change }
}

/// Somebody cannot any more.
pub(super) fn identity_unlinked(user: UserId, provider: &str) -> Change {
    let change = of_user("user.unlink_identity", "user.identity_unlinked", user);
    Change { metadata: json!({ "provider": provider }), ..change }
}

fn of_user(action: &'static str, event: &'static str, user: UserId) -> Change {
    Change { action, event, entity: Entity::new("user", user), payload: json!({ "userId": user }), metadata: json!({}) }
}
