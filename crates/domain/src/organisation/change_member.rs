//! Changing what a member of a seller account may do.

use super::{MemberRole, events, policy};
use crate::{
    error::{Error, Result},
    id::{SellerId, UserId},
    permission::{Authorized, ManageMembers},
    shop::Shop,
};

/// Gives a member another role. What they are already leaves no trace.
///
/// # Errors
/// [`Error::NotFound`] for an account one is no member of, and for who is no member; [`Error::Forbidden`] for who is no owner;
/// [`Error::Conflict`] for the last owner.
pub async fn change_member(
    shop: &Shop,
    by: Authorized<ManageMembers>,
    seller: SellerId,
    user: UserId,
    role: MemberRole,
) -> Result<()> {
    by.in_person()?;
    let who = by.principal();
    shop.write("change_member", |mut tx| async move {
        tx.organisations().seller(seller).await?.ok_or(Error::NotFound("Seller"))?;
        policy::may_own(tx.organisations().member(seller, who.user).await?)?;
        let before = tx.organisations().member(seller, user).await?.ok_or(Error::NotFound("Member"))?;
        if before == role {
            return tx.commit(()).await;
        }
        if before == MemberRole::Owner && tx.organisations().owners(seller).await? <= 1 {
            return Err(Error::conflict("This is the last owner; make another one first"));
        }
        let now = tx.now();
        tx.organisations().put(seller, user, role, now).await?;
        shop.record(&mut *tx, Some(who.user), events::member_changed(seller, user, before, role)).await?;
        tx.commit(()).await
    })
    .await
}
