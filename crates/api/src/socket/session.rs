//! The half of a connection that decides: hears its client, looks who that is, and ends.

use std::{
    pin::Pin,
    rc::Rc,
    sync::Arc,
    time::{Duration, Instant},
};

use domain::{
    Actor, Principal,
    behalf::{Behalf, Impersonator},
    id::{RoomId, UserId},
    identity::ports::Session as SignedIn,
    permission::ManageRooms,
};
use tokio::{
    sync::watch,
    time::{Interval, MissedTickBehavior, Sleep},
};
use uuid::Uuid;

use super::{
    attendance::Attendance,
    body::Body,
    closing::Ended,
    floor::Floor,
    heard::{Heard, Said},
    incoming::Request,
    line::{Call, Line},
    outgoing::{LeftReason, Outgoing},
    pace::Frames,
    seats::Seats,
    topics::Following,
    wire::{Wire, closed},
};
use crate::{
    Shared,
    connection::{Live, Outlet},
    place::Place,
    services::Visit,
    stream::{Told, caller::Caller},
};

/// How far ahead a timer is set that nobody waits for.
const NEVER: Duration = Duration::from_hours(24 * 365);

/// One connection.
pub(super) struct Session {
    pub(super) id: Uuid,
    pub(super) services: Shared,
    pub(super) floor: Arc<Floor>,
    pub(super) caller: Caller,
    pub(super) attended: Attendance,
    pub(super) line: Line,
    pub(super) seats: Rc<Seats>,
    pub(super) following: Option<Following>,
    frames: Frames,
    expiry: Pin<Box<Sleep>>,
    place: Place,
}

/// What a connection begins with.
pub(super) struct Opening {
    pub(super) services: Shared,
    pub(super) caller: Caller,
    pub(super) place: Place,
    /// Where to go on in the room of all.
    pub(super) resume: Option<(u64, Option<String>)>,
    /// Where news may be written to at once.
    pub(super) outlet: Option<Outlet>,
}

/// The two halves of a connection that begins: its session, which is to be run, and the body of the answer.
pub(super) fn begin(opening: Opening) -> (Begun, Live<Body>) {
    let Opening { services, caller, place, resume, outlet } = opening;
    let floor = Arc::clone(&services.rooms.floor);
    let closing = services.streams.hub.closing();
    let id: Uuid = services.shop.id();
    let (user, until) = (caller.seen_as(), caller.session.map(|session| session.until));
    let line = Line::new(user.is_some(), until, place.watch(), services.settings.sockets.queue);
    let body = Body::new(line.clone(), outlet.clone(), services.clone());
    let (wire, seats) = (Wire::new(line.clone(), closing.clone()), Seats::here(&services));
    let session = Session {
        id,
        attended: Attendance::new(Arc::clone(&floor), Rc::clone(&seats), line.clone(), id, user),
        floor,
        line,
        caller,
        seats,
        following: None,
        frames: Frames::new(&services.settings.limits, Instant::now()),
        expiry: Box::pin(tokio::time::sleep(NEVER)),
        services,
        place,
    };
    (Begun { session, wire, closing, resume }, Live::new(body, outlet))
}

/// A session that is to be run.
pub(super) struct Begun {
    session: Session,
    wire: Wire,
    closing: watch::Receiver<bool>,
    resume: Option<(u64, Option<String>)>,
}

impl Begun {
    /// Runs it to its end.
    pub(super) async fn run(self, heard: Heard) {
        let Self { mut session, mut wire, closing, resume } = self;
        let ended = match Box::pin(session.begin(&mut wire, resume)).await {
            Ok(()) => session.serve(&mut wire, heard, closing).await,
            Err(ended) => ended,
        };
        metrics::counter!("streams_closed_total", "protocol" => "ws", "reason" => ended.name()).increment(1);
        let farewell = ended.farewell(&session.services.shop);
        // It leaves its rooms before its client is told.
        drop(session);
        wire.close(ended, &farewell);
    }
}

