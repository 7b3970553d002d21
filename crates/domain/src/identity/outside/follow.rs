//! Keeping somebody in step with who they are elsewhere, as their issuer tells of them.
//!
//! News come in any order and more than once. How late the latest was is kept beside the person, and stays when they go: an older one
//! undoes nothing, and who was deleted there stays deleted.

use super::{
    Link, Stranger,
    bars::{bar, unbar},
    ports::Standing,
    settle::{Doubt, settle},
};
use crate::{
    clock::Timestamp,
    error::Result,
    id::UserId,
    identity::{DeletePerson, EndReason, ForeignId, User, doors::doors, end_sessions_of, events},
    job::Request,
    shop::Shop,
    store::Tx,
    text,
};

/// What an issuer tells of somebody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum News {
    /// Who they are.
    Is {
        /// As they are there now.
        stranger: Stranger,
        /// Since when they are so, by the clock there.
        at: Timestamp,
        /// They are banned there.
        barred: bool,
    },
    /// They are there no more, and never will be again.
    Gone,
}

/// What news changed here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Followed {
    /// They have an account now, or are linked to the one of their address.
    Appeared,
    /// Their account changed.
    Changed,
    /// It was so already.
    Unchanged,
    /// Something later is known.
    Older,
    /// They have no account here, and get none by this.
    Nobody,
    /// They cannot come that way any more; they have others.
    Unlinked,
    /// Their account is deleted: no other way leads into it.
    Deleted,
    /// They were deleted there before.
    Gone,
}

impl Followed {
    /// The word for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Appeared => "appeared",
            Self::Changed => "changed",
            Self::Unchanged => "unchanged",
            Self::Older => "older",
            Self::Nobody => "nobody",
            Self::Unlinked => "unlinked",
            Self::Deleted => "deleted",
            Self::Gone => "gone",
        }
    }
}

/// Does what news mean for the account of somebody elsewhere, in the transaction that heard of them. Gives whose account it is.
///
/// # Errors
/// [`crate::Error::Conflict`] when it would shut out the last administrator; those of the store.
pub async fn follow(
    shop: &Shop,
    tx: &mut dyn Tx,
    id: &ForeignId,
    news: News,
    now: Timestamp,
) -> Result<(Followed, Option<UserId>)> {
    let standing = tx.standings().hold(id).await?;
    match news {
        _ if standing.gone => Ok((Followed::Gone, None)),
        News::Gone => {
            tx.standings().set(id, &Standing { told_at: Some(now), gone: true, ..standing }).await?;
            leave(shop, tx, id, now).await
        }
        News::Is { at, .. } if standing.told_at.is_some_and(|told| at < told) => {
            Ok((Followed::Older, tx.foreign_ids().user_of(id).await?))
        }
        News::Is { stranger, at, barred } => {
            let followed = keep_up(shop, tx, &stranger, standing, barred, now).await?;
            tx.standings().set(id, &Standing { told_at: Some(at), barred, gone: false }).await?;
            Ok(followed)
        }
    }
}

/// Notes that somebody here is parted from who they are there: what is told of them there from now on makes them no account again.
pub(crate) async fn part(tx: &mut dyn Tx, id: &ForeignId, now: Timestamp) -> Result<()> {
    let standing = tx.standings().hold(id).await?;
    let told_at = Some(standing.told_at.map_or(now, |told| told.max(now)));
    tx.standings().set(id, &Standing { told_at, ..standing }).await
}

