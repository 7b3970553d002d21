//! Rooms, who may be in them, and what is said.

use std::{collections::HashSet, time::Duration};

use super::{Harness, begin, fixtures, page};
use crate::{
    Principal, Tx,
    catalog::Version,
    id::{MessageId, RoomId},
    permission::Role,
    room::{
        GLOBAL, Member, Message, NewMessage, Room, RoomKind, RoomName, RoomRole, Sanction, SanctionKind, Standing,
        ports::{Listed, Window},
    },
};

/// Runs the cases.
pub async fn run(harness: &impl Harness) {
    the_room_of_all_is_there(harness).await;
    a_room_is_stored_once_under_its_name(harness).await;
    roles_and_sanctions_are_how_one_stands(harness).await;
    lists_show_what_one_may_know(harness).await;
    who_is_admitted(harness).await;
    messages_are_numbered_and_read_by_window(harness).await;
    what_is_rolled_back_leaves_no_gap(harness).await;
    writers_at_the_same_time_are_numbered_one_after_the_other(harness).await;
    a_message_is_found_by_what_its_client_called_it(harness).await;
    marks_move_on(harness).await;
    a_deleted_room_takes_everything_along(harness).await;
    old_messages_go_from_the_beginning_of_a_room(harness).await;
}

struct Given {
    room: Room,
    owner: Principal,
    other: Principal,
}

async fn given(harness: &impl Harness, kind: RoomKind) -> Given {
    let given = fixtures(harness);
    let (owner, other) = (given.person(Role::User).await, given.person(Role::User).await);
    Given { room: given.stored_room(kind, &owner).await, owner, other }
}

fn said(content: &str) -> NewMessage {
    NewMessage { content: content.to_owned(), client_id: None }
}

async fn say(harness: &impl Harness, tx: &mut dyn Tx, room: RoomId, who: &Principal, new: &NewMessage) -> Message {
    let shop = fixtures(harness).shop;
    tx.rooms().append(room, shop.id::<MessageId>(), who.user, new, shop.now()).await.unwrap()
}

async fn the_room_of_all_is_there(harness: &impl Harness) {
    let now = fixtures(harness).shop.now();
    let seen = harness.rooms().seen(GLOBAL, None, now).await.unwrap().unwrap();
    assert_eq!((seen.room.name.as_str(), seen.room.kind, seen.room.owner), ("global", RoomKind::Public, None));
    assert_eq!(seen.room.epoch.0.len(), 16);
    let name = RoomName::parse("global").unwrap();
    assert_eq!(harness.rooms().seen_by_name(&name, None, now).await.unwrap(), Some(seen));
}

async fn a_room_is_stored_once_under_its_name(harness: &impl Harness) {
    let Given { room, owner, .. } = given(harness, RoomKind::Public).await;
    let now = fixtures(harness).shop.now();
    let seen = harness.rooms().seen(room.id, Some(owner.user), now).await.unwrap().unwrap();
    assert_eq!((&seen.room, seen.standing.role, seen.read_offset), (&room, Some(RoomRole::Owner), None));
    let mut tx = begin(harness).await;
    let twin = Room { id: fixtures(harness).shop.id(), ..room.clone() };
    assert!(!tx.rooms().insert(&twin).await.unwrap());
    assert_eq!(tx.rooms().find(room.id).await.unwrap().as_ref(), Some(&room), "the transaction goes on");
    let later = now + Duration::from_secs(1);
    let after =
        Room { title: "Other".to_owned(), kind: RoomKind::Private, version: Version(2), updated_at: later, ..room };
    tx.rooms().update(&after).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(harness.rooms().seen(after.id, None, now).await.unwrap().unwrap().room, after);
    assert_eq!(harness.rooms().seen(twin.id, None, now).await.unwrap(), None);
}

