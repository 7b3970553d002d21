//! Banning people, and lifting bans.

use serde::{Deserialize, Serialize};

use super::{Ban, NewBan, events, policy};
use crate::{
    clock::Timestamp,
    error::{Error, Result},
    id::UserId,
    identity::{EndReason, end_sessions_of, outside::bar_again},
    job::{Job, Policy, Request},
    permission::{Authorized, ManageUsers, Role},
    shop::Shop,
};

/// Bans somebody, in place of the ban they had. From here on they are nobody, on every node and in open connections, and their
/// sessions are over; a ban with an end is lifted by a job when that has come.
///
/// # Errors
/// [`Error::NotFound`] for the person; [`Error::Forbidden`] for who does not stand below; [`Error::Conflict`] for oneself.
pub async fn ban_user(shop: &Shop, by: Authorized<ManageUsers>, user: UserId, new: NewBan) -> Result<Ban> {
    let (who, new) = (by.principal(), &new);
    shop.write("ban_user", |mut tx| async move {
        if user == who.user {
            return Err(Error::conflict("Nobody bans themselves"));
        }
        let other = tx.users().find(user).await?.ok_or(Error::NotFound("User"))?;
        policy::is_above(who, &other.roles)?;
        if other.roles.has(Role::Admin) {
            // Of two who ban each other at the same time, one comes too late.
            super::keep_an_admin(&mut *tx, user).await?;
        }
        let now = tx.now();
        let ban = Ban { user, until: new.until, reason: new.reason.clone(), by: Some(who.user), at: now };
        tx.bans().put(&ban).await?;
        if let Some(until) = ban.until {
            let wait = (until - now).to_std().unwrap_or_default();
            shop.enqueue(&mut *tx, Request::of(&LiftBan { user, until }).after(wait)).await?;
        }
        end_sessions_of(shop, &mut *tx, user, None, EndReason::Banned, Some(who.user)).await?;
        shop.record(&mut *tx, Some(who.user), events::banned(&ban)).await?;
        tx.commit(ban).await
    })
    .await
}

/// Lifts a ban.
///
/// # Errors
/// [`Error::NotFound`] for the person, or when they are not banned; [`Error::Forbidden`] for who does not stand below.
pub async fn unban_user(shop: &Shop, by: Authorized<ManageUsers>, user: UserId) -> Result<()> {
    let who = by.principal();
    shop.write("unban_user", |mut tx| async move {
        let other = tx.users().find(user).await?.ok_or(Error::NotFound("User"))?;
        policy::is_above(who, &other.roles)?;
        let ban = tx.bans().find(user).await?.ok_or(Error::NotFound("Ban"))?;
        tx.bans().lift(user).await?;
        shop.record(&mut *tx, Some(who.user), events::unbanned(&ban)).await?;
        tx.commit(()).await
    })
    .await
}

/// The job that lifts a ban when it is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct LiftBan {
    /// Who is banned.
    pub user: UserId,
    /// Until when; a ban that was given another end since has a job of its own.
    pub until: Timestamp,
}

impl Job for LiftBan {
    const NAME: &'static str = "lift_ban";

    fn policy() -> Policy {
        // For as long as it fails somebody is kept out.
        Policy { attempts: 1_000, ..Policy::default() }
    }
}

/// Lifts a ban that is over. Run again, it finds none, or another, and changes nothing.
pub async fn lift_ban(shop: &Shop, job: LiftBan) -> Result<()> {
    shop.write(LiftBan::NAME, |mut tx| async move {
        let ban = tx.bans().find(job.user).await?.filter(|ban| ban.until == Some(job.until));
        if let Some(ban) = ban {
            tx.bans().lift(job.user).await?;
            shop.record(&mut *tx, None, events::unbanned(&ban)).await?;
            let now = tx.now();
            bar_again(shop, &mut *tx, job.user, now).await?;
        }
        tx.commit(()).await
    })
    .await
}
