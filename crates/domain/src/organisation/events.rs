//! The changes of organisations, told once for events and audit. Addresses and codes stay out of both.

use serde_json::{Value, json};

use super::{Invitation, MemberRole};
use crate::{
    event::{Change, Entity},
    id::{SellerId, UserId},
};

fn member(action: &'static str, event: &'static str, seller: SellerId, user: UserId, metadata: Value) -> Change {
    let payload = json!({ "sellerId": seller, "userId": user });
    Change { action, event, entity: Entity::new("seller", seller), payload, metadata }
}

pub(super) fn member_joined(invitation: &Invitation, user: UserId) -> Change {
    let metadata = json!({ "role": invitation.role, "invitationId": invitation.id, "invitedBy": invitation.by });
    member("seller.join", "seller.member_joined", invitation.seller, user, metadata)
}

pub(super) fn member_changed(seller: SellerId, user: UserId, before: MemberRole, after: MemberRole) -> Change {
    let metadata = json!({ "before": before, "after": after });
    member("seller.change_member", "seller.member_changed", seller, user, metadata)
}

pub(crate) fn member_left(seller: SellerId, user: UserId, role: MemberRole) -> Change {
    member("seller.remove_member", "seller.member_left", seller, user, json!({ "role": role }))
}

fn invitation(action: &'static str, event: &'static str, one: &Invitation) -> Change {
    Change {
        action,
        event,
        entity: Entity::new("invitation", one.id),
        payload: json!({ "invitationId": one.id, "sellerId": one.seller }),
        metadata: json!({ "role": one.role, "expiresAt": one.expires_at }),
    }
}

pub(super) fn invited(new: &Invitation) -> Change {
    invitation("invitation.create", "invitation.created", new)
}

pub(super) fn revoked(gone: &Invitation) -> Change {
    invitation("invitation.revoke", "invitation.revoked", gone)
}