async fn roles_and_sanctions_are_how_one_stands(harness: &impl Harness) {
    let Given { room, owner, other } = given(harness, RoomKind::Private).await;
    let now = fixtures(harness).shop.now();
    let hour = now + Duration::from_hours(1);
    let mut tx = begin(harness).await;
    assert_eq!(tx.rooms().standing(room.id, other.user, now).await.unwrap(), Standing::default());
    let sanction = |kind, until| {
        let reason = "shouting".to_owned();
        Sanction { kind, user: other.user, until, by: owner.user, reason, at: now }
    };
    let member = |role| Member { user: other.user, role, since: now };
    assert!(tx.rooms().set_member(room.id, &member(RoomRole::Member)).await.unwrap());
    assert!(tx.rooms().set_member(room.id, &member(RoomRole::Moderator)).await.unwrap());
    assert!(tx.rooms().set_sanction(room.id, &sanction(SanctionKind::Ban, None)).await.unwrap());
    assert!(tx.rooms().set_sanction(room.id, &sanction(SanctionKind::Ban, Some(hour))).await.unwrap());
    assert!(tx.rooms().set_sanction(room.id, &sanction(SanctionKind::Mute, None)).await.unwrap());
    let nobody = fixtures(harness).shop.id();
    let stranger = Member { user: nobody, ..member(RoomRole::Member) };
    assert!(!tx.rooms().set_member(room.id, &stranger).await.unwrap());
    let of_stranger = Sanction { user: nobody, ..sanction(SanctionKind::Ban, None) };
    assert!(!tx.rooms().set_sanction(room.id, &of_stranger).await.unwrap());
    let standing = Standing { role: Some(RoomRole::Moderator), ban: Some(Some(hour)), mute: Some(None) };
    assert_eq!(tx.rooms().standing(room.id, other.user, now).await.unwrap(), standing);
    tx.commit().await.unwrap();
    let rooms = harness.rooms();
    assert_eq!(rooms.seen(room.id, Some(other.user), now).await.unwrap().unwrap().standing, standing);
    let later = rooms.seen(room.id, Some(other.user), hour).await.unwrap().unwrap().standing;
    assert_eq!(later, Standing { ban: None, ..standing }, "it ended");
    let members = rooms.members(room.id, page(1, 10)).await.unwrap();
    let roles: Vec<_> = members.items.iter().map(|one| (one.user, one.role)).collect();
    assert_eq!(roles, [(owner.user, RoomRole::Owner), (other.user, RoomRole::Moderator)]);
    assert_eq!((members.total, rooms.members(room.id, page(2, 1)).await.unwrap().items.len()), (2, 1));
    let bans = rooms.sanctions(room.id, SanctionKind::Ban, now, page(1, 10)).await.unwrap();
    assert_eq!((bans.items, bans.total), (vec![sanction(SanctionKind::Ban, Some(hour))], 1));
    assert_eq!(rooms.sanctions(room.id, SanctionKind::Ban, hour, page(1, 10)).await.unwrap().total, 0);
    let mut tx = begin(harness).await;
    assert!(tx.rooms().lift_sanction(room.id, other.user, SanctionKind::Mute).await.unwrap());
    assert!(!tx.rooms().lift_sanction(room.id, other.user, SanctionKind::Mute).await.unwrap());
    assert!(tx.rooms().remove_member(room.id, other.user).await.unwrap());
    assert!(!tx.rooms().remove_member(room.id, other.user).await.unwrap());
    tx.commit().await.unwrap();
}

async fn lists_show_what_one_may_know(harness: &impl Harness) {
    let Given { room: closed, owner, other } = given(harness, RoomKind::Private).await;
    let open = fixtures(harness).stored_room(RoomKind::Public, &owner).await;
    let shown = async |listed| {
        let mut ids = HashSet::new();
        for number in 1.. {
            let found = harness.rooms().list(listed, page(number, 100)).await.unwrap();
            assert!(found.items.is_sorted_by(|a, b| a.name < b.name));
            ids.extend(found.items.iter().map(|room| room.id));
            if u64::from(number) >= found.pages {
                assert_eq!(u64::try_from(ids.len()).unwrap(), found.total);
                break;
            }
        }
        (ids.contains(&open.id), ids.contains(&closed.id))
    };
    assert_eq!(shown(Listed::Public).await, (true, false));
    assert_eq!(shown(Listed::Of(other.user)).await, (true, false));
    assert_eq!(shown(Listed::Of(owner.user)).await, (true, true));
    assert_eq!(shown(Listed::All).await, (true, true));
    assert!(harness.rooms().list(Listed::All, page(9999, 100)).await.unwrap().total > 1, "also behind the last page");
}

