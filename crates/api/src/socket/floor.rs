//! Which connections of this node are in which room, and how far each room was told.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use domain::{
    id::{RoomId, UserId},
    room::{Crowd, Hint, Message, NodeId, RoomKind, ports::Admission},
};
use tokio::sync::{Notify, watch};
use uuid::Uuid;

use super::{
    mailbox::{Mailbox, News, Parcel},
    outgoing::{LeftReason, Outgoing},
    people::People,
};

/// Most people whom a message names.
pub(super) const NAMED_MOST: u32 = 100;

/// Which connections of this node are in which room.
#[derive(Debug)]
pub struct Floor {
    /// This node.
    pub node: NodeId,
    /// Who is in which room on this node, for presence.
    pub people: People,
    rooms: Mutex<HashMap<RoomId, Arc<Served>>>,
    wanted: Notify,
    open: Mutex<Open>,
}

/// A room with connections of this node in it.
#[derive(Debug)]
pub struct Served {
    id: RoomId,
    name: Arc<str>,
    /// Told to look into the database.
    poke: Notify,
    /// True once the position is known.
    ready: watch::Sender<bool>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// Everything up to this offset was told to those in the room.
    position: u64,
    /// Where that began: who entered before is told what came after it.
    begun_at: u64,
    /// Somebody follows the room.
    followed: bool,
    /// It is on the floor no more: who enters needs another.
    retired: bool,
    /// How many people were there when it was told last.
    count: u64,
    guests: HashMap<Uuid, Guest>,
}

/// A connection in a room.
#[derive(Debug, Clone)]
pub(super) struct Guest {
    /// Who, when signed in.
    pub(super) user: Option<UserId>,
    /// Whether they may be everywhere.
    pub(super) admin: bool,
    /// What they are told goes here.
    pub(super) mailbox: Mailbox,
}

#[derive(Debug, Default)]
struct Open {
    all: usize,
    of_users: HashMap<UserId, usize>,
    of_addresses: HashMap<IpAddr, usize>,
}

/// Whose connection it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Whose {
    /// A person's.
    User(UserId),
    /// That of somebody at this address.
    Address(IpAddr),
}

/// Why there is no room for a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Crowded {
    /// On this node.
    Node,
    /// For this person or address.
    Caller,
}

/// The place of one connection; dropping it makes room.
#[derive(Debug)]
pub(super) struct Place {
    floor: Arc<Floor>,
    whose: Whose,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut open = self.floor.open();
        open.all = open.all.saturating_sub(1);
        let open = &mut *open;
        match self.whose {
            Whose::User(user) => release(&mut open.of_users, user),
            Whose::Address(address) => release(&mut open.of_addresses, address),
        }
        metrics::gauge!("streams_open", "protocol" => "ws").decrement(1.0);
    }
}

fn release<K: std::hash::Hash + Eq>(counts: &mut HashMap<K, usize>, key: K) {
    if let std::collections::hash_map::Entry::Occupied(mut count) = counts.entry(key) {
        *count.get_mut() -= 1;
        if *count.get() == 0 {
            count.remove();
        }
    }
}

impl Floor {
    /// The floor of a node.
    pub fn new(node: NodeId) -> Arc<Self> {
        Arc::new(Self {
            node,
            people: People::default(),
            rooms: Mutex::default(),
            wanted: Notify::new(),
            open: Mutex::default(),
        })
    }

    /// Counts a connection in, unless there are too many already; a limit of 0 is none.
    pub(super) fn admit(self: &Arc<Self>, whose: Whose, most: usize, most_of_caller: usize) -> Result<Place, Crowded> {
        let mut open = self.open();
        if open.all >= most {
            return Err(Crowded::Node);
        }
        let of_caller = match whose {
            Whose::User(user) => open.of_users.entry(user).or_default(),
            Whose::Address(address) => open.of_addresses.entry(address).or_default(),
        };
        if most_of_caller > 0 && *of_caller >= most_of_caller {
            return Err(Crowded::Caller);
        }
        *of_caller += 1;
        open.all += 1;
        metrics::gauge!("streams_open", "protocol" => "ws").increment(1.0);
        Ok(Place { floor: Arc::clone(self), whose })
    }

