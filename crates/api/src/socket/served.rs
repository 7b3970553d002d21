//! A room as one node serves it: who is in it, and how far it was told.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use domain::{
    id::{RoomId, UserId},
    room::{Crowd, Hint, Message, RoomKind, ports::Admission},
};
use tokio::sync::{Notify, watch};
use uuid::Uuid;

use super::{
    outgoing::{LeftReason, Outgoing},
    parcel::{Load, News, Parcel},
};
use crate::rounds::{Round, Rounds};

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
    /// Who may be in it may have changed.
    doubted: bool,
    /// How many people were there when it was told last.
    count: u64,
    guests: HashMap<Uuid, Guest>,
    /// The rounds of the workers that have them.
    rounds: Rounds<Load>,
}

/// A connection in a room.
#[derive(Debug, Clone)]
pub(super) struct Guest {
    /// Who, when signed in.
    pub(super) user: Option<UserId>,
    /// Whether they may be everywhere.
    pub(super) admin: bool,
    /// The round of their worker.
    pub(super) round: Arc<Round<Load>>,
}

impl Served {
    /// A room that nobody is in yet.
    pub(super) fn new(id: RoomId, name: &str) -> Self {
        let (poke, ready) = (Notify::new(), watch::Sender::new(false));
        Self { id, name: name.into(), poke, ready, state: Mutex::default() }
    }

    /// Lets a connection in. Gives the offset after which it is told everything, when that is known yet.
    pub(super) fn let_in(&self, connection: Uuid, guest: Guest) -> Option<u64> {
        let mut state = self.state();
        state.rounds.comes(&guest.round);
        if let Some(before) = state.guests.insert(connection, guest) {
            state.rounds.goes(&before.round);
        }
        // Within the lock: what comes after this number is brought to the connection.
        self.ready.borrow().then_some(state.position)
    }

    /// Whether nobody is in it.
    pub(super) fn is_empty(&self) -> bool {
        self.state().guests.is_empty()
    }

    /// The room.
    pub fn id(&self) -> RoomId {
        self.id
    }

    /// Everything up to this offset was told; `None` before it is known.
    pub fn position(&self) -> Option<u64> {
        let state = self.state();
        self.ready.borrow().then_some(state.position)
    }

    /// Waits until the position is known, and gives where it began: who entered before is brought
    /// what came since.
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

    /// Who may be in it may have changed: whoever follows it is to look.
    pub fn doubt(&self) {
        self.state().doubted = true;
        self.poke();
    }

    /// Whether it is to be looked who may be in it; whoever asks MUST look, or doubt it again.
    pub fn takes_doubt(&self) -> bool {
        std::mem::take(&mut self.state().doubted)
    }

    /// Nobody follows it any more.
    pub(super) fn abandoned(&self) {
        self.state().followed = false;
    }

