//! Who has a role in a room: inviting, promoting, removing, leaving.

use super::{Member, RoomRole, events, policy};
use crate::{
    error::{Error, Result},
    id::{RoomId, UserId},
    permission::{Authorized, UseRooms},
    shop::Shop,
};

/// Makes somebody a member or a moderator of a room. Moderators make members; the owner makes moderators. What they are
/// already leaves no trace.
///
/// # Errors
/// [`Error::NotFound`] for the room or the person, [`Error::Forbidden`]; [`Error::Conflict`] for another owner.
pub async fn set_member(
    shop: &Shop,
    by: Authorized<UseRooms>,
    id: RoomId,
    user: UserId,
    role: RoomRole,
) -> Result<Member> {
    let who = by.principal();
    shop.write("set_member", |mut tx| async move {
        let now = tx.now();
        let room = tx.rooms().find(id).await?.ok_or_else(policy::unknown)?;
        let standing = tx.rooms().standing(id, who.user, now).await?;
        policy::may_moderate(who, &room, &standing)?;
        let other = tx.rooms().standing(id, user, now).await?;
        if role == RoomRole::Owner || other.role == Some(RoomRole::Owner) {
            return Err(Error::conflict("A room has one owner, and keeps it"));
        }
        if role > RoomRole::Member || other.role > Some(RoomRole::Member) {
            policy::may_own(who, &room, &standing)?;
        }
        let member = Member { user, role, since: now };
        if other.role == Some(role) {
            return tx.commit(member).await;
        }
        if !tx.rooms().set_member(id, &member).await? {
            return Err(Error::NotFound("User"));
        }
        shop.record(&mut *tx, Some(who.user), events::member_set(id, &member)).await?;
        tx.commit(member).await
    })
    .await
}

/// Takes somebody's role in a room away, or leaves it oneself.
///
/// # Errors
/// [`Error::NotFound`] for the room, or when they have no role in it; [`Error::Forbidden`]; [`Error::Conflict`] for the
/// owner, who stays.
pub async fn remove_member(shop: &Shop, by: Authorized<UseRooms>, id: RoomId, user: UserId) -> Result<()> {
    let who = by.principal();
    shop.write("remove_member", |mut tx| async move {
        let now = tx.now();
        let room = tx.rooms().find(id).await?.ok_or_else(policy::unknown)?;
        let standing = tx.rooms().standing(id, who.user, now).await?;
        let other = tx.rooms().standing(id, user, now).await?;
        if user == who.user {
            policy::may_enter(Some(who), &room, &standing)?;
        } else {
            policy::may_moderate(who, &room, &standing)?;
        }
        if other.role == Some(RoomRole::Owner) {
            return Err(Error::conflict("The owner of a room stays in it; delete the room instead"));
        }
        if user != who.user {
            policy::is_above(who, &standing, &other)?;
        }
        if !tx.rooms().remove_member(id, user).await? {
            return Err(Error::NotFound("Member"));
        }
        shop.record(&mut *tx, Some(who.user), events::member_removed(id, user)).await?;
        tx.commit(()).await
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{permission::Role, room::RoomKind, testing::Fixtures};

    #[tokio::test]
    async fn members_are_invited_by_moderators_and_moderators_made_by_the_owner() {
        let (given, store) = Fixtures::in_memory();
        let mut people = Vec::new();
        for _ in 0..4 {
            people.push(given.person(Role::User).await);
        }
        let [ada, bob, cid, dot] = [&people[0], &people[1], &people[2], &people[3]];
        let room = given.stored_room(RoomKind::Private, ada).await.id;
        let set = async |who, user, role| set_member(&given.shop, given.authorized(who), room, user, role).await;
        let remove = async |who, user| remove_member(&given.shop, given.authorized(who), room, user).await;
        assert!(matches!(set(bob, cid.user, RoomRole::Member).await, Err(Error::NotFound("Room"))));
        assert!(matches!(set(ada, given.shop.id(), RoomRole::Member).await, Err(Error::NotFound("User"))));
        assert!(matches!(set(ada, bob.user, RoomRole::Owner).await, Err(Error::Conflict(_))));
        set(ada, bob.user, RoomRole::Member).await.unwrap();
        assert!(matches!(set(bob, cid.user, RoomRole::Member).await, Err(Error::Forbidden(_))));
        set(ada, bob.user, RoomRole::Moderator).await.unwrap();
        set(bob, cid.user, RoomRole::Member).await.unwrap();
        set(bob, cid.user, RoomRole::Member).await.unwrap();
        set(bob, dot.user, RoomRole::Member).await.unwrap();
        assert!(matches!(set(bob, cid.user, RoomRole::Moderator).await, Err(Error::Forbidden(_))));
        assert!(matches!(set(bob, ada.user, RoomRole::Member).await, Err(Error::Conflict(_))));
        assert!(matches!(remove(cid, dot.user).await, Err(Error::Forbidden(_))));
        assert!(matches!(remove(bob, ada.user).await, Err(Error::Conflict(_))));
        remove(cid, cid.user).await.unwrap();
        assert!(matches!(remove(cid, cid.user).await, Err(Error::NotFound("Room"))), "it is private");
        remove(bob, dot.user).await.unwrap();
        assert!(matches!(remove(bob, dot.user).await, Err(Error::NotFound("Member"))));
        assert!(matches!(remove(ada, ada.user).await, Err(Error::Conflict(_))));
        remove(ada, bob.user).await.unwrap();
        let kinds: Vec<_> = store.traces().into_iter().map(|(_, kind)| kind).collect();
        let told = ["set", "set", "set", "set", "removed", "removed", "removed"];
        assert_eq!(kinds, told.map(|verb| format!("room.member_{verb}")), "setting what is set leaves no trace");
    }
}
