//! What the two halves of a connection share: the session, which decides, and the body, which writes.
//!
//! News of rooms goes to the socket without waking the session, and while nothing waits, without waking the body either: a
//! message to thousands is written to one socket after the other. The session holds the line shut while it does something, so
//! that nothing comes in between, and it stays shut when the session has to look first at who its caller is.

use std::{
    cell::{RefCell, RefMut},
    collections::VecDeque,
    future::poll_fn,
    iter,
    rc::Rc,
    sync::Arc,
    task::{Context, Poll, Waker},
};

use actix_web::web::BytesMut;
use domain::{
    clock::Timestamp,
    id::{RoomId, UserId},
};
use tokio::sync::watch;

use super::{
    frame::Frame,
    outgoing::LeftReason,
    parcel::{News, Parcel},
};
use crate::connection::{Outlet, Took};

/// Frames of the session that may wait for the body.
const MOST: usize = 64;

/// What both halves hold.
#[derive(Clone)]
pub(super) struct Line(Rc<RefCell<State>>);

struct State {
    /// What the session told and was not written yet.
    told: VecDeque<Frame>,
    /// News that waits for the body.
    news: VecDeque<Arc<Parcel>>,
    /// How much of it may wait.
    room_for: usize,
    /// Where news is written to at once, once the body has begun.
    outlet: Option<Outlet>,
    /// How far each room was told.
    rooms: Vec<(RoomId, u64)>,
    /// Rooms the connection was shown out of; the session does not know yet.
    removed: Vec<(RoomId, LeftReason)>,
    /// Somebody is signed in, and no guest.
    signed: bool,
    /// Until when that holds.
    until: Option<Timestamp>,
    /// Changes when the session is to look at who its caller is.
    changed: watch::Receiver<()>,
    gate: Gate,
    /// The session is asked to go round once, so that it looks and opens again.
    nudged: bool,
    health: Health,
    session: Option<Waker>,
    body: Option<Waker>,
}

/// Whether news may pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Gate {
    /// The session is doing something.
    Shut,
    /// It waits.
    Open,
    /// It tells nothing any more.
    Ended,
}

/// How the connection is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Health {
    /// It takes what it is told.
    Well,
    /// More news came than found room.
    Overrun,
    /// The body is gone, and with it the connection.
    Lost,
}

/// What the body finds.
#[derive(Debug)]
pub(super) enum Found {
    /// To be written.
    Told(Frame),
    /// Nothing more will come.
    Ended,
    /// Nothing now.
    Nothing,
}

/// What the session is woken for.
pub(super) enum Call {
    /// It was shown out of these rooms.
    Removed(Vec<(RoomId, LeftReason)>),
    /// It is to go round once.
    Nudge,
    /// The client takes less than there is news.
    Overrun,
    /// The connection is gone.
    Lost,
}

impl Line {
    /// A line of somebody, who has a name to others or not, that `changed` tells when they may be somebody else. So much news may wait.
    pub(super) fn new(signed: bool, until: Option<Timestamp>, changed: watch::Receiver<()>, room_for: usize) -> Self {
        Self(Rc::new(RefCell::new(State {
            told: VecDeque::new(),
            news: VecDeque::new(),
            room_for,
            outlet: None,
            rooms: Vec::new(),
            removed: Vec::new(),
            signed,
            until,
            changed,
            gate: Gate::Shut,
            nudged: false,
            health: Health::Well,
            session: None,
            body: None,
        })))
    }

