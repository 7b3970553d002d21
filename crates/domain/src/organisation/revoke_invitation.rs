//! Taking an invitation back.

use super::{events, policy};
use crate::{
    error::{Error, Result},
    id::InvitationId,
    permission::{Authorized, ManageMembers},
    shop::Shop,
};

/// Takes an invitation back; its code opens nothing any more.
///
/// # Errors
/// [`Error::NotFound`] for one that is gone, or is none of an account one is a member of; [`Error::Forbidden`] for who may not
/// invite as what it invites to.
pub async fn revoke_invitation(shop: &Shop, by: Authorized<ManageMembers>, id: InvitationId) -> Result<()> {
    let who = by.principal();
    let unknown = || Error::NotFound("Invitation");
    shop.write("revoke_invitation", |mut tx| async move {
        let invitation = tx.organisations().invitation(id).await?.ok_or_else(unknown)?;
        let role = tx.organisations().member(invitation.seller, who.user).await?;
        if role.is_none() {
            return Err(unknown());
        }
        policy::may_set(role, invitation.role)?;
        if !tx.organisations().forget(id).await? {
            return Err(unknown());
        }
        shop.record(&mut *tx, Some(who.user), events::revoked(&invitation)).await?;
        tx.commit(()).await
    })
    .await
}
