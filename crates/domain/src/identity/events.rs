//! The changes of accounts, told once for events and audit.

use serde_json::json;

use super::{Seller, User};
use crate::{
    event::{Change, Entity},
    id::UserId,
};

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
