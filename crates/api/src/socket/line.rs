//! What the two halves of a connection share: the session, which decides, and the body, which writes.
//!
//! News of rooms goes from the mailbox to the socket without waking the session: a message to thousands costs each of them
//! one wake-up. The session holds the line shut while it does something, so that nothing comes in between, and the body
//! leaves it shut when the session has to look first at who its caller is.

use std::{
    cell::{RefCell, RefMut},
    collections::VecDeque,
    future::poll_fn,
    rc::Rc,
    task::{Context, Poll, Waker},
};

use domain::{clock::Timestamp, id::RoomId};
use tokio::sync::watch;

use super::{
    frame::Frame,
    mailbox::{News, Parcel},
    outgoing::LeftReason,
};

/// Frames of the session that may wait for the body.
const MOST: usize = 64;

/// What both halves hold.
#[derive(Clone)]
pub(super) struct Line(Rc<RefCell<State>>);

struct State {
    /// What the session told and was not written yet.
    told: VecDeque<Frame>,
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
    /// The body is gone, and with it the connection.
    lost: bool,
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

/// What the body finds.
pub(super) enum Found {
    /// To be written.
    Told(Frame),
    /// Nothing more will come.
    Ended,
    /// Nothing of the session's, but news may pass.
    Open,
    /// Nothing may pass now.
    Shut,
}

/// What the session is woken for.
pub(super) enum Call {
    /// It was shown out of these rooms.
    Removed(Vec<(RoomId, LeftReason)>),
    /// It is to go round once.
    Nudge,
    /// The connection is gone.
    Lost,
}

impl Line {
    /// A line of somebody, who has a name to others or not, that `changed` tells when they may be somebody else.
    pub(super) fn new(signed: bool, until: Option<Timestamp>, changed: watch::Receiver<()>) -> Self {
        Self(Rc::new(RefCell::new(State {
            told: VecDeque::new(),
            rooms: Vec::new(),
            removed: Vec::new(),
            signed,
            until,
            changed,
            gate: Gate::Shut,
            nudged: false,
            lost: false,
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
        if state.told.len() >= MOST && !state.lost {
            return Err(frame);
        }
        state.told.push_back(frame);
        wake(&mut state.body);
        Ok(())
    }

    /// Waits until there is room for a frame.
    pub(super) async fn room(&self) {
        poll_fn(|cx| {
            let mut state = self.state();
            if state.told.len() < MOST || state.lost {
                return Poll::Ready(());
            }
            register(&mut state.session, cx);
            Poll::Pending
        })
        .await;
    }

    /// Whether the connection is gone.
    pub(super) fn is_lost(&self) -> bool {
        self.state().lost
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
            if state.lost {
                return Poll::Ready(Call::Lost);
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

    // The body's half.

    /// What is to be written, or whether news may pass at this moment. When nothing may, the body is woken later.
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
        if state.gate == Gate::Shut {
            return Found::Shut;
        }
        let over = state.until.is_some_and(|until| until <= now());
        if over || state.changed.has_changed().unwrap_or(false) {
            state.gate = Gate::Shut;
            state.nudged = true;
            wake(&mut state.session);
            return Found::Shut;
        }
        Found::Open
    }

    /// What is to be written of a parcel.
    pub(super) fn frame(&self, parcel: &Parcel) -> Option<Frame> {
        let mut state = self.state();
        let signed = state.signed;
        let (_, position) = state.rooms.iter_mut().find(|(of, _)| *of == parcel.room)?;
        match &parcel.news {
            // What was read from the database when entering comes again here.
            News::Message(offset, frame) => (*offset > *position).then(|| {
                *position = *offset;
                frame.clone()
            }),
            News::Passing { full, .. } if signed => Some(full.clone()),
            News::Passing { bare, .. } => bare.clone(),
            News::Removed(reason) => {
                state.removed.push((parcel.room, *reason));
                wake(&mut state.session);
                None
            }
        }
    }

    /// The body is gone.
    pub(super) fn lose(&self) {
        let mut state = self.state();
        state.lost = true;
        state.told.clear();
        wake(&mut state.session);
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
    use uuid::Uuid;

    use super::*;

    const ROOM: RoomId = RoomId(Uuid::from_u128(3));

    fn now() -> Timestamp {
        Timestamp::from_timestamp(1_790_000_000, 0).unwrap()
    }

    fn line(signed: bool, until: Option<Timestamp>) -> (Line, watch::Sender<()>) {
        let changing = watch::Sender::new(());
        (Line::new(signed, until, changing.subscribe()), changing)
    }

    fn find(line: &Line) -> Found {
        line.find(now, &Context::from_waker(noop_waker_ref()))
    }

    fn message(offset: u64) -> Parcel {
        Parcel { room: ROOM, news: News::Message(offset, Frame::text(&offset.to_string())) }
    }

    #[test]
    fn what_the_session_tells_comes_first_and_news_only_while_it_is_open() {
        let (line, _changing) = line(false, None);
        assert!(matches!(find(&line), Found::Shut));
        line.open();
        assert!(matches!(find(&line), Found::Open));
        line.put(Frame::text("hello")).unwrap();
        line.shut();
        assert!(matches!(find(&line), Found::Told(frame) if frame.read() == "hello"));
        assert!(matches!(find(&line), Found::Shut));
        line.end([Frame::text("farewell")]);
        line.end([Frame::text("never told")]);
        assert!(matches!(find(&line), Found::Told(frame) if frame.read() == "farewell"));
        assert!(matches!(find(&line), Found::Ended));
    }

    #[test]
    fn nothing_passes_before_the_session_has_looked_at_a_change_of_its_caller() {
        let (line, changing) = line(true, None);
        line.open();
        assert!(matches!(find(&line), Found::Open));
        changing.send_replace(());
        assert!(matches!(find(&line), Found::Shut));
        assert!(matches!(line.called().now_or_never(), Some(Call::Nudge)));
        assert!(line.called().now_or_never().is_none(), "once");
        line.open();
        assert!(matches!(find(&line), Found::Shut), "it has not looked yet");
        line.looks();
        line.open();
        assert!(matches!(find(&line), Found::Open));
    }

    #[test]
    fn nothing_passes_after_the_end_of_a_session() {
        let (line, _changing) = line(true, Some(now()));
        line.open();
        assert!(matches!(find(&line), Found::Shut));
        line.holds_until(Some(now() + chrono::TimeDelta::seconds(1)));
        line.open();
        assert!(matches!(find(&line), Found::Open));
    }

    #[test]
    fn each_message_is_told_once_and_of_rooms_one_is_in() {
        let (line, _changing) = line(false, None);
        let told = |line: &Line, parcel: Parcel| line.frame(&parcel).map(|frame| frame.read());
        assert_eq!(told(&line, message(6)), None);
        line.enter(ROOM, 6);
        assert_eq!(told(&line, message(6)), None);
        assert_eq!(told(&line, message(7)).as_deref(), Some("7"));
        assert_eq!(told(&line, message(7)), None);
        line.skip(ROOM, 9);
        line.skip(ROOM, 8);
        assert_eq!(told(&line, message(9)), None);
        let (full, bare) = (Frame::text("full"), Some(Frame::text("bare")));
        let passing =
            || Parcel { room: ROOM, news: News::Passing { full: full.clone(), bare: bare.clone(), except: None } };
        assert_eq!(told(&line, passing()).as_deref(), Some("bare"));
        line.state().signed = true;
        assert_eq!(told(&line, passing()).as_deref(), Some("full"));
        assert_eq!(told(&line, Parcel { room: ROOM, news: News::Removed(LeftReason::Banned) }), None);
        let Some(Call::Removed(rooms)) = line.called().now_or_never() else { panic!("it is told of it") };
        assert_eq!(rooms, [(ROOM, LeftReason::Banned)]);
        line.leave(ROOM);
        assert_eq!(told(&line, message(10)), None);
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
        assert!(matches!(find(&line), Found::Told(_)));
        assert!(line.room().now_or_never().is_some());
        line.put(hello.clone()).unwrap();
        line.lose();
        assert!(line.room().now_or_never().is_some() && line.is_lost());
        assert!(matches!(line.called().now_or_never(), Some(Call::Lost)));
    }
}
