//! Invitations to a seller account.

use std::time::Duration;

use super::MemberRole;
use crate::{
    clock::Timestamp,
    error::Violations,
    id::{InvitationId, SellerId, UserId},
    identity::Email,
    secrets::Mac,
};

/// How long an invitation holds.
pub const INVITATION_LIFE: Duration = Duration::from_hours(7 * 24);

/// An invitation, without its code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invitation {
    /// Its id.
    pub id: InvitationId,
    /// The account one is invited to.
    pub seller: SellerId,
    /// Who is invited: whoever signs in with this address.
    pub email: Email,
    /// What they are to be.
    pub role: MemberRole,
    /// Who invited them.
    pub by: UserId,
    /// When it ends.
    pub expires_at: Timestamp,
    /// When it was made.
    pub created_at: Timestamp,
}

/// What makes an invitation, unchecked.
#[derive(Debug, Clone, Default)]
pub struct InvitationInput {
    /// The address of who is invited.
    pub email: Option<String>,
    /// What they are to be; a member when nothing is said.
    pub role: Option<MemberRole>,
}

/// A checked [`InvitationInput`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewInvitation {
    pub(super) email: Email,
    pub(super) role: MemberRole,
}

impl InvitationInput {
    /// Checks every field; breaches go to `violations`.
    pub fn check(&self, violations: &mut Violations) -> Option<NewInvitation> {
        let email = match &self.email {
            Some(text) => violations.check("/email", Email::parse(text)),
            None => violations.missing("/email"),
        };
        Some(NewInvitation { email: email?, role: self.role.unwrap_or(MemberRole::Member) })
    }
}

/// What is kept of a code.
pub(super) fn digest(mac: &dyn Mac, code: &str) -> [u8; 32] {
    mac.mac(&[b"invitation:", code.as_bytes()].concat())
}
