//! The changes of accounts, told once for events and audit.

use serde_json::json;

use super::{Seller, User};
use crate::{
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
        payload: json!({ "sellerId": seller.id, "slug": seller.slug }),
        metadata: json!({ "member": member }),
    }
}
