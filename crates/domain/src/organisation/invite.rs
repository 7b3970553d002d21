//! Inviting somebody to a seller account.

use super::{INVITATION_LIFE, Invitation, NewInvitation, events, invitation::digest, policy};
use crate::{
    error::{Error, Result},
    id::{InvitationId, SellerId},
    idempotency::{Once, Outcome},
    identity::{Errand, Mailroom},
    permission::{Authorized, ManageMembers},
    secrets::{Mac, hex},
    shop::Shop,
};

/// The most invitations to one account that hold at a time.
const MOST: u64 = 100;

/// An invitation just made: the only time its code is there. `Debug` does not show it.
#[derive(Clone, PartialEq, Eq)]
pub struct Invited {
    /// The invitation.
    pub invitation: Invitation,
    /// What who is invited accepts it with: 64 hexadecimal digits.
    pub code: String,
}

impl std::fmt::Debug for Invited {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Invited").field("invitation", &self.invitation).finish_non_exhaustive()
    }
}

/// Invites an address to a seller account, for a week. Only a keyed hash of the code is kept. The code goes to the address by a
/// letter, where letters are sent, and to who invites with the answer.
///
/// # Errors
/// [`Error::NotFound`] for an account one is no member of; [`Error::Forbidden`] for a role one may not give;
/// [`Error::Conflict`] when too many invitations are open.
pub async fn invite(
    shop: &Shop,
    mac: &dyn Mac,
    room: &Mailroom,
    by: Authorized<ManageMembers>,
    seller: SellerId,
    new: NewInvitation,
    once: &Once<'_, Invited>,
) -> Result<Outcome<Invited>> {
    by.in_person()?;
    let (who, new) = (by.principal(), &new);
    shop.write_once("invite", once, |mut tx| async move {
        // Held: of many invitations at a time, none is one too many.
        tx.organisations().seller(seller).await?.ok_or(Error::NotFound("Seller"))?;
        policy::may_set(tx.organisations().member(seller, who.user).await?, new.role)?;
        let now = tx.now();
        if tx.organisations().open_invitations(seller, now).await? >= MOST {
            return Err(Error::conflict(format!("{MOST} invitations are open already; take one back")));
        }
        let mut secret = [0_u8; 32];
        shop.entropy.fill(&mut secret);
        let code = hex(&secret);
        let invitation = Invitation {
            id: shop.id::<InvitationId>(),
            seller,
            email: new.email.clone(),
            role: new.role,
            by: who.user,
            expires_at: now + INVITATION_LIFE,
            created_at: now,
        };
        tx.organisations().keep(&invitation, &digest(mac, &code)).await?;
        shop.record(&mut *tx, Some(who.user), events::invited(&invitation)).await?;
        if room.open {
            let (email, code) = (invitation.email.clone(), code.clone());
            room.send(shop, &mut *tx, &Errand::Invitation { email, code, life: INVITATION_LIFE }).await?;
        }
        tx.commit(Invited { invitation, code }).await
    })
    .await
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::{
        error::Violations,
        identity::Verification,
        mail::Subject,
        organisation::{InvitationInput, MemberRole},
        testing::{Fixtures, PlainMac, Postbox},
    };

    #[tokio::test]
    async fn the_code_goes_to_the_address_by_letter_where_letters_are_sent() {
        let (given, store) = Fixtures::in_memory();
        let (ada, postbox) = (given.seller().await, Arc::new(Postbox::default()));
        for open in [true, false] {
            let room = Mailroom { open, ..Postbox::room(Verification::Off) };
            let input = InvitationInput { email: Some("bob@example.com".to_owned()), role: Some(MemberRole::Member) };
            let new = input.check(&mut Violations::default()).unwrap();
            let (by, seller) = (given.authorized(&ada), ada.seller.unwrap());
            let invited = invite(&given.shop, &PlainMac, &room, by, seller, new, &Once::always()).await.unwrap();
            let invited = invited.fresh().unwrap();
            let told = serde_json::to_string(&(store.events(), store.audit_entries())).unwrap();
            assert!(!told.contains(&invited.code) && !told.contains("bob@example.com"), "{told}");
            let sent = postbox.deliver_all(&given.shop, &room, &store).await.unwrap();
            let sent: Vec<_> = sent.iter().map(|mail| (mail.about, mail.to.as_str(), mail.text.as_str())).collect();
            let letter = (Subject::Invitation, "bob@example.com", invited.code.as_str());
            assert_eq!(sent, if open { vec![letter] } else { Vec::new() });
        }
    }
}