impl Session {
    async fn begin(&mut self, wire: &mut Wire, resume: Option<(u64, Option<String>)>) -> Result<(), Ended> {
        self.expire();
        let settings = &self.services.settings.sockets;
        let connected = Outgoing::Connected {
            connection_id: self.id,
            timestamp: self.services.shop.now(),
            user_id: self.user().map(|user| user.0),
            expires_at: self.caller.session.map(|session| session.until),
            timeout_ms: u64::try_from(settings.timeout.as_millis()).unwrap_or(u64::MAX),
            max_bytes: settings.frame_bytes,
        };
        wire.say(&connected).await?;
        self.join(wire, &domain::room::GLOBAL.to_string(), resume, None).await
    }

    async fn serve(&mut self, wire: &mut Wire, mut heard: Heard, mut closing: watch::Receiver<bool>) -> Ended {
        let (beat, patience) = (self.services.settings.sockets.heartbeat, self.services.settings.sockets.timeout);
        let mut beat = beats(beat);
        let mut last_heard = Instant::now();
        loop {
            if let Err(ended) = self.current(wire).await {
                return ended;
            }
            self.line.open();
            let woken = tokio::select! {
                ended = closed(&mut closing) => return ended,
                () = self.expiry.as_mut() => return Ended::SessionEnded,
                () = self.place.due() => Woken::Called(Call::Nudge),
                call = self.line.called() => Woken::Called(call),
                said = heard.next() => Woken::Heard(said),
                told = news(&mut self.following) => Woken::Told(told),
                _ = beat.tick() => Woken::Beat,
            };
            self.line.shut();
            let done = match woken {
                Woken::Called(Call::Lost) => Err(Ended::Client),
                Woken::Called(Call::Overrun) => Err(Ended::TooSlow),
                Woken::Called(Call::Nudge) => Ok(()),
                Woken::Called(Call::Removed(rooms)) => self.removed_from(wire, rooms).await,
                Woken::Heard(said) => {
                    last_heard = Instant::now();
                    // In a box of its own: a connection that waits does not hold the room that its requests take.
                    Box::pin(self.hear(wire, said)).await
                }
                Woken::Told(told) => Box::pin(self.follow(wire, told)).await,
                Woken::Beat if last_heard.elapsed() >= patience => Err(Ended::PingTimeout),
                Woken::Beat => Box::pin(self.beat(wire)).await,
            };
            if let Err(ended) = done {
                return ended;
            }
        }
    }

    async fn hear(&mut self, wire: &mut Wire, said: Result<Said, Ended>) -> Result<(), Ended> {
        match said? {
            Said::Text(text) => {
                metrics::counter!("socket_messages_total", "direction" => "in").increment(1);
                // An operator who acts as somebody else does so for as long as the connection lasts.
                match self.impersonator() {
                    None => self.answer(wire, Request::read(&text)).await,
                    Some(by) => Behalf::new(by.user, self.answer(wire, Request::read(&text))).await,
                }
            }
            Said::Ping(carried) => {
                // It is answered whatever is left: the protocol demands it, and it costs what hearing it does.
                let _ = self.count_frame();
                wire.pong(&carried).await
            }
            Said::Pong => Ok(()),
        }
    }

    async fn answer(&mut self, wire: &mut Wire, request: Request) -> Result<(), Ended> {
        self.current(wire).await?;
        match self.count_frame() {
            Ok(()) => self.obey(wire, request).await,
            Err(wait) => self.refuse(wire, domain::Error::Limited(wait), request.reference).await,
        }
    }

    /// Counts a frame. Administrators are not counted (RL-05).
    fn count_frame(&mut self) -> Result<(), Duration> {
        if self.is_admin() { Ok(()) } else { self.frames.count(Instant::now()) }
    }

    async fn removed_from(&mut self, wire: &mut Wire, rooms: Vec<(RoomId, LeftReason)>) -> Result<(), Ended> {
        for (room, reason) in rooms {
            self.removed(wire, room, reason).await?;
        }
        Ok(())
    }

    async fn removed(&mut self, wire: &mut Wire, room: RoomId, reason: LeftReason) -> Result<(), Ended> {
        match self.attended.leave(room) {
            Some(name) => wire.say(&Outgoing::RoomLeft { room: name.to_string(), reason, reference: None }).await,
            None => Ok(()),
        }
    }

