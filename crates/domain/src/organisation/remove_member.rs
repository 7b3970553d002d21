//! Ending a membership: one's own, or that of another.

use super::{MemberRole, events, policy};
use crate::{
    error::{Error, Result},
    id::{SellerId, UserId},
    permission::{Authorized, ManageMembers, Role},
    shop::Shop,
};

/// Takes somebody out of a seller account, or leaves it oneself. Who is a member of none any more is no seller; what they made
/// stays with the account, its API keys too.
///
/// # Errors
/// [`Error::NotFound`] for an account one is no member of, and for who is no member; [`Error::Forbidden`] for who may not end
/// such a membership; [`Error::Conflict`] for the last owner.
pub async fn remove_member(shop: &Shop, by: Authorized<ManageMembers>, seller: SellerId, user: UserId) -> Result<()> {
    by.in_person()?;
    let who = by.principal();
    shop.write("remove_member", |mut tx| async move {
        tx.organisations().seller(seller).await?.ok_or(Error::NotFound("Seller"))?;
        let own = tx.organisations().member(seller, who.user).await?;
        policy::may_see(own)?;
        let role = tx.organisations().member(seller, user).await?.ok_or(Error::NotFound("Member"))?;
        if user != who.user {
            policy::may_set(own, role)?;
        }
        if role == MemberRole::Owner && tx.organisations().owners(seller).await? <= 1 {
            return Err(Error::conflict("The last owner stays; make another one first"));
        }
        let accounts = tx.organisations().accounts_of(user).await?;
        tx.organisations().remove(seller, user).await?;
        if accounts.len() <= 1 {
            let now = tx.now();
            tx.users().revoke(user, Role::Seller, now).await?;
        }
        shop.record(&mut *tx, Some(who.user), events::member_left(seller, user, role)).await?;
        tx.commit(()).await
    })
    .await
}
