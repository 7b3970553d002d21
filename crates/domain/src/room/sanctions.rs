//! Bans and mutes.

use super::{RoomRole, Sanction, SanctionKind, events, policy};
use crate::{
    clock::Timestamp,
    error::{Breach, Error, Result, Violations},
    id::{RoomId, UserId},
    permission::{Authorized, ManageRooms, UseRooms},
    shop::Shop,
    text,
};

/// Most characters of a reason.
const REASON_MAX: usize = 200;

/// A sanction as it is sent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SanctionInput {
    until: Option<Timestamp>,
    reason: String,
}

impl SanctionInput {
    /// Lets it end at a moment to come; without, it holds until it is lifted.
    pub fn until(&mut self, until: Timestamp, now: Timestamp, violations: &mut Violations) {
        let later = if until > now { Ok(until) } else { Err(Breach::new("future", "must be a moment to come")) };
        self.until = violations.check("/until", later);
    }

    /// Says why.
    pub fn reason(&mut self, reason: &str, violations: &mut Violations) {
        self.reason = violations.check("/reason", text::line(reason, 0, REASON_MAX)).unwrap_or_default();
    }
}

/// Bans or mutes somebody in a room, in place of what stood. Anybody may be banned who stands below, in the room or not.
///
/// # Errors
/// [`Error::NotFound`] for the room or the person; [`Error::Forbidden`] for who is no moderator, or stands no higher.
pub async fn sanction(
    shop: &Shop,
    by: Authorized<UseRooms>,
    id: RoomId,
    user: UserId,
    kind: SanctionKind,
    input: SanctionInput,
) -> Result<Sanction> {
    let who = by.principal();
    let input = &input;
    shop.write("sanction", |mut tx| async move {
        let now = tx.now();
        let room = tx.rooms().find(id).await?.ok_or_else(policy::unknown)?;
        let standing = tx.rooms().standing(id, who.user, now).await?;
        policy::may_moderate(who, &room, &standing)?;
        let other = tx.rooms().standing(id, user, now).await?;
        policy::is_above(who, &standing, &other)?;
        let (until, reason) = (input.until, input.reason.clone());
        let sanction = Sanction { kind, user, until, by: who.user, reason, at: now };
        if !tx.rooms().set_sanction(id, &sanction).await? {
            return Err(Error::NotFound("User"));
        }
        shop.record(&mut *tx, Some(who.user), events::sanctioned(id, &sanction)).await?;
        tx.commit(sanction).await
    })
    .await
}

/// Lifts a ban or a mute.
///
/// # Errors
/// [`Error::NotFound`] for the room, or when there is none; [`Error::Forbidden`] for who is no moderator.
pub async fn lift_sanction(
    shop: &Shop,
    by: Authorized<UseRooms>,
    id: RoomId,
    user: UserId,
    kind: SanctionKind,
) -> Result<()> {
    let who = by.principal();
    shop.write("lift_sanction", |mut tx| async move {
        let now = tx.now();
        let room = tx.rooms().find(id).await?.ok_or_else(policy::unknown)?;
        let standing = tx.rooms().standing(id, who.user, now).await?;
        policy::may_moderate(who, &room, &standing)?;
        if user == who.user && !who.may::<ManageRooms>() && standing.role != Some(RoomRole::Owner) {
            return Err(Error::forbidden("Nobody lifts their own sanctions"));
        }
        if !tx.rooms().lift_sanction(id, user, kind).await? {
            return Err(Error::NotFound(match kind {
                SanctionKind::Ban => "Ban",
                SanctionKind::Mute => "Mute",
            }));
        }
        shop.record(&mut *tx, Some(who.user), events::lifted(id, user, kind)).await?;
        tx.commit(()).await
    })
    .await
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::{
        permission::Role,
        room::{NewMessage, RoomKind, post_message, set_member},
        testing::Fixtures,
    };

    #[tokio::test]
    async fn a_mute_ends_by_itself_and_a_ban_when_it_is_lifted() {
        let (given, store) = Fixtures::in_memory();
        let (ada, bob) = (given.person(Role::User).await, given.person(Role::User).await);
        let room = given.stored_room(RoomKind::Public, &ada).await.id;
        let say = async || {
            let new = NewMessage { content: "Hello".to_owned(), client_id: None };
            post_message(&given.shop, given.authorized(&bob), room, new).await
        };
        let impose = async |kind, input| {
            sanction(&given.shop, given.authorized(&ada), room, bob.user, kind, input).await.unwrap()
        };
        let (mut hour, mut violations) = (SanctionInput::default(), Violations::default());
        let now = given.shop.now();
        hour.until(now + Duration::from_hours(1), now, &mut violations);
        hour.reason("shouting", &mut violations);
        violations.into_result().unwrap();
        impose(SanctionKind::Mute, hour).await;
        assert!(matches!(say().await, Err(Error::Forbidden(message)) if message.contains("muted")));
        given.clock.advance(Duration::from_hours(1));
        say().await.unwrap();
        impose(SanctionKind::Ban, SanctionInput::default()).await;
        assert!(matches!(say().await, Err(Error::Forbidden(message)) if message == "You are banned from this room"));
        let lift = async |who, kind| lift_sanction(&given.shop, given.authorized(who), room, bob.user, kind).await;
        assert!(matches!(lift(&bob, SanctionKind::Ban).await, Err(Error::Forbidden(_))));
        lift(&ada, SanctionKind::Ban).await.unwrap();
        assert!(matches!(lift(&ada, SanctionKind::Ban).await, Err(Error::NotFound("Ban"))));
        say().await.unwrap();
        let kinds: Vec<_> = store.traces().into_iter().map(|(_, kind)| kind).collect();
        assert_eq!(kinds, ["room.muted", "room.banned", "room.unbanned"]);
    }

    #[tokio::test]
    async fn moderators_do_not_sanction_each_other_nor_the_owner() {
        let (given, _) = Fixtures::in_memory();
        let (ada, bob, cid) =
            (given.person(Role::User).await, given.person(Role::User).await, given.person(Role::User).await);
        let room = given.stored_room(RoomKind::Public, &ada).await.id;
        for user in [bob.user, cid.user] {
            set_member(&given.shop, given.authorized(&ada), room, user, RoomRole::Moderator).await.unwrap();
        }
        let ban = async |who, user| {
            let input = SanctionInput::default();
            sanction(&given.shop, given.authorized(who), room, user, SanctionKind::Ban, input).await
        };
        assert!(matches!(ban(&bob, cid.user).await, Err(Error::Forbidden(_))));
        assert!(matches!(ban(&bob, ada.user).await, Err(Error::Forbidden(_))));
        assert!(matches!(ban(&ada, given.shop.id()).await, Err(Error::NotFound("User"))));
        ban(&ada, bob.user).await.unwrap();
        assert!(matches!(ban(&bob, cid.user).await, Err(Error::Forbidden(_))), "who is banned keeps no order");
    }

    #[test]
    fn a_sanction_ends_in_the_future() {
        let mut violations = Violations::default();
        let now = Timestamp::UNIX_EPOCH;
        SanctionInput::default().until(now, now, &mut violations);
        assert_eq!(violations.iter().next().unwrap().field, "/until");
    }
}