    /// Tells what is new of the topics: what came, or what is read from the log.
    async fn follow(&mut self, wire: &mut Wire, told: Option<Arc<Told>>) -> Result<(), Ended> {
        // What was changed before it decides whether the caller hears of it.
        self.current(wire).await?;
        let scope = self.caller.scope;
        let Some(following) = &mut self.following else { return Ok(()) };
        for frame in following.take(&self.services, scope, told).await {
            wire.send(frame).await?;
        }
        Ok(())
    }

    /// Asks for a sign of life, and looks whether the caller may still be here.
    async fn beat(&mut self, wire: &mut Wire) -> Result<(), Ended> {
        wire.ping().await?;
        self.look_again(wire).await
    }

    /// Makes sure that the caller is known as they are now.
    pub(super) async fn current(&mut self, wire: &mut Wire) -> Result<(), Ended> {
        if self.place.is_due() || self.caller.is_over(&self.services) {
            return Box::pin(self.look_again(wire)).await;
        }
        Ok(())
    }

    /// Looks who the caller is now, and leaves the rooms they may not be in any more.
    async fn look_again(&mut self, wire: &mut Wire) -> Result<(), Ended> {
        let due = self.place.looks();
        self.line.looks();
        let gone = match self.caller.still(&self.services).await {
            Ok(Some(caller)) => {
                self.caller = caller;
                self.only_where_allowed().await
            }
            Ok(None) => return Err(Ended::SessionEnded),
            Err(error) => Err(error),
        };
        match gone {
            Ok(gone) => {
                self.place.saw();
                self.removed_from(wire, gone).await?;
            }
            // An outage says nothing about the person. The next beat asks again, or sooner who was told of a change.
            Err(error) => {
                tracing::warn!(%error, "a connection could not ask whose it is");
                if due {
                    self.place.put_off();
                }
            }
        }
        Ok(())
    }

    /// Goes on with another session of the same person, or another token of their issuer.
    pub(super) fn go_on(&mut self, session: SignedIn, visit: Option<Visit>) {
        self.caller.session = Some(session);
        self.caller.visit = visit;
        self.expire();
    }

    /// Sets the timer to the end of the session.
    fn expire(&mut self) {
        let left = self.caller.session.map(|session| session.until - self.services.shop.now());
        let left = left.map_or(NEVER, |left| left.to_std().unwrap_or_default());
        self.line.holds_until(self.caller.session.map(|session| session.until));
        self.expiry.as_mut().reset(tokio::time::Instant::now() + left.min(NEVER));
    }

    pub(super) fn user(&self) -> Option<UserId> {
        self.caller.session.map(|session| session.user)
    }

    /// The operator who acts as the caller.
    pub(super) fn impersonator(&self) -> Option<Impersonator> {
        self.caller.session.and_then(|session| session.impersonator)
    }

    /// Whether every room is open to the caller.
    pub(super) fn keeps_rooms(&self) -> bool {
        self.principal().is_some_and(Principal::may::<ManageRooms>)
    }

    pub(super) fn is_admin(&self) -> bool {
        self.principal().is_some_and(Principal::is_admin)
    }

    pub(super) fn principal(&self) -> Option<&Principal> {
        match &self.caller.actor {
            Actor::Signed(principal) => Some(principal),
            Actor::Anonymous => None,
        }
    }
}

/// What a session waits for.
enum Woken {
    /// The line wants something of it.
    Called(Call),
    /// The client said something.
    Heard(Result<Said, Ended>),
    /// There is something new of the topics.
    Told(Option<Arc<Told>>),
    /// It is time for a sign of life.
    Beat,
}

/// What is new of the topics: something that came, or nothing when the log is to be read. Never anything without topics.
async fn news(following: &mut Option<Following>) -> Option<Arc<Told>> {
    match following {
        Some(following) => following.news().await,
        None => std::future::pending().await,
    }
}

fn beats(every: Duration) -> Interval {
    let mut beat = tokio::time::interval_at(tokio::time::Instant::now() + every, every);
    beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
    beat
}