    fn state(&self) -> RefMut<'_, State> {
        self.0.borrow_mut()
    }

    // The session's half.

    /// Puts a frame in when there is room; gives it back otherwise.
    ///
    /// # Errors
    /// The frame, when the body did not take what was told before.
    pub(super) fn put(&self, frame: Frame) -> Result<(), Frame> {
        let mut state = self.state();
        if state.told.len() >= MOST && state.health != Health::Lost {
            return Err(frame);
        }
        state.told.push_back(frame);
        wake(&mut state.body);
        Ok(())
    }

    /// Waits until there is room for a frame, or will never be; gives whether the client keeps up with the news.
    pub(super) async fn room(&self) -> bool {
        poll_fn(|cx| {
            let mut state = self.state();
            if state.told.len() < MOST || state.health != Health::Well {
                return Poll::Ready(state.health != Health::Overrun);
            }
            register(&mut state.session, cx);
            Poll::Pending
        })
        .await
    }

    /// Whether the connection is gone.
    pub(super) fn is_lost(&self) -> bool {
        self.state().health == Health::Lost
    }

    /// Lets news pass.
    pub(super) fn open(&self) {
        let mut state = self.state();
        if state.gate == Gate::Shut {
            state.gate = Gate::Open;
            wake(&mut state.body);
        }
    }

    /// Lets no news pass.
    pub(super) fn shut(&self) {
        let mut state = self.state();
        if state.gate == Gate::Open {
            state.gate = Gate::Shut;
        }
    }

    /// Waits until the session is to do something.
    pub(super) async fn called(&self) -> Call {
        poll_fn(|cx| {
            let mut state = self.state();
            match state.health {
                Health::Well => {}
                Health::Overrun => return Poll::Ready(Call::Overrun),
                Health::Lost => return Poll::Ready(Call::Lost),
            }
            if !state.removed.is_empty() {
                return Poll::Ready(Call::Removed(std::mem::take(&mut state.removed)));
            }
            if std::mem::take(&mut state.nudged) {
                return Poll::Ready(Call::Nudge);
            }
            register(&mut state.session, cx);
            Poll::Pending
        })
        .await
    }

    /// The session looks now at who its caller is: what changes from here on is to be looked at again.
    pub(super) fn looks(&self) {
        self.state().changed.mark_unchanged();
    }

    /// Until when the caller is signed in.
    pub(super) fn holds_until(&self, until: Option<Timestamp>) {
        self.state().until = until;
    }

    /// In a room everything after this offset is told.
    pub(super) fn enter(&self, room: RoomId, after: u64) {
        self.state().rooms.push((room, after));
    }

    /// In a room nothing up to this offset is told any more.
    pub(super) fn skip(&self, room: RoomId, upto: u64) {
        if let Some((_, position)) = self.state().rooms.iter_mut().find(|(of, _)| *of == room) {
            *position = upto.max(*position);
        }
    }

    /// Nothing of a room is told any more.
    pub(super) fn leave(&self, room: RoomId) {
        self.state().rooms.retain(|(of, _)| *of != room);
    }

    /// The session tells these last frames, whether there is room or not, and nothing after them.
    pub(super) fn end(&self, last: impl IntoIterator<Item = Frame>) {
        let mut state = self.state();
        if state.gate != Gate::Ended {
            state.told.extend(last);
            state.gate = Gate::Ended;
            wake(&mut state.body);
        }
    }

    // What is new.

    /// Tells this person news: at once, in one write, where nothing stands before it, else it waits for the body. Gives how much of it
    /// was written.
    pub(super) fn tell(&self, news: &[Arc<Parcel>], user: Option<UserId>, now: impl FnOnce() -> Timestamp) -> u64 {
        let mut state = self.state();
        let wanted = news.iter().filter(|parcel| parcel.news.is_for(user));
        let is_next = state.gate == Gate::Open && state.told.is_empty() && state.news.is_empty();
        if !is_next || !state.outlet.as_ref().is_some_and(Outlet::is_clear) || state.stops(now) {
            wanted.for_each(|parcel| state.wait(parcel));
            return 0;
        }
        let mut frames = wanted.filter_map(|parcel| state.frame(parcel)).map(Frame::bytes);
        let Some(first) = frames.next() else { return 0 };
        let (bytes, count) = match frames.next() {
            // What all are told is not copied for each.
            None => (first, 1),
            Some(second) => {
                let mut bytes = BytesMut::from(&*first);
                let rest = iter::once(second).chain(frames).map(|frame| bytes.extend_from_slice(&frame)).count();
                (bytes.freeze(), rest + 1)
            }
        };
        let took = state.outlet.as_ref().map_or(Took::All, |outlet| outlet.write(&bytes));
        if took == Took::Some {
            wake(&mut state.body);
        }
        u64::try_from(count).unwrap_or(u64::MAX)
    }

    /// Something that was to be told is lost, and nobody knows what.
    pub(super) fn overrun(&self) {
        self.state().overrun();
    }

    // The body's half.

    /// From here on news may be written to this outlet.
    pub(super) fn begin(&self, outlet: Outlet) {
        self.state().outlet = Some(outlet);
    }

    /// What is to be written. When there is nothing, the body is woken later.
    pub(super) fn find(&self, now: impl FnOnce() -> Timestamp, cx: &Context<'_>) -> Found {
        let mut state = self.state();
        if let Some(frame) = state.told.pop_front() {
            if state.told.len() + 1 == MOST {
                wake(&mut state.session);
            }
            return Found::Told(frame);
        }
        if state.gate == Gate::Ended {
            return Found::Ended;
        }
        register(&mut state.body, cx);
        if state.gate == Gate::Shut || state.news.is_empty() || state.stops(now) {
            return Found::Nothing;
        }
        while let Some(parcel) = state.news.pop_front() {
            if let Some(frame) = state.frame(&parcel) {
                return Found::Told(frame);
            }
        }
        // What waited once took more than most connections ever need.
        state.news = VecDeque::new();
        Found::Nothing
    }

    /// The body is gone.
    pub(super) fn lose(&self) {
        let mut state = self.state();
        state.health = Health::Lost;
        state.told.clear();
        state.news.clear();
        wake(&mut state.session);
    }
}

