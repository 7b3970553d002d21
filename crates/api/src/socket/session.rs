//! One connection: hears its client, passes on what is new, and ends.

use std::{
    pin::Pin,
    sync::Arc,
    time::{Duration, Instant},
};

use actix_ws::{AggregatedMessage, AggregatedMessageStream};
use domain::{
    Actor, Principal,
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
    closing::Ended,
    floor::Floor,
    incoming::Request,
    mailbox::{Mailbox, News, Parcel, Post, mailbox},
    outgoing::{LeftReason, Outgoing},
    pace::Frames,
    topics::Following,
    wire::{Wire, closed},
};
use crate::{
    Shared,
    place::Place,
    stream::{Told, caller::Caller},
};

/// Parcels passed on before the client is heard again.
const GATHER: usize = 64;
/// How far ahead a timer is set that nobody waits for.
const NEVER: Duration = Duration::from_hours(24 * 365);

/// One connection.
pub(super) struct Session {
    pub(super) id: Uuid,
    pub(super) services: Shared,
    pub(super) floor: Arc<Floor>,
    pub(super) caller: Caller,
    pub(super) attended: Attendance,
    pub(super) mailbox: Mailbox,
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
}

/// Runs a connection to its end.
pub(super) async fn run(opening: Opening, socket: actix_ws::Session, heard: AggregatedMessageStream) {
    let Opening { services, caller, place, resume } = opening;
    let floor = Arc::clone(&services.rooms.floor);
    let closing = services.streams.hub.closing();
    let (mailbox, post) = mailbox(services.settings.sockets.queue);
    let id: Uuid = services.shop.id();
    let user = caller.session.map(|session| session.user);
    let wire = Wire::new(socket, Arc::clone(&post.overrun), closing.clone());
    let session = Session {
        id,
        attended: Attendance::new(Arc::clone(&floor), id, user),
        floor,
        caller,
        mailbox,
        following: None,
        frames: Frames::new(&services.settings.limits, Instant::now()),
        expiry: Box::pin(tokio::time::sleep(NEVER)),
        services,
        place,
    };
    session.run(wire, heard, post, closing, resume).await;
}

impl Session {
    async fn run(
        mut self,
        mut wire: Wire,
        heard: AggregatedMessageStream,
        post: Post,
        closing: watch::Receiver<bool>,
        resume: Option<(u64, Option<String>)>,
    ) {
        let ended = match Box::pin(self.begin(&mut wire, resume)).await {
            Ok(()) => self.serve(&mut wire, heard, post, closing).await,
            Err(ended) => ended,
        };
        metrics::counter!("streams_closed_total", "protocol" => "ws", "reason" => ended.name()).increment(1);
        let farewell = ended.farewell(&self.services.shop);
        // It leaves its rooms before it waits for its client once more.
        drop(self);
        wire.close(ended, farewell).await;
    }

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

    async fn serve(
        &mut self,
        wire: &mut Wire,
        mut heard: AggregatedMessageStream,
        mut post: Post,
        mut closing: watch::Receiver<bool>,
    ) -> Ended {
        let (beat, patience) = (self.services.settings.sockets.heartbeat, self.services.settings.sockets.timeout);
        let mut beat = beats(beat);
        let mut last_heard = Instant::now();
        loop {
            if let Err(ended) = self.current(wire).await {
                return ended;
            }
            let done = tokio::select! {
                ended = closed(&mut closing) => return ended,
                () = post.overrun.notified() => return Ended::TooSlow,
                () = self.expiry.as_mut() => return Ended::SessionEnded,
                () = self.place.due() => Ok(()),
                said = heard.recv() => {
                    let Some(said) = said else { return Ended::Client };
                    last_heard = Instant::now();
                    self.hear(wire, said).await
                }
                Some(parcel) = post.parcels.recv() => self.pass_all(wire, parcel, &mut post).await,
                told = news(&mut self.following) => Box::pin(self.follow(wire, told)).await,
                _ = beat.tick() => {
                    if last_heard.elapsed() >= patience {
                        return Ended::PingTimeout;
                    }
                    Box::pin(self.beat(wire)).await
                }
            };
            if let Err(ended) = done {
                return ended;
            }
        }
    }

    async fn hear(
        &mut self,
        wire: &mut Wire,
        said: Result<AggregatedMessage, actix_ws::ProtocolError>,
    ) -> Result<(), Ended> {
        match said {
            Ok(AggregatedMessage::Text(text)) => {
                metrics::counter!("socket_messages_total", "direction" => "in").increment(1);
                if text.len() > self.services.settings.sockets.frame_bytes {
                    return Err(Ended::TooBig);
                }
                // In a box of its own: a connection that waits does not hold the room that its requests take.
                Box::pin(self.answer(wire, Request::read(&text))).await
            }
            Ok(AggregatedMessage::Ping(bytes)) => {
                // It is answered whatever is left: the protocol demands it, and it costs what hearing it does.
                let _ = self.count_frame();
                wire.pong(&bytes).await
            }
            Ok(AggregatedMessage::Pong(_)) => Ok(()),
            Ok(AggregatedMessage::Binary(_)) => Err(Ended::Binary),
            Ok(AggregatedMessage::Close(_)) => Err(Ended::Client),
            Err(error) => Err(Ended::of(&error)),
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

    async fn pass_all(&mut self, wire: &mut Wire, first: Arc<Parcel>, post: &mut Post) -> Result<(), Ended> {
        self.pass(wire, &first).await?;
        for _ in 1..GATHER {
            let Ok(parcel) = post.parcels.try_recv() else { break };
            self.pass(wire, &parcel).await?;
        }
        Ok(())
    }

    async fn pass(&mut self, wire: &mut Wire, parcel: &Parcel) -> Result<(), Ended> {
        let Some(attended) = self.attended.get_mut(parcel.room) else { return Ok(()) };
        match &parcel.news {
            News::Message(offset, text) => {
                // What was read from the database when entering comes again here.
                if *offset > attended.position {
                    attended.position = *offset;
                    wire.send(text.clone()).await?;
                }
                Ok(())
            }
            News::Passing { full, bare, .. } => {
                let text = if self.user().is_some() { Some(full) } else { bare.as_ref() };
                match text {
                    Some(text) => wire.send(text.clone()).await,
                    None => Ok(()),
                }
            }
            News::Removed(reason) => self.removed(wire, parcel.room, *reason).await,
        }
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
        for text in following.take(&self.services, scope, told).await {
            wire.send(text).await?;
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
                for (room, reason) in gone {
                    self.removed(wire, room, reason).await?;
                }
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

    /// Goes on with another session of the same person.
    pub(super) fn go_on(&mut self, session: SignedIn) {
        self.caller.session = Some(session);
        self.expire();
    }

    /// Sets the timer to the end of the session.
    fn expire(&mut self) {
        let left = self.caller.session.map(|session| session.until - self.services.shop.now());
        let left = left.map_or(NEVER, |left| left.to_std().unwrap_or_default());
        self.expiry.as_mut().reset(tokio::time::Instant::now() + left.min(NEVER));
    }

    pub(super) fn user(&self) -> Option<UserId> {
        self.caller.session.map(|session| session.user)
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