async fn keep_up(
    shop: &Shop,
    tx: &mut dyn Tx,
    stranger: &Stranger,
    standing: Standing,
    barred: bool,
    now: Timestamp,
) -> Result<(Followed, Option<UserId>)> {
    let Some(id) = tx.foreign_ids().user_of(&stranger.id).await? else {
        // Who was here and went, by unlinking or by deletion, comes back by themselves or not at all.
        if standing.told_at.is_some() || barred {
            return Ok((Followed::Nobody, None));
        }
        let user = settle(shop, tx, stranger, Doubt::Apart, now).await?;
        return Ok((Followed::Appeared, Some(user)));
    };
    let link = tx.foreign_ids().of(id).await?.into_iter().find(|link| link.id == stranger.id);
    let (Some(link), Some(user)) = (link, tx.users().find(id).await?) else { return Ok((Followed::Nobody, None)) };
    let mut changed = rename(shop, tx, stranger, &link, &user, now).await?;
    changed |= readdress(shop, tx, stranger, &link, &user, now).await?;
    if barred != standing.barred {
        changed |= if barred { bar(shop, tx, id, now).await? } else { unbar(shop, tx, id, &stranger.id).await? };
    }
    Ok((if changed { Followed::Changed } else { Followed::Unchanged }, Some(id)))
}

/// An account that this identity opened goes by the name it has there; nobody chose one here.
async fn rename(
    shop: &Shop,
    tx: &mut dyn Tx,
    stranger: &Stranger,
    link: &Link,
    user: &User,
    now: Timestamp,
) -> Result<bool> {
    let name = stranger.name.as_deref().and_then(|name| text::line(name, 1, 100).ok());
    let Some(name) = name.filter(|name| *name != user.name && user.created_at == link.linked_at) else {
        return Ok(false);
    };
    tx.users().set_name(user.id, &name, now).await?;
    shop.record(tx, None, events::renamed(user.id)).await?;
    Ok(true)
}

/// An address that came from there follows the one they have there, where the issuer vouches for it and nobody has it here. One that
/// they have of their own stays.
async fn readdress(
    shop: &Shop,
    tx: &mut dyn Tx,
    stranger: &Stranger,
    link: &Link,
    user: &User,
    now: Timestamp,
) -> Result<bool> {
    let Some(email) = stranger.proven_email() else { return Ok(false) };
    let same = *email == user.email;
    let from_there = user.email.is_nowhere() || link.email.as_ref() == Some(&user.email);
    let mut changed = false;
    if (same && user.email_verified_at.is_none()) || (!same && from_there) {
        changed = tx.users().set_email(user.id, email, Some(now), now).await?;
        if changed {
            // What was sent to the old address is good for nothing any more.
            tx.codes().clear(user.id).await?;
            let told = if same { events::email_verified(user.id) } else { events::email_changed(user.id) };
            shop.record(tx, None, told).await?;
        }
    }
    if link.email.as_ref() != Some(email) {
        tx.foreign_ids().set_email(&link.id, email).await?;
    }
    Ok(changed)
}

/// Somebody is gone there: they come that way no more, and are signed out. An account that no other way leads into goes as if they had
/// asked for it.
async fn leave(shop: &Shop, tx: &mut dyn Tx, id: &ForeignId, now: Timestamp) -> Result<(Followed, Option<UserId>)> {
    let Some(user) = tx.foreign_ids().user_of(id).await? else { return Ok((Followed::Nobody, None)) };
    let others = doors(tx, user).await?.saturating_sub(1);
    let alone = others == 0 && !tx.users().has_password(user).await?;
    let links = tx.foreign_ids().of(user).await?;
    let Some(link) = links.into_iter().find(|link| link.id == *id) else { return Ok((Followed::Nobody, None)) };
    tx.foreign_ids().remove(user, &link.provider).await?;
    shop.record(tx, None, events::identity_unlinked(user, &link.provider)).await?;
    end_sessions_of(shop, tx, user, None, EndReason::Revoked, None).await?;
    if !alone {
        return Ok((Followed::Unlinked, Some(user)));
    }
    tx.users().set_deletion(user, Some(now)).await?;
    shop.enqueue(tx, Request::of(&DeletePerson { user, due: now })).await?;
    shop.record(tx, None, events::deletion_requested(user, now)).await?;
    Ok((Followed::Deleted, Some(user)))
}

#[cfg(test)]
mod tests;