impl State {
    /// Shuts the gate when the session has to look at who its caller is before anything passes.
    fn stops(&mut self, now: impl FnOnce() -> Timestamp) -> bool {
        let over = self.until.is_some_and(|until| until <= now());
        let stops = over || self.changed.has_changed().unwrap_or(false);
        if stops {
            self.gate = Gate::Shut;
            self.nudged = true;
            wake(&mut self.session);
        }
        stops
    }

    /// Lets news wait for the body. Without room the session is told that its client is too slow.
    fn wait(&mut self, parcel: &Arc<Parcel>) {
        if self.health == Health::Lost || self.gate == Gate::Ended {
            return;
        }
        if self.news.len() >= self.room_for {
            self.overrun();
            return;
        }
        self.news.push_back(Arc::clone(parcel));
        if self.gate == Gate::Open {
            wake(&mut self.body);
        }
    }

    fn overrun(&mut self) {
        metrics::counter!("socket_messages_dropped_total").increment(1);
        if self.health == Health::Well {
            self.health = Health::Overrun;
            wake(&mut self.session);
        }
    }

    /// What is to be written of a parcel.
    fn frame(&mut self, parcel: &Parcel) -> Option<Frame> {
        let (_, position) = self.rooms.iter_mut().find(|(of, _)| *of == parcel.room)?;
        match &parcel.news {
            // What was read from the database when entering comes again here.
            News::Message(offset, frame) => (*offset > *position).then(|| {
                *position = *offset;
                frame.clone()
            }),
            News::Passing { full, .. } if self.signed => Some(full.clone()),
            News::Passing { bare, .. } => bare.clone(),
            News::Removed(reason) => {
                self.removed.push((parcel.room, *reason));
                wake(&mut self.session);
                None
            }
        }
    }
}

fn wake(waker: &mut Option<Waker>) {
    if let Some(waker) = waker.take() {
        waker.wake();
    }
}

fn register(waker: &mut Option<Waker>, cx: &Context<'_>) {
    match waker {
        Some(known) => known.clone_from(cx.waker()),
        None => *waker = Some(cx.waker().clone()),
    }
}