    /// Lets a connection into a room: from here on all news of it goes into the mailbox. The position is known once
    /// [`Served::position`] gives it.
    pub(super) fn enter(&self, room: RoomId, name: &str, connection: Uuid, guest: Guest) -> (Arc<Served>, Option<u64>) {
        let mut rooms = self.rooms();
        let served = rooms.entry(room).or_insert_with(|| {
            self.wanted.notify_one();
            Arc::new(Served {
                id: room,
                name: name.into(),
                poke: Notify::new(),
                ready: watch::Sender::new(false),
                state: Mutex::default(),
            })
        });
        let served = Arc::clone(served);
        let mut state = served.state();
        state.guests.insert(connection, guest);
        // Within the lock: what comes after this number comes through the mailbox.
        let from = served.ready.borrow().then_some(state.position);
        drop(state);
        (served, from)
    }

    /// The rooms that nobody follows yet; waits until there are some. Whoever takes them MUST follow them.
    pub async fn unfollowed(&self) -> Vec<Arc<Served>> {
        loop {
            let found: Vec<_> = self.rooms().values().filter(|served| served.take_over()).cloned().collect();
            if !found.is_empty() {
                return found;
            }
            self.wanted.notified().await;
        }
    }

    /// Nobody follows any room: after the one who did has ended.
    pub fn nobody_follows(&self) {
        for served in self.rooms().values() {
            served.state().followed = false;
        }
        self.wanted.notify_one();
    }

    /// Every room with somebody in it.
    pub fn served(&self) -> Vec<Arc<Served>> {
        self.rooms().values().cloned().collect()
    }

    /// Takes a room off the floor when nobody is in it.
    pub fn retire(&self, served: &Arc<Served>) -> bool {
        let mut rooms = self.rooms();
        let mut state = served.state();
        let empty = state.guests.is_empty();
        if empty && !state.retired {
            state.retired = true;
            rooms.remove(&served.id);
        }
        empty
    }

