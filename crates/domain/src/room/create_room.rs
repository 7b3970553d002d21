//! Making a room.

use super::{Epoch, NewRoom, Room, events};
use crate::{
    catalog::Version,
    error::{Error, Result},
    id::RoomId,
    idempotency::{Once, Outcome},
    permission::{Authorized, UseRooms},
    shop::Shop,
};

/// Makes a room; the caller owns it.
///
/// # Errors
/// [`Error::Conflict`] when the name is taken.
pub async fn create_room(
    shop: &Shop,
    by: Authorized<UseRooms>,
    new: NewRoom,
    once: &Once<'_, Room>,
) -> Result<Outcome<Room>> {
    let user = by.principal().user;
    let new = &new;
    shop.write_once("create_room", once, |mut tx| async move {
        let now = tx.now();
        let room = Room {
            id: shop.id::<RoomId>(),
            name: new.name.clone(),
            title: new.title.clone(),
            kind: new.kind,
            owner: Some(user),
            last_offset: 0,
            epoch: Epoch::draw(&*shop.entropy),
            version: Version::FIRST,
            created_at: now,
            updated_at: now,
        };
        if !tx.rooms().insert(&room).await? {
            return Err(Error::conflict(format!("There is a room {} already", room.name)));
        }
        shop.record(&mut *tx, Some(user), events::created(&room)).await?;
        tx.commit(room).await
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        permission::Role,
        room::{RoomInput, RoomKind, RoomRole},
        testing::Fixtures,
    };

    #[tokio::test]
    async fn a_room_has_one_name_and_its_maker_owns_it() {
        let (given, store) = Fixtures::in_memory();
        let ada = given.person(Role::User).await;
        let new = || {
            let input = RoomInput { name: Some("lamps".into()), title: None, kind: Some(RoomKind::Private) };
            input.check(&mut crate::Violations::default()).unwrap()
        };
        let made = create_room(&given.shop, given.authorized(&ada), new(), &Once::always()).await.unwrap();
        let room = made.fresh().unwrap();
        assert_eq!((room.title.as_str(), room.owner, room.epoch.0.len()), ("lamps", Some(ada.user), 16));
        let standing = given.tx().await.rooms().standing(room.id, ada.user, given.shop.now()).await.unwrap();
        assert_eq!(standing.role, Some(RoomRole::Owner));
        let again = create_room(&given.shop, given.authorized(&ada), new(), &Once::always()).await;
        assert!(matches!(again, Err(Error::Conflict(_))));
        assert_eq!(store.traces(), [("room.create".to_owned(), "room.created".to_owned())]);
    }
}
