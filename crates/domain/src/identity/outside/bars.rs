//! Bans that follow from one elsewhere. An operator of this shop has the last word: their ban is never replaced by one from outside, and
//! who they let in again stays in until the issuer bans them anew.

use crate::{
    access::{self, Ban, keep_an_admin},
    clock::Timestamp,
    error::Result,
    id::UserId,
    identity::{EndReason, ForeignId, end_sessions_of},
    permission::Role,
    shop::Shop,
    store::Tx,
};

/// Why, for those who may see bans.
const REASON: &str = "Banned where they sign in";

/// Bans somebody who was banned there; `false` when they are banned already.
pub(super) async fn bar(shop: &Shop, tx: &mut dyn Tx, user: UserId, now: Timestamp) -> Result<bool> {
    if tx.bans().find(user).await?.is_some() {
        return Ok(false);
    }
    if tx.users().find(user).await?.is_some_and(|user| user.roles.has(Role::Admin)) {
        keep_an_admin(tx, user).await?;
    }
    let ban = Ban { user, until: None, reason: REASON.to_owned(), by: None, at: now };
    tx.bans().put(&ban).await?;
    end_sessions_of(shop, tx, user, None, EndReason::Banned, None).await?;
    shop.record(tx, None, access::banned(&ban)).await?;
    Ok(true)
}

/// Lifts a ban that followed from one there, unless another issuer still has one.
pub(super) async fn unbar(shop: &Shop, tx: &mut dyn Tx, user: UserId, at: &ForeignId) -> Result<bool> {
    let Some(ban) = tx.bans().find(user).await?.filter(|ban| ban.by.is_none()) else { return Ok(false) };
    if barred(tx, user, Some(at)).await? {
        return Ok(false);
    }
    tx.bans().lift(user).await?;
    shop.record(tx, None, access::unbanned(&ban)).await?;
    Ok(true)
}

/// When the ban of an operator is over, one that stands elsewhere counts.
pub(crate) async fn bar_again(shop: &Shop, tx: &mut dyn Tx, user: UserId, now: Timestamp) -> Result<()> {
    if barred(tx, user, None).await? {
        bar(shop, tx, user, now).await?;
    }
    Ok(())
}

async fn barred(tx: &mut dyn Tx, user: UserId, but_for: Option<&ForeignId>) -> Result<bool> {
    for link in tx.foreign_ids().of(user).await? {
        if Some(&link.id) != but_for && tx.standings().hold(&link.id).await?.barred {
            return Ok(true);
        }
    }
    Ok(false)
}