    fn rooms(&self) -> MutexGuard<'_, HashMap<RoomId, Arc<Served>>> {
        self.rooms.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn open(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Served {
    /// The room.
    pub fn id(&self) -> RoomId {
        self.id
    }

    /// Everything up to this offset was told; `None` before it is known.
    pub fn position(&self) -> Option<u64> {
        let state = self.state();
        self.ready.borrow().then_some(state.position)
    }

    /// Waits until the position is known, and gives where it began: for who entered before, what came since is in the
    /// mailbox.
    pub(super) async fn began(&self) -> Option<u64> {
        let mut ready = self.ready.subscribe();
        ready.wait_for(|ready| *ready).await.ok()?;
        Some(self.state().begun_at)
    }

    /// Begins after this offset. Whoever is in the room already is told what comes after it.
    pub fn begin(&self, position: u64) {
        let mut state = self.state();
        if !*self.ready.borrow() {
            (state.position, state.begun_at) = (position, position);
            self.ready.send_replace(true);
        }
    }

    /// Wakes whoever follows the room: there may be more in the database.
    pub fn poke(&self) {
        self.poke.notify_one();
    }

    /// Waits to be woken.
    pub async fn poked(&self) {
        self.poke.notified().await;
    }

    /// Nobody follows it any more.
    pub fn abandoned(&self) {
        self.state().followed = false;
    }

    fn take_over(&self) -> bool {
        !std::mem::replace(&mut self.state().followed, true)
    }

    /// Tells the messages that are next in order, and gives whether one was missing before them.
    pub fn deliver(&self, messages: &[Message]) -> bool {
        for message in messages {
            let mut state = self.state();
            if message.offset <= state.position {
                continue;
            }
            if message.offset > state.position + 1 {
                return true;
            }
            state.position = message.offset;
            let text = Outgoing::message(&self.name, message).text();
            self.tell(&state, News::Message(message.offset, text));
        }
        false
    }

    /// Goes on after an offset, when what stood before is not kept any more.
    pub fn skip_to(&self, offset: u64) {
        let mut state = self.state();
        state.position = state.position.max(offset);
    }

    /// Tells what passes. Gives whether it was told of a message that has not come yet.
    pub fn pass(&self, hint: &Hint, everybody: RoomId) -> bool {
        let room = || self.name.to_string();
        let both = |make: &dyn Fn(Option<Uuid>) -> Outgoing, user: UserId| {
            let except = Some(user);
            News::Passing { full: make(Some(user.0)).text(), bare: Some(make(None).text()), except }
        };
        let news = match hint {
            Hint::Message { message } => return self.deliver(std::slice::from_ref(message)),
            Hint::Stored { offset } => return *offset > self.state().position,
            Hint::Admission => return false,
            Hint::Erased { offset } => {
                let text = Outgoing::MessageDeleted { room: room(), offset: *offset }.text();
                vec![News::Passing { full: text.clone(), bare: Some(text), except: None }]
            }
            Hint::Typing { user, active } => {
                let make = |user_id| Outgoing::Typing { room: room(), user_id, active: *active };
                vec![both(&make, *user)]
            }
            Hint::Read { user, offset } => {
                let make = |user_id| Outgoing::Read { room: room(), user_id, offset: *offset };
                vec![both(&make, *user)]
            }
            Hint::Moved { joined, left, count } => {
                self.state().count = *count;
                if self.id == everybody { gathered(joined, left, *count) } else { self.each(joined, left, *count) }
            }
        };
        let state = self.state();
        for one in news {
            self.tell(&state, one);
        }
        false
    }

    /// Each who came or went by themselves. They are not told of themselves: `room_joined` did.
    fn each(&self, joined: &[UserId], left: &[UserId], member_count: u64) -> Vec<News> {
        let room = || self.name.to_string();
        let came = joined.iter().map(|user| {
            let make = |user_id| Outgoing::MemberJoined { room: room(), user_id, member_count };
            News::Passing { full: make(Some(user.0)).text(), bare: Some(make(None).text()), except: Some(*user) }
        });
        let went = left.iter().map(|user| {
            let make = |user_id| Outgoing::MemberLeft { room: room(), user_id, member_count };
            News::Passing { full: make(Some(user.0)).text(), bare: Some(make(None).text()), except: Some(*user) }
        });
        came.chain(went).collect()
    }

    /// Tells who is there, when their number is another than was told last.
    pub fn recount(&self, crowd: &Crowd) {
        let mut state = self.state();
        if state.count == crowd.count {
            return;
        }
        state.count = crowd.count;
        let make = |members| Outgoing::RoomMembers { room: self.name.to_string(), members, member_count: crowd.count };
        let members = crowd.some.iter().map(|user| user.0).collect();
        let (full, bare) = (make(Some(members)).text(), Some(make(None).text()));
        self.tell(&state, News::Passing { full, bare, except: None });
    }

    /// Shows out who may not be in the room any more; everybody when it is gone.
    pub fn admit_only(&self, admission: Option<&Admission>) {
        self.state().guests.retain(|_, guest| {
            let reason = reason(guest, admission);
            if let Some(reason) = reason {
                guest.mailbox.put(&Arc::new(Parcel { room: self.id, news: News::Removed(reason) }));
            }
            reason.is_none()
        });
    }

    /// A connection leaves.
    pub(super) fn leave(&self, connection: Uuid) {
        self.state().guests.remove(&connection);
    }

    fn tell(&self, state: &State, news: News) {
        let parcel = Arc::new(Parcel { room: self.id, news });
        for guest in state.guests.values() {
            let wanted = match &parcel.news {
                News::Passing { bare, except, .. } => match guest.user {
                    Some(user) => *except != Some(user),
                    None => bare.is_some(),
                },
                _ => true,
            };
            if wanted {
                guest.mailbox.put(&parcel);
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Those who came and those who went, each in one message.
fn gathered(joined: &[UserId], left: &[UserId], member_count: u64) -> Vec<News> {
    let ids = |users: &[UserId]| users.iter().map(|user| user.0).collect::<Vec<_>>();
    let mut news = Vec::new();
    if let Some(first) = joined.first() {
        let make = |user_id, user_ids| Outgoing::UserJoined { user_id, user_ids, member_count };
        let (full, bare) = (make(Some(first.0), ids(joined)).text(), Some(make(None, Vec::new()).text()));
        news.push(News::Passing { full, bare, except: None });
    }
    if let Some(first) = left.first() {
        let make = |user_id, user_ids| Outgoing::UserLeft { user_id, user_ids, member_count };
        let (full, bare) = (make(Some(first.0), ids(left)).text(), Some(make(None, Vec::new()).text()));
        news.push(News::Passing { full, bare, except: None });
    }
    news
}

/// Why somebody may not be in a room any more.
fn reason(guest: &Guest, admission: Option<&Admission>) -> Option<LeftReason> {
    let Some(admission) = admission else { return Some(LeftReason::Deleted) };
    match guest.user {
        _ if guest.admin => None,
        Some(user) if admission.banned.contains(&user) => Some(LeftReason::Banned),
        Some(user) if admission.kind == RoomKind::Private && !admission.members.contains(&user) => {
            Some(LeftReason::Removed)
        }
        None if admission.kind == RoomKind::Private => Some(LeftReason::Removed),
        _ => None,
    }
}