async fn who_is_admitted(harness: &impl Harness) {
    let Given { room, owner, other } = given(harness, RoomKind::Private).await;
    let now = fixtures(harness).shop.now();
    let admitted = harness.rooms().admission(room.id, now).await.unwrap().unwrap();
    assert_eq!((admitted.kind, admitted.members), (RoomKind::Private, HashSet::from([owner.user])));
    assert!(admitted.banned.is_empty());
    let mut tx = begin(harness).await;
    let (kind, reason) = (SanctionKind::Ban, String::new());
    let end = now + Duration::from_secs(1);
    let ban = Sanction { kind, user: other.user, until: Some(end), by: owner.user, reason, at: now };
    tx.rooms().set_sanction(room.id, &ban).await.unwrap();
    let mute = Sanction { kind: SanctionKind::Mute, user: owner.user, ..ban.clone() };
    tx.rooms().set_sanction(room.id, &mute).await.unwrap();
    tx.rooms().update(&Room { kind: RoomKind::Public, ..room.clone() }).await.unwrap();
    tx.commit().await.unwrap();
    let admitted = harness.rooms().admission(room.id, now).await.unwrap().unwrap();
    assert_eq!((admitted.kind, admitted.banned), (RoomKind::Public, HashSet::from([other.user])));
    assert!(admitted.members.is_empty(), "of a public room nobody needs them");
    assert!(harness.rooms().admission(room.id, end).await.unwrap().unwrap().banned.is_empty());
    assert_eq!(harness.rooms().admission(fixtures(harness).shop.id(), now).await.unwrap(), None);
}

async fn messages_are_numbered_and_read_by_window(harness: &impl Harness) {
    let Given { room, owner, .. } = given(harness, RoomKind::Public).await;
    let rooms = harness.rooms();
    let reach = async || rooms.reach(room.id).await.unwrap().unwrap();
    assert_eq!((reach().await.first, reach().await.last, reach().await.epoch), (1, 0, room.epoch.clone()));
    let mut tx = begin(harness).await;
    let mut all = Vec::new();
    for content in ["one", "two\n\"quoted\"", "drei ✓", "four", "five"] {
        all.push(say(harness, &mut *tx, room.id, &owner, &said(content)).await);
    }
    tx.commit().await.unwrap();
    let offsets: Vec<_> = all.iter().map(|message| message.offset).collect();
    assert_eq!(offsets, [1, 2, 3, 4, 5]);
    let read = async |window, limit| rooms.messages(room.id, window, limit).await.unwrap();
    assert_eq!(read(Window::After(0), 10).await, all);
    assert_eq!(read(Window::After(1), 2).await, all[1..3]);
    assert_eq!(read(Window::After(5), 2).await, []);
    assert_eq!(read(Window::After(u64::MAX), 2).await, []);
    assert_eq!(read(Window::Before(5), 2).await, all[2..4]);
    assert_eq!(read(Window::Last, 2).await, all[3..]);
    assert_eq!((reach().await.first, reach().await.last), (1, 5));
    let unknown = fixtures(harness).shop.id();
    assert_eq!(rooms.heads(&[room.id, unknown]).await.unwrap(), [(room.id, 5)]);
    assert_eq!(rooms.reach(unknown).await.unwrap(), None);
    let now = fixtures(harness).shop.now();
    let mut tx = begin(harness).await;
    tx.rooms().erase(room.id, 2, now).await.unwrap();
    let erased = tx.rooms().message(room.id, 2).await.unwrap().unwrap();
    assert_eq!((erased.content.as_str(), erased.deleted_at), ("", Some(now)));
    assert_eq!(tx.rooms().message(room.id, 6).await.unwrap(), None);
    // What is told of the room itself does not take its messages back.
    tx.rooms().update(&room).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(reach().await.last, 5);
    assert_eq!(rooms.messages(room.id, Window::After(0), 10).await.unwrap().len(), 5, "its place stays");
}

async fn what_is_rolled_back_leaves_no_gap(harness: &impl Harness) {
    let Given { room, owner, .. } = given(harness, RoomKind::Public).await;
    let mut tx = begin(harness).await;
    assert_eq!(say(harness, &mut *tx, room.id, &owner, &said("lost")).await.offset, 1);
    tx.rollback().await.unwrap();
    let mut tx = begin(harness).await;
    assert_eq!(say(harness, &mut *tx, room.id, &owner, &said("kept")).await.offset, 1);
    tx.commit().await.unwrap();
}

