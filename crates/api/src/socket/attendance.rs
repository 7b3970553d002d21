//! The rooms one connection is in. However the connection ends, it leaves them.

use std::{collections::HashMap, rc::Rc, sync::Arc, time::Instant};

use domain::id::{RoomId, UserId};
use uuid::Uuid;

use super::{floor::Floor, line::Line, seats::Seats, served::Served};

/// The rooms one connection is in.
pub(super) struct Attendance {
    floor: Arc<Floor>,
    seats: Rc<Seats>,
    line: Line,
    connection: Uuid,
    user: Option<UserId>,
    rooms: HashMap<RoomId, Attended>,
}

/// One of them.
#[derive(Debug)]
pub(super) struct Attended {
    pub(super) name: Arc<str>,
    served: Arc<Served>,
    /// What was told begins after this offset.
    pub(super) since: u64,
    /// Whether one is in it by the leave of an administrator.
    admin: bool,
    /// When the others were told last that one is writing.
    pub(super) typed: Option<Instant>,
}

impl Attendance {
    pub(super) fn new(floor: Arc<Floor>, seats: Rc<Seats>, line: Line, connection: Uuid, user: Option<UserId>) -> Self {
        Self { floor, seats, line, connection, user, rooms: HashMap::new() }
    }

    pub(super) fn len(&self) -> usize {
        self.rooms.len()
    }

    pub(super) fn get_mut(&mut self, room: RoomId) -> Option<&mut Attended> {
        self.rooms.get_mut(&room)
    }

    /// The room of this name or id, when one is in it.
    pub(super) fn find(&self, room: &str) -> Option<RoomId> {
        let id = crate::path::uuid(room).map(RoomId);
        match id {
            Some(id) => self.rooms.contains_key(&id).then_some(id),
            None => self.rooms.iter().find(|(_, attended)| *attended.name == *room).map(|(id, _)| *id),
        }
    }

    pub(super) fn add(&mut self, room: RoomId, name: &str, served: Arc<Served>, from: u64, admin: bool) {
        let attended = Attended { name: name.into(), served, since: from, admin, typed: None };
        self.line.enter(room, from);
        self.rooms.insert(room, attended);
    }

    /// The rooms that were entered by another leave than this one.
    pub(super) fn entered_otherwise(&self, admin: bool) -> Vec<RoomId> {
        self.rooms.iter().filter(|(_, attended)| attended.admin != admin).map(|(room, _)| *room).collect()
    }

    /// From here on whoever looks who may be in a room takes the caller for this. [`Attendance::stays`] when they may.
    pub(super) fn takes_for(&self, room: RoomId, admin: bool) {
        if let Some(attended) = self.rooms.get(&room) {
            attended.served.takes_for(self.connection, admin);
        }
    }

    /// One may be in a room by this leave.
    pub(super) fn stays(&mut self, room: RoomId, admin: bool) {
        if let Some(attended) = self.rooms.get_mut(&room) {
            attended.admin = admin;
        }
    }

    /// Leaves a room; gives its name when one was in it.
    pub(super) fn leave(&mut self, room: RoomId) -> Option<Arc<str>> {
        let attended = self.rooms.remove(&room)?;
        self.out_of(room, &attended);
        Some(attended.name)
    }

    fn out_of(&self, room: RoomId, attended: &Attended) {
        attended.served.leave(self.connection);
        self.seats.leave(room, self.connection);
        self.line.leave(room);
        if let Some(user) = self.user {
            self.floor.people.depart(room, user);
        }
    }
}

impl Drop for Attendance {
    fn drop(&mut self) {
        for (room, attended) in std::mem::take(&mut self.rooms) {
            self.out_of(room, &attended);
        }
    }
}
