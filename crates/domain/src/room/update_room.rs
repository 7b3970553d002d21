//! Changing a room.

use super::{GLOBAL, Room, RoomKind, RoomPatch, events, policy};
use crate::{
    catalog::Version,
    error::{Error, Result},
    id::RoomId,
    permission::{Authorized, UseRooms},
    shop::Shop,
};

/// Changes title and kind of a room. With `expected`, only if it has one of those versions. A room that becomes private
/// keeps those in it who have a role; the others are to be shown out by whoever serves them.
///
/// # Errors
/// [`Error::NotFound`], [`Error::Forbidden`] for who does not own it, [`Error::Stale`], [`Error::Conflict`] for the room of
/// all, which stays public.
pub async fn update_room(
    shop: &Shop,
    by: Authorized<UseRooms>,
    id: RoomId,
    patch: RoomPatch,
    expected: Option<&[Version]>,
) -> Result<Room> {
    let who = by.principal();
    let patch = &patch;
    shop.write("update_room", |mut tx| async move {
        let now = tx.now();
        let before = tx.rooms().find(id).await?.ok_or_else(policy::unknown)?;
        let standing = tx.rooms().standing(id, who.user, now).await?;
        policy::may_own(who, &before, &standing)?;
        if expected.is_some_and(|any| !any.contains(&before.version)) {
            return Err(Error::Stale("Room"));
        }
        if id == GLOBAL && patch.kind == Some(RoomKind::Private) {
            return Err(Error::conflict("Everybody is in this room; it stays public"));
        }
        let mut after = before.clone();
        after.title = patch.title.clone().unwrap_or(after.title);
        after.kind = patch.kind.unwrap_or(after.kind);
        after.version = before.version.next();
        after.updated_at = now;
        tx.rooms().update(&after).await?;
        shop.record(&mut *tx, Some(who.user), events::updated(&before, &after)).await?;
        tx.commit(after).await
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{permission::Role, testing::Fixtures};

    #[tokio::test]
    async fn its_owner_changes_a_room_and_nobody_who_read_an_older_one() {
        let (given, store) = Fixtures::in_memory();
        let (ada, bob) = (given.person(Role::User).await, given.person(Role::User).await);
        let admin = given.person(Role::Admin).await;
        let room = given.stored_room(RoomKind::Public, &ada).await;
        let patch = || {
            let mut patch = RoomPatch::default();
            patch.title("Lamps and chairs", &mut crate::Violations::default());
            patch.kind(RoomKind::Private);
            patch
        };
        let update = async |who, id, expected: Option<&[Version]>| {
            update_room(&given.shop, given.authorized(who), id, patch(), expected).await
        };
        assert!(matches!(update(&bob, room.id, None).await, Err(Error::Forbidden(_))));
        let after = update(&ada, room.id, Some(&[Version::FIRST])).await.unwrap();
        assert_eq!(
            (after.title.as_str(), after.kind, after.version),
            ("Lamps and chairs", RoomKind::Private, Version(2))
        );
        assert!(matches!(update(&ada, room.id, Some(&[Version::FIRST])).await, Err(Error::Stale("Room"))));
        assert!(matches!(update(&bob, room.id, None).await, Err(Error::NotFound("Room"))), "it is private now");
        assert!(matches!(update(&admin, GLOBAL, None).await, Err(Error::Conflict(_))));
        assert!(matches!(update(&ada, given.shop.id(), None).await, Err(Error::NotFound("Room"))));
        assert_eq!(store.traces().last().unwrap().1, "room.updated");
    }
}
