//! The connections of one worker that are in rooms, and who brings them the news.

use std::{
    cell::RefCell,
    collections::{HashMap, VecDeque, hash_map::Entry},
    rc::Rc,
    sync::Arc,
};

use domain::{
    clock::Clock,
    id::{RoomId, UserId},
    room::NodeId,
};
use futures_util::future::LocalBoxFuture;
use metrics::Counter;
use uuid::Uuid;

use super::{line::Line, parcel::Load};
use crate::{
    Services,
    rounds::{self, Carrier, Round},
};

/// The most news of a room that goes into one write.
const TOGETHER: usize = 64;

thread_local! {
    /// Those of each node that this thread serves; in a server there is one.
    static HERE: RefCell<HashMap<NodeId, Rc<Seats>>> = RefCell::default();
}

/// Who is in which room, of the connections of this worker.
pub(super) struct Seats {
    rooms: RefCell<HashMap<RoomId, Vec<Seat>>>,
    pub(super) round: Arc<Round<Load>>,
    clock: Arc<dyn Clock>,
    /// Counts the messages that are written.
    written: Counter,
}

struct Seat {
    connection: Uuid,
    user: Option<UserId>,
    line: Line,
}

impl Seats {
    /// Those of this worker.
    pub(super) fn here(services: &Services) -> Rc<Self> {
        let floor = &services.rooms.floor;
        HERE.with_borrow_mut(|here| match here.entry(floor.node) {
            Entry::Occupied(seats) if !seats.get().round.is_over() => Rc::clone(seats.get()),
            entry => {
                let (clock, written) = (Arc::clone(&services.shop.clock), floor.written.clone());
                let seats = Rc::new(Self { rooms: RefCell::default(), round: Round::new(), clock, written });
                rounds::go(Arc::clone(&seats.round), Rc::clone(&seats));
                entry.insert_entry(Rc::clone(&seats));
                seats
            }
        })
    }

    /// From here on a connection is brought the news of a room.
    pub(super) fn take(&self, room: RoomId, connection: Uuid, user: Option<UserId>, line: Line) {
        let seat = Seat { connection, user, line };
        self.rooms.borrow_mut().entry(room).or_default().push(seat);
    }

    /// A connection is brought no news of a room any more.
    pub(super) fn leave(&self, room: RoomId, connection: Uuid) {
        if let Entry::Occupied(mut seats) = self.rooms.borrow_mut().entry(room) {
            let of = seats.get().iter().position(|seat| seat.connection == connection);
            if let Some(number) = of {
                seats.get_mut().swap_remove(number);
            }
            if seats.get().is_empty() {
                seats.remove();
            }
        }
    }

    /// Those in a room whom it is for, and who they are.
    fn lines(&self, room: RoomId, only: Option<Uuid>) -> Vec<(Line, Option<UserId>)> {
        let rooms = self.rooms.borrow();
        let seats = rooms.get(&room).into_iter().flatten();
        let wanted = seats.filter(|seat| only.is_none_or(|only| seat.connection == only));
        wanted.map(|seat| (seat.line.clone(), seat.user)).collect()
    }
}

impl Carrier<Load> for Seats {
    fn carry(&self, loads: VecDeque<Load>) -> LocalBoxFuture<'_, ()> {
        Box::pin(async move {
            let mut loads = loads.into_iter().peekable();
            while let Some(Load { parcel, only }) = loads.next() {
                let (room, mut parcels) = (parcel.room, vec![parcel]);
                while let Some(next) = loads.next_if(|next| {
                    parcels.len() < TOGETHER && only.is_none() && next.only.is_none() && next.parcel.room == room
                }) {
                    parcels.push(next.parcel);
                }
                let mut written = 0;
                rounds::each(self.lines(room, only), |(line, user)| {
                    written += line.tell(&parcels, user, || self.clock.now());
                })
                .await;
                self.written.increment(written);
            }
        })
    }

    fn lost(&self) {
        for seat in self.rooms.borrow().values().flatten() {
            seat.line.overrun();
        }
    }
}
