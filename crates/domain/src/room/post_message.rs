//! Saying something in a room.

use super::{Message, NewMessage, policy};
use crate::{
    error::Result,
    id::{MessageId, RoomId},
    permission::{Authorized, UseRooms},
    shop::Shop,
};

/// A message that stands in its room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Posted {
    /// The message.
    pub message: Message,
    /// Whether it was stored just now; not when the client had sent it before.
    pub fresh: bool,
}

/// Stores a message under the next offset of its room. One that the client sent before under the same name is given as it
/// was stored then. Messages leave no audit row; what is said is not for the logs.
///
/// # Errors
/// [`crate::Error::NotFound`] for a room the caller may not know, [`crate::Error::Forbidden`] for who is banned or muted.
pub async fn post_message(shop: &Shop, by: Authorized<UseRooms>, room: RoomId, new: NewMessage) -> Result<Posted> {
    let who = by.principal();
    let new = &new;
    shop.write("post_message", |mut tx| async move {
        let now = tx.now();
        let found = tx.rooms().find(room).await?.ok_or_else(policy::unknown)?;
        let standing = tx.rooms().standing(room, who.user, now).await?;
        policy::may_write(who, &found, &standing)?;
        if let Some(client_id) = &new.client_id
            && let Some(message) = tx.rooms().sent_as(room, who.user, client_id).await?
        {
            return tx.commit(Posted { message, fresh: false }).await;
        }
        let message = tx.rooms().append(room, shop.id::<MessageId>(), who.user, new, now).await?;
        tx.commit(Posted { message, fresh: true }).await
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Error,
        permission::Role,
        room::{
            RoomKind, RoomRole,
            ports::{RoomQueries as _, Window},
            set_member,
        },
        testing::Fixtures,
    };

    fn new(content: &str, client_id: Option<&str>) -> NewMessage {
        NewMessage { content: content.to_owned(), client_id: client_id.map(str::to_owned) }
    }

    #[tokio::test]
    async fn messages_are_numbered_without_gaps_and_one_sent_twice_is_one() {
        let (given, store) = Fixtures::in_memory();
        let (ada, bob) = (given.person(Role::User).await, given.person(Role::User).await);
        let room = given.stored_room(RoomKind::Public, &ada).await.id;
        let say = async |who, new| post_message(&given.shop, given.authorized(who), room, new).await.unwrap();
        let first = say(&ada, new("one", Some("a"))).await;
        let again = say(&ada, new("one more", Some("a"))).await;
        assert!(first.fresh && !again.fresh);
        assert_eq!(again.message, first.message);
        assert_eq!(say(&bob, new("two", Some("a"))).await.message.offset, 2, "names are everybody's own");
        assert_eq!(say(&ada, new("three", None)).await.message.offset, 3);
        let all = store.messages(room, Window::After(0), 10).await.unwrap();
        let told: Vec<_> = all.iter().map(|one| (one.offset, one.content.as_str())).collect();
        assert_eq!(told, [(1, "one"), (2, "two"), (3, "three")]);
        assert!(store.traces().is_empty());
    }

    #[tokio::test]
    async fn who_may_not_know_of_a_room_does_not_write_in_it() {
        let (given, _) = Fixtures::in_memory();
        let (ada, bob) = (given.person(Role::User).await, given.person(Role::User).await);
        let room = given.stored_room(RoomKind::Private, &ada).await.id;
        let say = async || post_message(&given.shop, given.authorized(&bob), room, new("Hello", None)).await;
        assert!(matches!(say().await, Err(Error::NotFound("Room"))));
        set_member(&given.shop, given.authorized(&ada), room, bob.user, RoomRole::Member).await.unwrap();
        assert_eq!(say().await.unwrap().message.offset, 1);
    }
}