    /// Whether nobody followed it before; from here on somebody does.
    pub(super) fn take_over(&self) -> bool {
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
            let frame = Outgoing::message(&self.name, message).frame();
            self.tell(&state, News::Message(message.offset, frame));
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
            News::Passing { full: make(Some(user.0)).frame(), bare: Some(make(None).frame()), except }
        };
        let news = match hint {
            Hint::Message { message } => return self.deliver(std::slice::from_ref(message)),
            Hint::Stored { offset } => return *offset > self.state().position,
            Hint::Admission | Hint::Crowd => return false,
            Hint::Erased { offset } => {
                let frame = Outgoing::MessageDeleted { room: room(), offset: *offset }.frame();
                vec![News::Passing { full: frame.clone(), bare: Some(frame), except: None }]
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
            News::Passing { full: make(Some(user.0)).frame(), bare: Some(make(None).frame()), except: Some(*user) }
        });
        let went = left.iter().map(|user| {
            let make = |user_id| Outgoing::MemberLeft { room: room(), user_id, member_count };
            News::Passing { full: make(Some(user.0)).frame(), bare: Some(make(None).frame()), except: Some(*user) }
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
        let (full, bare) = (make(Some(members)).frame(), Some(make(None).frame()));
        self.tell(&state, News::Passing { full, bare, except: None });
    }

    /// Shows out who may not be in the room any more; everybody when it is gone.
    pub fn admit_only(&self, admission: Option<&Admission>) {
        let mut state = self.state();
        let gone = state.guests.extract_if(|_, guest| reason(guest, admission).is_some()).collect::<Vec<_>>();
        for (connection, guest) in gone {
            if let Some(reason) = reason(&guest, admission) {
                let parcel = Arc::new(Parcel { room: self.id, news: News::Removed(reason) });
                guest.round.bring(Load { parcel, only: Some(connection) });
            }
            state.rounds.goes(&guest.round);
        }
    }

    /// A connection's caller is an administrator now, or none any more.
    pub(super) fn takes_for(&self, connection: Uuid, admin: bool) {
        if let Some(guest) = self.state().guests.get_mut(&connection) {
            guest.admin = admin;
        }
    }

    /// A connection leaves.
    pub(super) fn leave(&self, connection: Uuid) {
        let mut state = self.state();
        if let Some(guest) = state.guests.remove(&connection) {
            state.rounds.goes(&guest.round);
        }
    }

    fn tell(&self, state: &State, news: News) {
        let parcel = Arc::new(Parcel { room: self.id, news });
        state.rounds.bring(&Load { parcel, only: None });
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
        let (full, bare) = (make(Some(first.0), ids(joined)).frame(), Some(make(None, Vec::new()).frame()));
        news.push(News::Passing { full, bare, except: None });
    }
    if let Some(first) = left.first() {
        let make = |user_id, user_ids| Outgoing::UserLeft { user_id, user_ids, member_count };
        let (full, bare) = (make(Some(first.0), ids(left)).frame(), Some(make(None, Vec::new()).frame()));
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

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use domain::{clock::Timestamp, id::MessageId, room::GLOBAL};

    use super::*;
    use crate::socket::frame::Frame;

    const ADA: UserId = UserId(Uuid::from_u128(1));
    const BOB: UserId = UserId(Uuid::from_u128(2));
    const ROOM: RoomId = RoomId(Uuid::from_u128(3));

    fn message(offset: u64) -> Message {
        let (id, at) = (MessageId(Uuid::from_u128(offset.into())), Timestamp::UNIX_EPOCH);
        Message { id, offset, user: ADA, content: "Hello".to_owned(), at, deleted_at: None }
    }

    /// A connection, each on a worker of its own.
    struct Entered {
        connection: Uuid,
        user: Option<UserId>,
        round: Arc<Round<Load>>,
    }

    fn enter(served: &Served, connection: u128, user: Option<UserId>) -> (Option<u64>, Entered) {
        let (connection, round) = (Uuid::from_u128(connection), Round::new());
        let from = served.let_in(connection, Guest { user, admin: false, round: Arc::clone(&round) });
        (from, Entered { connection, user, round })
    }

    /// What is brought to a connection: offsets of messages, texts of what passes, reasons.
    fn told(entered: &Entered) -> Vec<String> {
        let (loads, _) = entered.round.taken();
        let of = loads.into_iter().filter(|load| load.only.is_none_or(|only| only == entered.connection));
        let wanted = of.filter(|load| load.parcel.news.is_for(entered.user));
        let read = wanted.map(|load| match &load.parcel.news {
            News::Message(offset, _) => offset.to_string(),
            News::Passing { full, .. } if entered.user.is_some() => full.read(),
            News::Passing { bare, .. } => bare.as_ref().map(Frame::read).unwrap_or_default(),
            News::Removed(reason) => format!("{reason:?}"),
        });
        read.collect()
    }

    #[tokio::test]
    async fn each_message_is_told_once_and_in_order_or_one_is_said_to_be_missing() {
        let served = Served::new(ROOM, "lamps");
        let (from, early) = enter(&served, 1, None);
        assert_eq!(from, None);
        served.begin(4);
        served.begin(9);
        assert!(!served.deliver(&[message(4), message(5)]));
        assert_eq!(served.began().await, Some(4), "who waited is told what came since");
        let (from, late) = enter(&served, 2, None);
        assert_eq!(from, Some(5));
        assert!(served.deliver(&[message(7)]), "6 is missing");
        assert!(!served.deliver(&[message(5), message(6), message(7)]));
        assert!(!served.pass(&Hint::Message { message: message(7) }, GLOBAL));
        assert!(served.pass(&Hint::Stored { offset: 8 }, GLOBAL) && !served.pass(&Hint::Stored { offset: 7 }, GLOBAL));
        assert_eq!(told(&early), ["5", "6", "7"]);
        assert_eq!(told(&late), ["6", "7"]);
    }

    #[test]
    fn who_is_not_signed_in_sees_counts_and_nobody_hears_of_themselves() {
        let served = Served::new(ROOM, "lamps");
        served.begin(0);
        let ((_, hers), (_, his), (_, nobodys)) =
            (enter(&served, 1, Some(ADA)), enter(&served, 2, Some(BOB)), enter(&served, 3, None));
        served.pass(&Hint::Moved { joined: vec![BOB], left: Vec::new(), count: 2 }, GLOBAL);
        let who = format!(r#"{{"type":"member_joined","room":"lamps","userId":"{BOB}","memberCount":2}}"#);
        assert_eq!(told(&hers), [who]);
        assert!(told(&his).is_empty());
        assert_eq!(told(&nobodys), [r#"{"type":"member_joined","room":"lamps","memberCount":2}"#]);
        served.recount(&Crowd { some: vec![ADA, BOB], count: 2 });
        assert!(told(&hers).is_empty(), "that is known");
        served.recount(&Crowd { some: vec![ADA], count: 1 });
        assert_eq!(told(&nobodys), [r#"{"type":"room_members","room":"lamps","memberCount":1}"#]);
    }

    #[test]
    fn who_may_not_be_in_the_room_is_shown_out() {
        let served = Served::new(ROOM, "lamps");
        served.begin(0);
        let ((_, hers), (_, his), (_, nobodys)) =
            (enter(&served, 1, Some(ADA)), enter(&served, 2, Some(BOB)), enter(&served, 3, None));
        let open = Admission { kind: RoomKind::Public, banned: HashSet::from([BOB]), members: HashSet::new() };
        served.admit_only(Some(&open));
        assert_eq!(told(&his), ["Banned"]);
        let closed = Admission { kind: RoomKind::Private, banned: HashSet::new(), members: HashSet::from([ADA]) };
        served.admit_only(Some(&closed));
        assert_eq!((told(&nobodys), told(&hers)), (vec!["Removed".to_owned()], Vec::new()));
        served.admit_only(None);
        assert_eq!(told(&hers), ["Deleted"]);
        assert!(served.is_empty());
    }

    #[test]
    fn each_worker_is_brought_it_once_and_none_whose_connections_have_left() {
        let served = Served::new(ROOM, "lamps");
        served.begin(0);
        let rounds = [Round::new(), Round::new()];
        for (connection, round) in rounds.iter().cycle().take(6).enumerate() {
            let guest = Guest { user: None, admin: false, round: Arc::clone(round) };
            served.let_in(Uuid::from_u128(u128::try_from(connection).unwrap()), guest);
        }
        served.deliver(&[message(1)]);
        assert_eq!(rounds.each_ref().map(|round| round.taken().0.len()), [1, 1]);
        for connection in [0, 2, 4, 4] {
            served.leave(Uuid::from_u128(connection));
        }
        served.deliver(&[message(2)]);
        assert_eq!(rounds.each_ref().map(|round| round.taken().0.len()), [0, 1]);
        served.admit_only(None);
        assert_eq!(rounds.each_ref().map(|round| round.taken().0.len()), [0, 3]);
        assert!(served.is_empty() && served.state().rounds.counts().is_empty());
    }
}
