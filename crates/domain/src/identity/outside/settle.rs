//! Which account of ours somebody elsewhere is.

use super::{Link, Stranger};
use crate::{
    clock::Timestamp,
    error::{Error, Result},
    id::UserId,
    identity::{NO_PASSWORD, User, Verification, events},
    permission::{Role, Roles},
    shop::Shop,
    store::Tx,
    text,
};

/// What becomes of somebody who may be a person we know, when it is not sure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Doubt {
    /// They are told to sign in as they did before, and to link.
    Refuse(Verification),
    /// They get an account of their own.
    Apart,
}

/// Finds the account of somebody elsewhere, links them to it, or makes it.
///
/// An account is linked by its address only when both sides know the address to be theirs: else whoever writes an address into
/// an account, there or here, could take over what its owner has or will have.
///
/// # Errors
/// [`Error::Conflict`] and [`Error::Forbidden`] for who is refused.
pub(super) async fn settle(
    shop: &Shop,
    tx: &mut dyn Tx,
    stranger: &Stranger,
    doubt: Doubt,
    now: Timestamp,
) -> Result<UserId> {
    if let Some(user) = tx.foreign_ids().user_of(&stranger.id).await? {
        return Ok(user);
    }
    let standing = tx.standings().hold(&stranger.id).await?;
    if standing.gone || standing.barred {
        return Err(Error::forbidden("Who runs the place where you sign in does not let you in any more"));
    }
    if let Some(user) = known_by_address(tx, stranger, doubt).await? {
        let sure = stranger.email_verified && user.email_verified_at.is_some();
        if sure && link(shop, tx, stranger, user.id, now).await? {
            return Ok(user.id);
        }
        if doubt != Doubt::Apart {
            return Err(Error::Conflict(
                "There is an account of this address; sign in to it and link the provider from there".to_owned(),
            ));
        }
        // Their address is taken.
        return make(shop, tx, &Stranger { email_verified: false, ..stranger.clone() }, now).await;
    }
    if doubt == Doubt::Refuse(Verification::Required) && stranger.proven_email().is_none() {
        return Err(no_proven_address());
    }
    make(shop, tx, stranger, now).await
}

/// Who has the address they say. Where sign-ups do not tell whether an address is known (ruling R36), neither does an address that
/// nobody vouches for.
pub(super) async fn known_by_address(tx: &mut dyn Tx, stranger: &Stranger, doubt: Doubt) -> Result<Option<User>> {
    let told = stranger.email_verified || doubt == Doubt::Refuse(Verification::Off);
    let Some(email) = stranger.email.as_ref().filter(|_| told) else { return Ok(None) };
    match tx.users().by_email(email).await? {
        Some(user) => tx.users().find(user).await,
        None => Ok(None),
    }
}

/// What somebody is told who has no address that this shop could believe.
pub(super) fn no_proven_address() -> Error {
    Error::forbidden("The provider does not vouch for your address, which this shop asks for")
}

/// Links somebody to an account; `false` when it has another identity of that provider.
pub(super) async fn link(
    shop: &Shop,
    tx: &mut dyn Tx,
    stranger: &Stranger,
    user: UserId,
    now: Timestamp,
) -> Result<bool> {
    if !tx.foreign_ids().insert(&Link::of(stranger, user, now)).await? {
        return match tx.foreign_ids().user_of(&stranger.id).await? {
            // Somebody was faster with the same identity; the next attempt finds what they did.
            Some(_) => Err(Error::Transient("the identity was linked by another writer".into())),
            None => Ok(false),
        };
    }
    shop.record(tx, Some(user), events::identity_linked(user, &stranger.provider)).await?;
    Ok(true)
}

/// Makes an account that only this identity opens.
async fn make(shop: &Shop, tx: &mut dyn Tx, stranger: &Stranger, now: Timestamp) -> Result<UserId> {
    let id = shop.id::<UserId>();
    let (email, email_verified_at) = stranger.address(id, now);
    let name = stranger.name.as_deref().and_then(|name| text::line(name, 1, 100).ok());
    let local = stranger.proven_email().and_then(|email| email.as_str().split('@').next()).unwrap_or("Somebody");
    let user = User {
        id,
        email,
        name: name.unwrap_or_else(|| local.to_owned()),
        email_verified_at,
        roles: Roles::new([Role::User]),
        created_at: now,
        updated_at: now,
    };
    if !tx.users().insert(&user, NO_PASSWORD).await? {
        return Err(Error::Transient("the address was taken by another writer".into()));
    }
    shop.record(tx, Some(id), events::user_created(&user)).await?;
    if link(shop, tx, stranger, id, now).await? {
        return Ok(id);
    }
    Err(Error::internal("an account that was just made has an identity"))
}
