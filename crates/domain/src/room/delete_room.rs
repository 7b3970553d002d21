//! Deleting a room.

use super::{GLOBAL, events, policy};
use crate::{
    catalog::Version,
    error::{Error, Result},
    id::RoomId,
    permission::{Authorized, UseRooms},
    shop::Shop,
};

/// Deletes a room with all that was said in it. With `expected`, only if it has one of those versions.
///
/// # Errors
/// [`Error::NotFound`], [`Error::Forbidden`] for who does not own it, [`Error::Stale`], [`Error::Conflict`] for the room of
/// all.
pub async fn delete_room(
    shop: &Shop,
    by: Authorized<UseRooms>,
    id: RoomId,
    expected: Option<&[Version]>,
) -> Result<()> {
    let who = by.principal();
    shop.write("delete_room", |mut tx| async move {
        let now = tx.now();
        let room = tx.rooms().find(id).await?.ok_or_else(policy::unknown)?;
        let standing = tx.rooms().standing(id, who.user, now).await?;
        policy::may_own(who, &room, &standing)?;
        if expected.is_some_and(|any| !any.contains(&room.version)) {
            return Err(Error::Stale("Room"));
        }
        if id == GLOBAL {
            return Err(Error::conflict("Everybody is in this room; it stays"));
        }
        tx.rooms().delete(id).await?;
        shop.record(&mut *tx, Some(who.user), events::deleted(&room)).await?;
        tx.commit(()).await
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{permission::Role, room::RoomKind, testing::Fixtures};

    #[tokio::test]
    async fn its_owner_deletes_a_room_and_nobody_the_one_of_all() {
        let (given, store) = Fixtures::in_memory();
        let (ada, bob) = (given.person(Role::User).await, given.person(Role::User).await);
        let admin = given.person(Role::Admin).await;
        let room = given.stored_room(RoomKind::Public, &ada).await;
        let delete = async |who, id, expected: Option<&[Version]>| {
            delete_room(&given.shop, given.authorized(who), id, expected).await
        };
        assert!(matches!(delete(&bob, room.id, None).await, Err(Error::Forbidden(_))));
        assert!(matches!(delete(&ada, room.id, Some(&[])).await, Err(Error::Stale("Room"))));
        delete(&ada, room.id, Some(&[Version::FIRST])).await.unwrap();
        assert!(matches!(delete(&ada, room.id, None).await, Err(Error::NotFound("Room"))));
        assert!(matches!(delete(&admin, GLOBAL, None).await, Err(Error::Conflict(_))));
        assert_eq!(store.traces(), [("room.delete".to_owned(), "room.deleted".to_owned())]);
    }
}
