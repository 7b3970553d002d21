//! What members of seller accounts and invitations look like in JSON.

use chrono::{DateTime, Utc};
use domain::organisation::{Account, Invitation, InvitationInput, Invited, Member, MemberRole};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{body::Fields, identity::dto::seller::SellerView};

/// What a member may do in a seller account.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[schema(as = SellerRole, example = "member")]
#[serde(rename_all = "camelCase")]
pub enum MemberRoleView {
    /// Sees, makes and changes every product of the account.
    Member,
    /// And invites members, removes them, and takes invitations back.
    Manager,
    /// And makes managers and owners of members, and API keys of the account.
    Owner,
}

impl From<MemberRole> for MemberRoleView {
    fn from(role: MemberRole) -> Self {
        match role {
            MemberRole::Member => Self::Member,
            MemberRole::Manager => Self::Manager,
            MemberRole::Owner => Self::Owner,
        }
    }
}

fn role(fields: &mut Fields<'_>) -> Option<MemberRole> {
    fields.choice("role", MemberRole::named, "member, manager, owner")
}

/// A seller account one is a member of.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = MySeller)]
#[serde(rename_all = "camelCase")]
pub struct AccountView {
    /// The account.
    #[serde(flatten)]
    pub seller: SellerView,
    /// What one may do in it.
    pub role: MemberRoleView,
}

impl From<&Account> for AccountView {
    fn from(account: &Account) -> Self {
        Self { seller: SellerView::from(&account.seller), role: account.role.into() }
    }
}

/// The seller accounts one is a member of.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = MySellers)]
pub struct AccountsView {
    /// The accounts, the oldest first.
    pub items: Vec<AccountView>,
}

/// A member of a seller account.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SellerMember)]
#[serde(rename_all = "camelCase")]
pub struct MemberView {
    /// Who.
    pub user_id: Uuid,
    /// The name they go by.
    #[schema(example = "Ada")]
    pub name: String,
    /// What they may do.
    pub role: MemberRoleView,
    /// Since when they are a member.
    pub since: DateTime<Utc>,
}

impl From<&Member> for MemberView {
    fn from(member: &Member) -> Self {
        Self { user_id: member.user.0, name: member.name.clone(), role: member.role.into(), since: member.since }
    }
}

/// What a member is to be.
#[derive(Debug, ToSchema)]
#[schema(as = SellerMembership)]
pub struct MembershipBody {
    /// Their role.
    #[schema(value_type = MemberRoleView)]
    pub role: MemberRoleView,
}

/// Reads a [`MembershipBody`].
pub fn membership(fields: &mut Fields<'_>) -> Option<MemberRole> {
    match role(fields) {
        None if fields.violations.is_empty() => fields.violations.missing("/role"),
        role => role,
    }
}

/// What invites somebody.
#[derive(Debug, ToSchema)]
#[schema(as = NewInvitation)]
pub struct InvitationBody {
    /// The address of whom to invite; who accepts must have signed up with it.
    #[schema(example = "grace@example.com", format = Email, max_length = 255)]
    pub email: String,
    /// What they are to be; a member when absent.
    #[schema(value_type = Option<MemberRoleView>)]
    pub role: Option<MemberRoleView>,
}

/// Reads an [`InvitationBody`].
pub fn new_invitation(fields: &mut Fields<'_>) -> InvitationInput {
    InvitationInput { email: fields.text("email"), role: role(fields) }
}

/// An invitation, without its code.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Invitation)]
#[serde(rename_all = "camelCase")]
pub struct InvitationView {
    /// Its id.
    pub id: Uuid,
    /// The account one is invited to.
    pub seller_id: Uuid,
    /// Who is invited.
    #[schema(example = "grace@example.com")]
    pub email: String,
    /// What they are to be.
    pub role: MemberRoleView,
    /// Who invited them.
    pub by_id: Uuid,
    /// When it ends.
    pub expires_at: DateTime<Utc>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
}

impl From<&Invitation> for InvitationView {
    fn from(invitation: &Invitation) -> Self {
        Self {
            id: invitation.id.0,
            seller_id: invitation.seller.0,
            email: invitation.email.as_str().to_owned(),
            role: invitation.role.into(),
            by_id: invitation.by.0,
            expires_at: invitation.expires_at,
            created_at: invitation.created_at,
        }
    }
}

/// An invitation just made.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = MadeInvitation)]
pub struct InvitedView {
    /// The invitation.
    #[serde(flatten)]
    pub invitation: InvitationView,
    /// What it is accepted with, shown this once. A repetition of the request shows null.
    #[schema(example = "5f0c5f0c5f0c5f0c5f0c5f0c5f0c5f0c5f0c5f0c5f0c5f0c5f0c5f0c5f0c5f0c", pattern = "^[0-9a-f]{64}$")]
    pub code: Option<String>,
}

impl InvitedView {
    /// With its code.
    pub fn shown(made: &Invited) -> Self {
        Self { invitation: InvitationView::from(&made.invitation), code: Some(made.code.clone()) }
    }

    /// Without.
    pub fn kept(made: &Invited) -> Self {
        Self { invitation: InvitationView::from(&made.invitation), code: None }
    }
}

/// What accepts an invitation.
#[derive(Debug, ToSchema)]
#[schema(as = InvitationCode)]
pub struct CodeBody {
    /// The code of the invitation.
    #[schema(example = "5f0c5f0c5f0c5f0c5f0c5f0c5f0c5f0c5f0c5f0c5f0c5f0c5f0c5f0c5f0c5f0c")]
    pub code: String,
}

/// Reads a [`CodeBody`].
pub fn code(fields: &mut Fields<'_>) -> Option<String> {
    match fields.text("code") {
        None if fields.violations.is_empty() => fields.violations.missing("/code"),
        code => code,
    }
}
