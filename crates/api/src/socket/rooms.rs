//! What one connection does in rooms.

use std::{sync::Arc, time::Duration};

use domain::{
    Error,
    id::RoomId,
    room::{
        Epoch, GLOBAL, Hint, Message, MessageInput, NewMessage, Reach, Resume, RoomName, policy,
        ports::{Seen, Window},
        post_message,
    },
};

use super::{
    closing::Ended,
    floor::NAMED_MOST,
    outgoing::{GapView, LeftReason, Outgoing},
    served::{Guest, Served},
    session::Session,
    wire::Wire,
};

/// Messages read at a time.
const PAGE: u32 = 200;
/// How long a room may take to be opened on this node.
const OPENING: Duration = Duration::from_secs(5);
/// Between two words of one connection that it is writing.
pub(super) const TYPING: Duration = Duration::from_secs(1);
/// What a request that names no room means.
pub(super) const DEFAULT_ROOM: &str = "global";

/// Where somebody was: an offset and its epoch.
pub(super) type Was = Option<(u64, Option<String>)>;

impl Session {
    /// A room by its name or id, as the caller meets it; only one they may be in.
    pub(super) async fn meet(&self, room: &str) -> domain::Result<Seen> {
        let (by, now) = (self.user(), self.services.shop.now());
        let rooms = &self.services.rooms.queries;
        let seen = match (crate::path::uuid(room), RoomName::parse(room)) {
            (Some(id), _) => rooms.seen(RoomId(id), by, now).await?,
            (None, Ok(name)) => rooms.seen_by_name(&name, by, now).await?,
            (None, Err(_)) => None,
        };
        let seen = seen.ok_or(Error::NotFound("Room"))?;
        policy::may_enter(self.principal(), &seen.room, &seen.standing)?;
        Ok(seen)
    }

    /// Enters a room, or goes on in one.
    pub(super) async fn join(
        &mut self,
        wire: &mut Wire,
        room: &str,
        was: Was,
        reference: Option<String>,
    ) -> Result<(), Ended> {
        match self.entered(room, was, reference.clone()).await {
            Ok((joined, room, upto)) => {
                wire.say(&joined).await?;
                self.replay(wire, room, upto).await
            }
            Err(error) => self.refuse(wire, error, reference).await,
        }
    }

    /// Enters a room. Gives what is told of it, and up to which offset messages are to be read from the database.
    async fn entered(
        &mut self,
        room: &str,
        was: Was,
        reference: Option<String>,
    ) -> domain::Result<(Outgoing, RoomId, u64)> {
        let seen = self.meet(room).await?;
        let (id, name) = (seen.room.id, seen.room.name.to_string());
        let since = match self.attended.get_mut(id) {
            // Of what it was told since it entered nothing comes twice.
            Some(attended) => attended.since,
            None => self.enter(id, &name).await?,
        };
        let reach = self.services.rooms.queries.reach(id).await?.ok_or(Error::NotFound("Room"))?;
        let resume = was.map(|(offset, epoch)| {
            let reach = Reach { last: reach.last.max(since), ..reach.clone() };
            Resume::of(offset, epoch.map(Epoch).as_ref(), &reach)
        });
        let crowd = match self.services.rooms.presence.crowd(id, NAMED_MOST).await {
            Ok(crowd) => crowd,
            // Without the others, those here.
            Err(_) => self.floor.people.crowd(id, NAMED_MOST),
        };
        let mut upto = since;
        if let Some(attended) = self.attended.get_mut(id)
            && let Some(Resume { after, .. }) = resume
        {
            if after < since {
                (attended.since, upto) = (after, since);
            } else {
                // Another node had come further.
                self.line.skip(id, after);
            }
        }
        let members = self.caller.seen_as().map(|_| crowd.some.iter().map(|user| user.0).collect());
        let joined = Outgoing::RoomJoined {
            room: name,
            room_id: id.0,
            members,
            member_count: crowd.count,
            offset: since,
            epoch: reach.epoch.0,
            resumed: resume.map(|resume| resume.gap.is_none()),
            gap: resume.and_then(|resume| resume.gap.map(|gap| GapView::new(gap, resume.after))),
            reference,
        };
        Ok((joined, id, upto))
    }

    /// Leaves the rooms that were open to an administrator, when the caller is none any more and has no other leave.
    ///
    /// # Errors
    /// Those of the database; then it is to be asked again.
    pub(super) async fn only_where_allowed(&mut self) -> domain::Result<Vec<(RoomId, LeftReason)>> {
        let (admin, mut gone) = (self.keeps_rooms(), Vec::new());
        for room in self.attended.entered_otherwise(admin) {
            // Before it is asked, so that nothing decided from here on takes the caller for what they were.
            self.attended.takes_for(room, admin);
            let seen = self.services.rooms.queries.seen(room, self.user(), self.services.shop.now()).await?;
            let may = seen.map(|seen| policy::may_enter(self.principal(), &seen.room, &seen.standing));
            match may {
                Some(Ok(())) => self.attended.stays(room, admin),
                Some(Err(Error::Forbidden(_))) => gone.push((room, LeftReason::Banned)),
                Some(Err(_)) => gone.push((room, LeftReason::Removed)),
                None => gone.push((room, LeftReason::Deleted)),
            }
        }
        Ok(gone)
    }