#[cfg(test)]
mod tests {
    use futures_util::{FutureExt as _, task::noop_waker_ref};
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use uuid::Uuid;

    use super::*;
    use crate::connection::tests::connection;

    const ROOM: RoomId = RoomId(Uuid::from_u128(3));

    fn now() -> Timestamp {
        Timestamp::from_timestamp(1_790_000_000, 0).unwrap()
    }

    fn line(signed: bool, until: Option<Timestamp>) -> (Line, watch::Sender<()>) {
        let changing = watch::Sender::new(());
        (Line::new(signed, until, changing.subscribe(), 16), changing)
    }

    fn find(line: &Line) -> Found {
        line.find(now, &Context::from_waker(noop_waker_ref()))
    }

    fn message(offset: u64) -> Arc<Parcel> {
        Arc::new(Parcel { room: ROOM, news: News::Message(offset, Frame::text(&offset.to_string())) })
    }

    /// Whether a message is written at once.
    fn tells(line: &Line, offset: u64) -> bool {
        line.tell(&[message(offset)], None, now) == 1
    }

    /// What the body writes.
    fn read(line: &Line) -> Option<String> {
        match find(line) {
            Found::Told(frame) => Some(frame.read()),
            Found::Ended | Found::Nothing => None,
        }
    }

    #[test]
    fn what_the_session_tells_comes_first_and_news_only_while_it_is_open() {
        let (line, _changing) = line(false, None);
        line.enter(ROOM, 0);
        assert!(!tells(&line, 1));
        assert_eq!(read(&line), None);
        line.open();
        assert_eq!(read(&line).as_deref(), Some("1"));
        assert!(!tells(&line, 2), "there is no outlet");
        line.put(Frame::text("hello")).unwrap();
        line.shut();
        assert_eq!((read(&line).as_deref(), read(&line)), (Some("hello"), None));
        line.end([Frame::text("farewell")]);
        line.end([Frame::text("never told")]);
        assert_eq!(read(&line).as_deref(), Some("farewell"));
        assert!(matches!(find(&line), Found::Ended));
    }

    #[test]
    fn nothing_passes_before_the_session_has_looked_at_a_change_of_its_caller() {
        let (line, changing) = line(true, None);
        line.enter(ROOM, 0);
        line.open();
        tells(&line, 1);
        assert_eq!(read(&line).as_deref(), Some("1"));
        tells(&line, 2);
        changing.send_replace(());
        tells(&line, 3);
        assert_eq!(read(&line), None);
        assert!(matches!(line.called().now_or_never(), Some(Call::Nudge)));
        assert!(line.called().now_or_never().is_none(), "once");
        line.open();
        assert_eq!(read(&line), None, "it has not looked yet");
        line.looks();
        line.open();
        assert_eq!((read(&line).as_deref(), read(&line).as_deref()), (Some("2"), Some("3")));
    }

    #[test]
    fn nothing_passes_after_the_end_of_a_session() {
        let (line, _changing) = line(true, Some(now()));
        line.enter(ROOM, 0);
        line.open();
        tells(&line, 1);
        assert_eq!(read(&line), None);
        line.holds_until(Some(now() + chrono::TimeDelta::seconds(1)));
        line.open();
        assert_eq!(read(&line).as_deref(), Some("1"));
    }

