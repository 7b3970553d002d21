//! Accepting an invitation.

use super::{Account, events, invitation::digest};
use crate::{
    error::{Error, Result},
    id::UserId,
    identity::Sellers,
    permission::{Authorized, ManageMembers, Role},
    secrets::Mac,
    shop::Shop,
};

/// The account somebody is a member of now.
pub type Joined = Account;

/// Makes the caller a member of the account they were invited to, and a seller. The invitation is used up.
///
/// # Errors
/// [`Error::NotFound`] for a code that is wrong, used, taken back or over, or was meant for another address: whoever guesses
/// learns nothing. [`Error::Forbidden`] for who has not proven their address. [`Error::Conflict`] for who is a member already, or of too many accounts.
pub async fn accept_invitation(
    shop: &Shop,
    mac: &dyn Mac,
    by: Authorized<ManageMembers>,
    code: &str,
) -> Result<Joined> {
    by.in_person()?;
    let user: UserId = by.principal().user;
    let digest = &digest(mac, code);
    let unknown = || Error::NotFound("Invitation");
    shop.write("accept_invitation", |mut tx| async move {
        let now = tx.now();
        let invitation = tx.organisations().invitation_of(digest).await?.ok_or_else(unknown)?;
        let person = tx.users().find(user).await?.ok_or(Error::NotFound("User"))?;
        if person.email != invitation.email || invitation.expires_at <= now {
            return Err(unknown());
        }
        // The code was shown to who invites, too: only the owner of the address is the one who was meant.
        if person.email_verified_at.is_none() {
            return Err(Error::forbidden("Prove first that your email is yours: POST /api/v1/auth/email-verification"));
        }
        let seller = tx.organisations().seller(invitation.seller).await?.ok_or_else(unknown)?;
        let accounts = tx.organisations().accounts_of(user).await?;
        if accounts.iter().any(|(account, _)| *account == seller.id) {
            return Err(Error::conflict("You are a member of this seller account already"));
        }
        if accounts.len() >= Sellers::MAX {
            return Err(Error::conflict(format!(
                "You are a member of {} seller accounts; leave one first",
                Sellers::MAX
            )));
        }
        // Of two who come with one code, one uses it up.
        if !tx.organisations().forget(invitation.id).await? {
            return Err(unknown());
        }
        tx.organisations().put(seller.id, user, invitation.role, now).await?;
        tx.users().grant(user, Role::Seller, now).await?;
        shop.record(&mut *tx, Some(user), events::member_joined(&invitation, user)).await?;
        tx.commit(Account { seller, role: invitation.role }).await
    })
    .await
}