    /// Takes a place on the floor; gives the offset after which the connection is brought everything.
    async fn enter(&mut self, room: RoomId, name: &str) -> domain::Result<u64> {
        let most = self.services.settings.sockets.rooms;
        if self.attended.len() >= most {
            return Err(Error::conflict(format!("At most {most} rooms on one connection; leave one first")));
        }
        let admin = self.keeps_rooms();
        let user = self.caller.seen_as();
        let guest = Guest { user, admin, round: Arc::clone(&self.seats.round) };
        // Before the round has anything for it.
        self.seats.take(room, self.id, user, self.line.clone());
        let (served, from) = self.floor.enter(room, name, self.id, guest);
        let from = match from {
            Some(from) => Ok(from),
            None => opened(&served).await,
        };
        let from = from.inspect_err(|_| {
            served.leave(self.id);
            self.seats.leave(room, self.id);
        })?;
        self.attended.add(room, name, served, from, admin);
        if let Some(user) = self.caller.seen_as() {
            let arrival = self.floor.people.arrive(room, user);
            self.floor.people.known(arrival).await;
        }
        Ok(from)
    }

    /// Tells the messages from where the connection begins in a room up to an offset.
    async fn replay(&mut self, wire: &mut Wire, room: RoomId, upto: u64) -> Result<(), Ended> {
        let Some(attended) = self.attended.get_mut(room) else { return Ok(()) };
        let (mut told, name) = (attended.since, Arc::clone(&attended.name));
        while told < upto {
            let page = self.services.rooms.queries.messages(room, Window::After(told), PAGE).await;
            let page: Vec<Message> = match page {
                Ok(page) => page,
                Err(error) => {
                    // The client comes back with what it has.
                    tracing::warn!(%error, "messages could not be read");
                    return Err(Ended::Internal);
                }
            };
            let Some(last) = page.last().map(|message| message.offset) else { break };
            for message in page.iter().filter(|message| message.offset <= upto) {
                wire.send(Outgoing::message(&name, message).frame()).await?;
            }
            told = last;
            // It may take long: who they are, and with it where they may be, may change meanwhile.
            self.current(wire).await?;
            if self.attended.get_mut(room).is_none() {
                break;
            }
        }
        Ok(())
    }

    /// Leaves a room.
    pub(super) async fn part(&mut self, wire: &mut Wire, room: &str, reference: Option<String>) -> Result<(), Ended> {
        let left = self.attended.find(room).and_then(|room| self.attended.leave(room));
        match left {
            Some(name) => {
                wire.say(&Outgoing::RoomLeft { room: name.to_string(), reason: LeftReason::Left, reference }).await
            }
            None => self.refuse(wire, Error::conflict("You are not in this room"), reference).await,
        }
    }

    /// Says something in a room.
    pub(super) async fn post(
        &mut self,
        wire: &mut Wire,
        room: &str,
        input: MessageInput,
        reference: Option<String>,
    ) -> Result<(), Ended> {
        match self.posted(room, input, reference.clone()).await {
            Ok(ack) => wire.say(&ack).await,
            Err(error) => self.refuse(wire, error, reference).await,
        }
    }

    async fn posted(&mut self, room: &str, input: MessageInput, reference: Option<String>) -> domain::Result<Outgoing> {
        let by = self.caller.actor.authorize::<domain::permission::UseRooms>()?;
        let mut violations = domain::Violations::default();
        let checked = input.check(&mut violations);
        violations.into_result()?;
        let new: NewMessage = checked.ok_or_else(|| Error::internal("a message without fault was not read"))?;
        self.count().await?;
        let (id, name) = self.named(room).await?;
        let client_id = new.client_id.clone();
        let posted = post_message(&self.services.shop, by, id, new).await?;
        if posted.fresh {
            self.services.bus.publish(&Hint::topic(id), &Hint::stored(&posted.message));
        }
        let Message { id, offset, at, .. } = posted.message;
        Ok(Outgoing::Ack { room: name, id: id.0, offset, timestamp: at, client_id, reference })
    }

    /// The room of a name or id. That of one the connection is in is known.
    pub(super) async fn named(&mut self, room: &str) -> domain::Result<(RoomId, String)> {
        if let Some(id) = self.attended.find(room)
            && let Some(attended) = self.attended.get_mut(id)
        {
            return Ok((id, attended.name.to_string()));
        }
        let seen = self.meet(room).await?;
        Ok((seen.room.id, seen.room.name.to_string()))
    }

    /// Reads what was said.
    pub(super) async fn history(
        &mut self,
        room: &str,
        window: Window,
        limit: u32,
        reference: Option<String>,
    ) -> domain::Result<Outgoing> {
        let seen = self.meet(room).await?;
        let rooms = &self.services.rooms.queries;
        let items = rooms.messages(seen.room.id, window, limit).await?;
        let reach = rooms.reach(seen.room.id).await?.ok_or(Error::NotFound("Room"))?;
        Ok(Outgoing::History {
            room: seen.room.name.to_string(),
            items: items.into_iter().map(Into::into).collect(),
            first_offset: reach.first,
            last_offset: reach.last,
            epoch: reach.epoch.0,
            reference,
        })
    }

    /// Notes how far the caller has read, and tells the others; not in the room of all.
    pub(super) async fn read(&mut self, room: &str, offset: u64) -> domain::Result<()> {
        let by = self.caller.actor.authorize::<domain::permission::UseRooms>()?;
        let user = by.principal().user;
        let (id, _) = self.named(room).await?;
        let moved = domain::room::mark_read(&self.services.shop, by, id, offset).await?;
        if moved && id != GLOBAL {
            self.services.bus.publish(&Hint::topic(id), &Hint::Read { user, offset }.encode());
        }
        Ok(())
    }
}

async fn opened(served: &Served) -> domain::Result<u64> {
    let began = tokio::time::timeout(OPENING, served.began()).await.ok().flatten();
    began.ok_or_else(|| Error::Unavailable { what: "room", source: "nobody follows it yet".into() })
}