    #[test]
    fn each_message_is_told_once_and_of_rooms_one_is_in() {
        let (line, _changing) = line(false, None);
        line.open();
        let told = |line: &Line, parcel: Arc<Parcel>| {
            line.tell(&[parcel], None, now);
            read(line)
        };
        assert_eq!(told(&line, message(6)), None);
        line.enter(ROOM, 6);
        assert_eq!(told(&line, message(6)), None);
        assert_eq!(told(&line, message(7)).as_deref(), Some("7"));
        assert_eq!(told(&line, message(7)), None);
        line.skip(ROOM, 9);
        line.skip(ROOM, 8);
        assert_eq!(told(&line, message(9)), None);
        let (full, bare) = (Frame::text("full"), Some(Frame::text("bare")));
        let of = |news| Arc::new(Parcel { room: ROOM, news });
        let passing = || of(News::Passing { full: full.clone(), bare: bare.clone(), except: None });
        assert_eq!(told(&line, passing()).as_deref(), Some("bare"));
        line.state().signed = true;
        assert_eq!(told(&line, passing()).as_deref(), Some("full"));
        assert_eq!(told(&line, of(News::Removed(LeftReason::Banned))), None);
        let Some(Call::Removed(rooms)) = line.called().now_or_never() else { panic!("it is told of it") };
        assert_eq!(rooms, [(ROOM, LeftReason::Banned)]);
        line.leave(ROOM);
        assert_eq!(told(&line, message(10)), None);
    }

    #[tokio::test]
    async fn news_is_written_at_once_where_nothing_stands_before_it() {
        let (mut connection, outlet, mut client) = connection().await;
        let (line, changing) = line(false, None);
        line.enter(ROOM, 0);
        line.open();
        line.begin(outlet);
        assert!(!tells(&line, 1), "the server has not written the head of its answer");
        connection.flush().await.unwrap();
        assert!(!tells(&line, 2), "what waits goes first");
        assert_eq!((read(&line).as_deref(), read(&line).as_deref(), read(&line)), (Some("1"), Some("2"), None));
        assert!(tells(&line, 3) && !tells(&line, 3));
        let mut written = [0; 3];
        client.read_exact(&mut written).await.unwrap();
        assert_eq!(written, Frame::text("3").bytes()[..]);
        let together = ["4", "5", "6"].map(|text| Frame::text(text).bytes()).concat();
        let passing = News::Passing { full: Frame::text("full"), bare: None, except: None };
        let news = [message(3), message(4), message(5), Arc::new(Parcel { room: ROOM, news: passing }), message(6)];
        assert_eq!(line.tell(&news, None, now), 3, "what is theirs and new");
        let mut written = vec![0; together.len()];
        client.read_exact(&mut written).await.unwrap();
        assert_eq!(written, together);
        line.put(Frame::text("hello")).unwrap();
        assert!(!tells(&line, 7), "the session has told something");
        assert_eq!((read(&line).as_deref(), read(&line).as_deref(), read(&line)), (Some("hello"), Some("7"), None));
        changing.send_replace(());
        assert!(!tells(&line, 8), "its caller may be somebody else");
        line.looks();
        line.shut();
        assert!(!tells(&line, 9), "the session is doing something");
        line.end([]);
        assert!(!tells(&line, 10));
        assert!(client.read_u8().now_or_never().is_none(), "nothing else was written");
    }

    #[test]
    fn who_takes_less_than_there_is_news_is_too_slow() {
        let (line, _changing) = line(false, None);
        line.enter(ROOM, 0);
        line.open();
        for offset in 1..=16 {
            tells(&line, offset);
        }
        assert!(line.called().now_or_never().is_none());
        tells(&line, 17);
        assert!(matches!(line.called().now_or_never(), Some(Call::Overrun)));
        assert_eq!(line.room().now_or_never(), Some(false));
    }

    #[test]
    fn who_tells_more_than_is_taken_waits_until_it_is_or_the_connection_is_gone() {
        let (line, _changing) = line(false, None);
        let hello = Frame::text("hello");
        for _ in 0..MOST {
            line.put(hello.clone()).unwrap();
        }
        assert_eq!(line.put(hello.clone()), Err(hello.clone()));
        assert!(line.room().now_or_never().is_none());
        assert!(read(&line).is_some());
        assert_eq!(line.room().now_or_never(), Some(true));
        line.put(hello.clone()).unwrap();
        line.lose();
        assert!(line.room().now_or_never().is_some() && line.is_lost());
        assert!(matches!(line.called().now_or_never(), Some(Call::Lost)));
    }
}
