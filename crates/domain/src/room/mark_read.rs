//! How far somebody has read.

use super::policy;
use crate::{
    error::{Error, Result},
    id::RoomId,
    permission::{Authorized, UseRooms},
    shop::Shop,
};

/// Notes that the caller has read up to an offset, and gives whether that is further than before.
///
/// # Errors
/// [`Error::NotFound`] and [`Error::Forbidden`] as for whoever enters; [`Error::Conflict`] beyond the last message.
pub async fn mark_read(shop: &Shop, by: Authorized<UseRooms>, id: RoomId, offset: u64) -> Result<bool> {
    let who = by.principal();
    shop.write("mark_read", |mut tx| async move {
        let now = tx.now();
        let room = tx.rooms().find(id).await?.ok_or_else(policy::unknown)?;
        let standing = tx.rooms().standing(id, who.user, now).await?;
        policy::may_enter(Some(who), &room, &standing)?;
        if offset > room.last_offset {
            return Err(Error::conflict(format!("The last message of this room is {}", room.last_offset)));
        }
        let moved = tx.rooms().mark_read(id, who.user, offset, now).await?;
        tx.commit(moved).await
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        permission::Role,
        room::{NewMessage, RoomKind, ports::RoomQueries as _, post_message},
        testing::Fixtures,
    };

    #[tokio::test]
    async fn a_mark_moves_on_and_never_back() {
        let (given, store) = Fixtures::in_memory();
        let ada = given.person(Role::User).await;
        let room = given.stored_room(RoomKind::Public, &ada).await.id;
        for _ in 0..3 {
            let new = NewMessage { content: "Hello".to_owned(), client_id: None };
            post_message(&given.shop, given.authorized(&ada), room, new).await.unwrap();
        }
        let read = async |offset| mark_read(&given.shop, given.authorized(&ada), room, offset).await;
        assert!(read(2).await.unwrap());
        assert!(!read(1).await.unwrap() && !read(2).await.unwrap());
        assert!(matches!(read(4).await, Err(Error::Conflict(_))));
        let seen = store.seen(room, Some(ada.user), given.shop.now()).await.unwrap().unwrap();
        assert_eq!(seen.read_offset, Some(2));
    }
}
