//! Rooms in memory.

use std::collections::{BTreeMap, HashSet};

use async_trait::async_trait;

use super::{MemoryStore, MemoryTx, page_of, state::State};
use crate::{
    catalog::Version,
    clock::Timestamp,
    error::{Error, Result},
    id::{MessageId, RoomId, UserId},
    page::{Page, PageRequest},
    room::{
        Epoch, GLOBAL, Member, Message, NewMessage, Reach, Room, RoomKind, RoomName, RoomRole, Sanction, SanctionKind,
        Standing,
        ports::{Admission, Listed, MessagePurge, RoomQueries, RoomRepo, Seen, Window},
    },
};

/// Rooms and what belongs to them.
#[derive(Debug, Clone)]
pub(super) struct Rooms {
    all: BTreeMap<RoomId, Room>,
    members: BTreeMap<(RoomId, UserId), Member>,
    sanctions: BTreeMap<(RoomId, UserId, SanctionKind), Sanction>,
    messages: BTreeMap<(RoomId, u64), Message>,
    sent_as: BTreeMap<(RoomId, UserId, String), u64>,
    read: BTreeMap<(RoomId, UserId), u64>,
}

impl Default for Rooms {
    /// The room of all, as the first migration leaves it.
    fn default() -> Self {
        let at = Timestamp::UNIX_EPOCH;
        let global = Room {
            id: GLOBAL,
            name: RoomName::stored("global".to_owned()),
            title: "Everybody".to_owned(),
            kind: RoomKind::Public,
            owner: None,
            last_offset: 0,
            epoch: Epoch("0123456789abcdef".to_owned()),
            version: Version::FIRST,
            created_at: at,
            updated_at: at,
        };
        Self {
            all: BTreeMap::from([(GLOBAL, global)]),
            members: BTreeMap::new(),
            sanctions: BTreeMap::new(),
            messages: BTreeMap::new(),
            sent_as: BTreeMap::new(),
            read: BTreeMap::new(),
        }
    }
}

fn holds(sanction: &Sanction, now: Timestamp) -> bool {
    sanction.until.is_none_or(|until| until > now)
}

impl Rooms {
    /// Takes somebody out of all rooms, with what was noted of them there; what they wrote stays.
    pub(super) fn forget(&mut self, user: UserId) {
        self.members.retain(|(_, member), _| *member != user);
        self.sanctions.retain(|(_, member, _), _| *member != user);
        self.read.retain(|(_, member), _| *member != user);
    }

    fn standing(&self, room: RoomId, user: UserId, now: Timestamp) -> Standing {
        let lasting = |kind| {
            let found = self.sanctions.get(&(room, user, kind)).filter(|sanction| holds(sanction, now));
            found.map(|sanction| sanction.until)
        };
        Standing {
            role: self.members.get(&(room, user)).map(|member| member.role),
            ban: lasting(SanctionKind::Ban),
            mute: lasting(SanctionKind::Mute),
        }
    }

    fn seen(&self, room: &Room, by: Option<UserId>, now: Timestamp) -> Seen {
        Seen {
            room: room.clone(),
            standing: by.map(|user| self.standing(room.id, user, now)).unwrap_or_default(),
            read_offset: by.and_then(|user| self.read.get(&(room.id, user)).copied()),
        }
    }

    fn of(&self, room: RoomId) -> impl DoubleEndedIterator<Item = &Message> {
        self.messages.range((room, 0)..=(room, u64::MAX)).map(|(_, message)| message)
    }
}

#[async_trait]
impl RoomRepo for MemoryTx {
    async fn insert(&mut self, room: &Room) -> Result<bool> {
        if self.state.rooms.all.values().any(|other| other.name == room.name) {
            return Ok(false);
        }
        let rooms = &mut self.write().rooms;
        rooms.all.insert(room.id, room.clone());
        if let Some(user) = room.owner {
            let member = Member { user, role: RoomRole::Owner, since: room.created_at };
            rooms.members.insert((room.id, user), member);
        }
        Ok(true)
    }

    async fn find(&mut self, id: RoomId) -> Result<Option<Room>> {
        Ok(self.state.rooms.all.get(&id).cloned())
    }

    async fn update(&mut self, room: &Room) -> Result<()> {
        if let Some(stored) = self.write().rooms.all.get_mut(&room.id) {
            let last_offset = stored.last_offset;
            *stored = Room { last_offset, ..room.clone() };
        }
        Ok(())
    }

