//! The connections of one worker that are in rooms, and who brings them the news.

use std::{
    cell::RefCell,
    collections::{HashMap, hash_map::Entry},
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

use super::{
    line::Line,
    parcel::{Load, Rounds},
};
use crate::{
    Services,
    rounds::{self, Carrier},
};

thread_local! {
    /// Those of each node that this thread serves; in a server there is one.
    static HERE: RefCell<HashMap<NodeId, Rc<Seats>>> = RefCell::default();
}

/// Who is in which room, of the connections of this worker.
pub(super) struct Seats {
    rooms: RefCell<HashMap<RoomId, Vec<Seat>>>,
    pub(super) round: Arc<Rounds>,
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
                let seats = Rc::new(Self { rooms: RefCell::default(), round: Rounds::new(), clock, written });
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

    /// Whom it is for.
    fn lines(&self, load: &Load) -> Vec<Line> {
        let rooms = self.rooms.borrow();
        let seats = rooms.get(&load.parcel.room).into_iter().flatten();
        let wanted = seats.filter(|seat| match load.only {
            Some(only) => seat.connection == only,
            None => load.parcel.news.is_for(seat.user),
        });
        wanted.map(|seat| seat.line.clone()).collect()
    }
}

impl Carrier<Load> for Seats {
    fn carry(&self, load: Load) -> LocalBoxFuture<'_, ()> {
        Box::pin(async move {
            let mut written = 0;
            rounds::each(self.lines(&load), |line| {
                written += u64::from(line.tell(&load.parcel, || self.clock.now()));
            })
            .await;
            self.written.increment(written);
        })
    }

    fn lost(&self) {
        for seat in self.rooms.borrow().values().flatten() {
            seat.line.overrun();
        }
    }
}
