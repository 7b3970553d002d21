//! Deleting a message.

use super::{events, policy};
use crate::{
    error::{Error, Result},
    id::RoomId,
    permission::{Authorized, UseRooms},
    shop::Shop,
};

/// Deletes a message: one's own, or any as a moderator. Its words are gone, its place in the room stays.
///
/// # Errors
/// [`Error::NotFound`] for the room or the message, deleted ones too; [`Error::Forbidden`] for one of somebody else.
pub async fn erase_message(shop: &Shop, by: Authorized<UseRooms>, id: RoomId, offset: u64) -> Result<()> {
    let who = by.principal();
    shop.write("erase_message", |mut tx| async move {
        let now = tx.now();
        let room = tx.rooms().find(id).await?.ok_or_else(policy::unknown)?;
        let standing = tx.rooms().standing(id, who.user, now).await?;
        policy::may_enter(Some(who), &room, &standing)?;
        let message = tx.rooms().message(id, offset).await?.filter(|message| message.deleted_at.is_none());
        let message = message.ok_or(Error::NotFound("Message"))?;
        if message.user != who.user {
            policy::may_moderate(who, &room, &standing)?;
        }
        tx.rooms().erase(id, offset, now).await?;
        shop.record(&mut *tx, Some(who.user), events::message_deleted(id, &message)).await?;
        tx.commit(()).await
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        permission::Role,
        room::{
            NewMessage, RoomKind,
            ports::{RoomQueries as _, Window},
            post_message,
        },
        testing::Fixtures,
    };

    #[tokio::test]
    async fn authors_and_moderators_delete_and_the_place_stays() {
        let (given, store) = Fixtures::in_memory();
        let (ada, bob, cid) =
            (given.person(Role::User).await, given.person(Role::User).await, given.person(Role::User).await);
        let room = given.stored_room(RoomKind::Public, &ada).await.id;
        for content in ["one", "two"] {
            let new = NewMessage { content: content.to_owned(), client_id: None };
            post_message(&given.shop, given.authorized(&bob), room, new).await.unwrap();
        }
        let erase = async |who, offset| erase_message(&given.shop, given.authorized(who), room, offset).await;
        assert!(matches!(erase(&cid, 1).await, Err(Error::Forbidden(_))));
        erase(&bob, 1).await.unwrap();
        assert!(matches!(erase(&bob, 1).await, Err(Error::NotFound("Message"))));
        erase(&ada, 2).await.unwrap();
        assert!(matches!(erase(&ada, 3).await, Err(Error::NotFound("Message"))));
        let left = store.messages(room, Window::Last, 10).await.unwrap();
        let told: Vec<_> =
            left.iter().map(|one| (one.offset, one.content.as_str(), one.deleted_at.is_some())).collect();
        assert_eq!(told, [(1, "", true), (2, "", true)]);
        assert_eq!(store.traces().len(), 2);
        assert!(!store.events()[0].payload.to_string().contains("one"), "what was said stays out of the log");
    }
}