    async fn delete(&mut self, id: RoomId) -> Result<()> {
        let rooms = &mut self.write().rooms;
        rooms.all.remove(&id);
        rooms.members.retain(|(room, _), _| *room != id);
        rooms.sanctions.retain(|(room, ..), _| *room != id);
        rooms.messages.retain(|(room, _), _| *room != id);
        rooms.sent_as.retain(|(room, ..), _| *room != id);
        rooms.read.retain(|(room, _), _| *room != id);
        Ok(())
    }

    async fn standing(&mut self, room: RoomId, user: UserId, now: Timestamp) -> Result<Standing> {
        Ok(self.state.rooms.standing(room, user, now))
    }

    async fn set_member(&mut self, room: RoomId, member: &Member) -> Result<bool> {
        if !self.state.users.contains_key(&member.user) {
            return Ok(false);
        }
        self.write().rooms.members.insert((room, member.user), member.clone());
        Ok(true)
    }

    async fn remove_member(&mut self, room: RoomId, user: UserId) -> Result<bool> {
        Ok(self.write().rooms.members.remove(&(room, user)).is_some())
    }

    async fn set_sanction(&mut self, room: RoomId, sanction: &Sanction) -> Result<bool> {
        if !self.state.users.contains_key(&sanction.user) {
            return Ok(false);
        }
        self.write().rooms.sanctions.insert((room, sanction.user, sanction.kind), sanction.clone());
        Ok(true)
    }

    async fn lift_sanction(&mut self, room: RoomId, user: UserId, kind: SanctionKind) -> Result<bool> {
        Ok(self.write().rooms.sanctions.remove(&(room, user, kind)).is_some())
    }

    async fn sent_as(&mut self, room: RoomId, user: UserId, client_id: &str) -> Result<Option<Message>> {
        let rooms = &self.state.rooms;
        let offset = rooms.sent_as.get(&(room, user, client_id.to_owned()));
        Ok(offset.and_then(|offset| rooms.messages.get(&(room, *offset))).cloned())
    }

    async fn append(
        &mut self,
        room: RoomId,
        id: MessageId,
        user: UserId,
        new: &NewMessage,
        at: Timestamp,
    ) -> Result<Message> {
        let rooms = &mut self.write().rooms;
        let stored = rooms.all.get_mut(&room).ok_or_else(|| Error::internal("the room is gone"))?;
        stored.last_offset += 1;
        let offset = stored.last_offset;
        let message = Message { id, offset, user, content: new.content.clone(), at, deleted_at: None };
        rooms.messages.insert((room, offset), message.clone());
        if let Some(client_id) = &new.client_id {
            rooms.sent_as.insert((room, user, client_id.clone()), offset);
        }
        Ok(message)
    }

    async fn message(&mut self, room: RoomId, offset: u64) -> Result<Option<Message>> {
        Ok(self.state.rooms.messages.get(&(room, offset)).cloned())
    }

    async fn erase(&mut self, room: RoomId, offset: u64, at: Timestamp) -> Result<()> {
        if let Some(message) = self.write().rooms.messages.get_mut(&(room, offset)) {
            message.content.clear();
            message.deleted_at = Some(at);
        }
        Ok(())
    }

    async fn mark_read(&mut self, room: RoomId, user: UserId, offset: u64, _: Timestamp) -> Result<bool> {
        if self.state.rooms.read.get(&(room, user)).is_some_and(|read| *read >= offset) {
            return Ok(false);
        }
        self.write().rooms.read.insert((room, user), offset);
        Ok(true)
    }
}

#[async_trait]
impl RoomQueries for MemoryStore {
    async fn seen(&self, id: RoomId, by: Option<UserId>, now: Timestamp) -> Result<Option<Seen>> {
        let state = self.state();
        Ok(state.rooms.all.get(&id).map(|room| state.rooms.seen(room, by, now)))
    }

    async fn seen_by_name(&self, name: &RoomName, by: Option<UserId>, now: Timestamp) -> Result<Option<Seen>> {
        let state = self.state();
        let room = state.rooms.all.values().find(|room| room.name == *name);
        Ok(room.map(|room| state.rooms.seen(room, by, now)))
    }