async fn writers_at_the_same_time_are_numbered_one_after_the_other(harness: &impl Harness) {
    let Given { room, owner, other } = given(harness, RoomKind::Public).await;
    let shop = fixtures(harness).shop;
    let by = [&owner, &other].map(|who| fixtures(harness).authorized(who));
    let (shop, id) = (&shop, room.id);
    let [one, two] = by.map(|by| async move {
        for number in 0..10 {
            let new = said(&number.to_string());
            // The store in memory gives up on a race after some attempts.
            while crate::room::post_message(shop, by.clone(), id, new.clone()).await.is_err() {}
        }
    });
    super::presence::both(one, two).await;
    let all = harness.rooms().messages(room.id, Window::After(0), 100).await.unwrap();
    let offsets: Vec<_> = all.iter().map(|message| message.offset).collect();
    assert_eq!(offsets, (1..=20).collect::<Vec<_>>());
}

async fn a_message_is_found_by_what_its_client_called_it(harness: &impl Harness) {
    let Given { room, owner, other } = given(harness, RoomKind::Public).await;
    let elsewhere = fixtures(harness).stored_room(RoomKind::Public, &owner).await;
    let mut tx = begin(harness).await;
    let named = NewMessage { client_id: Some("a".to_owned()), ..said("Hello") };
    let message = say(harness, &mut *tx, room.id, &owner, &named).await;
    say(harness, &mut *tx, room.id, &other, &named).await;
    say(harness, &mut *tx, elsewhere.id, &owner, &named).await;
    say(harness, &mut *tx, room.id, &owner, &said("one without a name")).await;
    say(harness, &mut *tx, room.id, &owner, &said("and another")).await;
    assert_eq!(tx.rooms().sent_as(room.id, owner.user, "a").await.unwrap(), Some(message));
    assert_eq!(tx.rooms().sent_as(room.id, owner.user, "b").await.unwrap(), None);
    tx.commit().await.unwrap();
}

async fn marks_move_on(harness: &impl Harness) {
    let Given { room, owner, .. } = given(harness, RoomKind::Public).await;
    let now = fixtures(harness).shop.now();
    let mut tx = begin(harness).await;
    for (offset, moved) in [(2, true), (2, false), (1, false), (3, true)] {
        assert_eq!(tx.rooms().mark_read(room.id, owner.user, offset, now).await.unwrap(), moved, "{offset}");
    }
    tx.commit().await.unwrap();
    let seen = harness.rooms().seen(room.id, Some(owner.user), now).await.unwrap().unwrap();
    assert_eq!(seen.read_offset, Some(3));
}

async fn a_deleted_room_takes_everything_along(harness: &impl Harness) {
    let Given { room, owner, .. } = given(harness, RoomKind::Private).await;
    let mut tx = begin(harness).await;
    say(harness, &mut *tx, room.id, &owner, &said("Hello")).await;
    tx.rooms().mark_read(room.id, owner.user, 1, room.created_at).await.unwrap();
    tx.rooms().delete(room.id).await.unwrap();
    assert_eq!(tx.rooms().find(room.id).await.unwrap(), None);
    tx.commit().await.unwrap();
    assert!(harness.rooms().messages(room.id, Window::Last, 10).await.unwrap().is_empty());
    assert_eq!(harness.rooms().members(room.id, page(1, 10)).await.unwrap().total, 0);
    // The name is free again.
    let mut tx = begin(harness).await;
    assert!(tx.rooms().insert(&room).await.unwrap());
    tx.commit().await.unwrap();
    assert_eq!(harness.rooms().reach(room.id).await.unwrap().unwrap().last, 0);
}

async fn old_messages_go_from_the_beginning_of_a_room(harness: &impl Harness) {
    let Given { room, owner, .. } = given(harness, RoomKind::Public).await;
    let shop = fixtures(harness).shop;
    let now = shop.now();
    let mut tx = begin(harness).await;
    // Clocks of nodes differ a little: the fourth is older than the third.
    for age in [50, 40, 10, 30, 5] {
        let at = now - Duration::from_secs(age) - Duration::from_hours(24 * 365);
        tx.rooms().append(room.id, shop.id(), owner.user, &said("old"), at).await.unwrap();
    }
    tx.commit().await.unwrap();
    let before = now - Duration::from_secs(20) - Duration::from_hours(24 * 365);
    while harness.message_purge().purge_messages(before, 1).await.unwrap() > 0 {}
    let left = harness.rooms().messages(room.id, Window::After(0), 10).await.unwrap();
    assert_eq!(left.iter().map(|message| message.offset).collect::<Vec<_>>(), [3, 4, 5]);
    let reach = harness.rooms().reach(room.id).await.unwrap().unwrap();
    assert_eq!((reach.first, reach.last), (3, 5));
}
