//! A guest who proves elsewhere who they are becomes a user, under the same id.

use super::{
    Gate, ProviderLogin, Stranger,
    gate::no_such_step,
    settle::{Doubt, known_by_address, link, no_proven_address},
};
use crate::{
    clock::Timestamp,
    error::{Error, Result},
    id::UserId,
    identity::{
        EndReason, Method, Profile, Proven, Sessions, SignedIn, Verification, end_sessions_of,
        guests::{become_user, is_guest, not_a_guest},
    },
    permission::{Authorized, OwnAccount},
    shop::Shop,
    store::Tx,
    text,
};

/// Links the caller, who is a guest, to whom a provider vouched for, with whose help they sign in from then on. Their sessions end,
/// and they get a new one.
///
/// # Errors
/// [`Error::Conflict`] for who is no guest, and where the identity or its address is another account's: they sign in to that;
/// [`Error::Unprocessable`] for a code that is not good, or another page's; [`Error::Forbidden`] where an address must be proven and
/// the provider proves none.
pub async fn promote_with_provider(
    shop: &Shop,
    gate: &Gate,
    sessions: &Sessions,
    verification: Verification,
    by: &Authorized<OwnAccount>,
    given: &ProviderLogin,
) -> Result<SignedIn> {
    by.in_person()?;
    if !by.principal().is_guest() {
        return Err(not_a_guest());
    }
    let id = by.principal().user;
    shop.write("promote_with_provider", |mut tx| async move {
        let now = tx.now();
        // It stays taken when it is another page's.
        let Some(stranger) = gate.redeem(&mut *tx, &given.code, &given.verifier, now).await? else {
            return tx.commit(None).await;
        };
        end_sessions_of(shop, &mut *tx, id, None, EndReason::Replaced, Some(id)).await?;
        take_over(shop, &mut *tx, id, &stranger, verification, now).await?;
        let user = tx.users().find(id).await?.ok_or(Error::Unauthenticated)?;
        let profile = Profile { user, seller: None };
        let proven = Proven::by(Method::External);
        let signed = sessions.begin(shop, &mut *tx, &profile, &given.client, proven).await?;
        tx.commit(signed).await
    })
    .await?
    .ok_or_else(no_such_step)
}

async fn take_over(
    shop: &Shop,
    tx: &mut dyn Tx,
    id: UserId,
    stranger: &Stranger,
    verification: Verification,
    now: Timestamp,
) -> Result<()> {
    let guest = tx.users().find(id).await?.ok_or(Error::Unauthenticated)?;
    if !is_guest(&guest) {
        return Err(not_a_guest());
    }
    if tx.foreign_ids().user_of(&stranger.id).await?.is_some() {
        return Err(Error::conflict("This identity opens another account; sign in with it instead"));
    }
    let doubt = Doubt::Refuse(verification);
    if known_by_address(tx, stranger, doubt).await?.is_some() {
        return Err(Error::conflict("There is an account of this address; sign in to that instead"));
    }
    if verification == Verification::Required && stranger.proven_email().is_none() {
        return Err(no_proven_address());
    }
    if !link(shop, tx, stranger, id, now).await? {
        return Err(Error::internal("a guest has an identity"));
    }
    if let Some(email) = stranger.proven_email()
        && !tx.users().set_email(id, email, Some(now), now).await?
    {
        return Err(Error::Transient("the address was taken by another writer".into()));
    }
    if let Some(name) = stranger.name.as_deref().and_then(|name| text::line(name, 1, 100).ok()) {
        tx.users().set_name(id, &name, now).await?;
    }
    become_user(shop, tx, &guest, now).await
}