    async fn list(&self, listed: Listed, page: PageRequest) -> Result<Page<Room>> {
        let state = self.state();
        let shown = |room: &&Room| match listed {
            Listed::All => true,
            Listed::Public => room.kind == RoomKind::Public,
            Listed::Of(user) => room.kind == RoomKind::Public || state.rooms.members.contains_key(&(room.id, user)),
        };
        let mut rooms: Vec<Room> = state.rooms.all.values().filter(shown).cloned().collect();
        rooms.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(page_of(rooms, page))
    }

    async fn members(&self, room: RoomId, page: PageRequest) -> Result<Page<Member>> {
        let state = self.state();
        let of_room = state.rooms.members.iter().filter(|((of, _), _)| *of == room);
        let mut members: Vec<Member> = of_room.map(|(_, member)| member.clone()).collect();
        members.sort_by_key(|member| (std::cmp::Reverse(member.role), member.since, member.user));
        Ok(page_of(members, page))
    }

    async fn sanctions(
        &self,
        room: RoomId,
        kind: SanctionKind,
        now: Timestamp,
        page: PageRequest,
    ) -> Result<Page<Sanction>> {
        let state = self.state();
        let these =
            state.rooms.sanctions.iter().filter(|((of, _, is), one)| *of == room && *is == kind && holds(one, now));
        let mut sanctions: Vec<Sanction> = these.map(|(_, sanction)| sanction.clone()).collect();
        sanctions.sort_by_key(|sanction| (std::cmp::Reverse(sanction.at), sanction.user));
        Ok(page_of(sanctions, page))
    }

    async fn admission(&self, room: RoomId, now: Timestamp) -> Result<Option<Admission>> {
        let state = self.state();
        let Some(found) = state.rooms.all.get(&room) else { return Ok(None) };
        let banned = state
            .rooms
            .sanctions
            .iter()
            .filter(|((of, _, kind), sanction)| *of == room && *kind == SanctionKind::Ban && holds(sanction, now));
        let banned = banned.map(|((_, user, _), _)| *user).collect();
        let members = match found.kind {
            RoomKind::Public => HashSet::new(),
            RoomKind::Private => {
                state.rooms.members.keys().filter(|(of, _)| *of == room).map(|(_, user)| *user).collect()
            }
        };
        Ok(Some(Admission { kind: found.kind, banned, members }))
    }

    async fn reach(&self, room: RoomId) -> Result<Option<Reach>> {
        let state = self.state();
        Ok(state.rooms.all.get(&room).map(|found| Reach {
            first: state.rooms.of(room).next().map_or(found.last_offset + 1, |message| message.offset),
            last: found.last_offset,
            epoch: found.epoch.clone(),
        }))
    }

    async fn heads(&self, rooms: &[RoomId]) -> Result<Vec<(RoomId, u64)>> {
        let state = self.state();
        Ok(rooms.iter().filter_map(|id| Some((*id, state.rooms.all.get(id)?.last_offset))).collect())
    }

    async fn messages(&self, room: RoomId, window: Window, limit: u32) -> Result<Vec<Message>> {
        let state = self.state();
        let most = usize::try_from(limit).unwrap_or(usize::MAX);
        let all = state.rooms.of(room);
        Ok(match window {
            Window::After(offset) => all.filter(|one| one.offset > offset).take(most).cloned().collect(),
            Window::Before(_) | Window::Last => {
                let before = if let Window::Before(offset) = window { offset } else { u64::MAX };
                let mut last: Vec<Message> = all.rev().filter(|one| one.offset < before).take(most).cloned().collect();
                last.reverse();
                last
            }
        })
    }
}

#[async_trait]
impl MessagePurge for MemoryStore {
    async fn purge_messages(&self, before: Timestamp, limit: u32) -> Result<u64> {
        Ok(self.change(|state: &mut State| {
            let ids: Vec<RoomId> = state.rooms.all.keys().copied().collect();
            let mut gone = 0;
            for room in ids {
                let old: Vec<u64> =
                    state.rooms.of(room).take_while(|one| one.at < before).map(|one| one.offset).collect();
                for offset in old {
                    if gone >= u64::from(limit) {
                        return gone;
                    }
                    state.rooms.messages.remove(&(room, offset));
                    gone += 1;
                }
            }
            gone
        }))
    }
}
