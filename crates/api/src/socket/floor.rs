//! Which connections of this node are in which room.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use domain::{event::Event, id::RoomId, room::NodeId};
use metrics::Counter;
use tokio::sync::Notify;
use uuid::Uuid;

use super::{
    people::People,
    served::{Guest, Served},
};
use crate::place::Places;

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
    /// Counts the messages that are written.
    pub(super) written: Counter,
    /// How many connections there are.
    pub(crate) places: Arc<Places>,
}

impl Floor {
    /// The floor of a node.
    pub fn new(node: NodeId) -> Arc<Self> {
        Arc::new(Self {
            node,
            people: People::default(),
            rooms: Mutex::default(),
            wanted: Notify::new(),
            written: metrics::counter!("socket_messages_total", "direction" => "out"),
            places: Places::new("ws"),
        })
    }

    /// Heeds an event: whom it changes looks again at where they may be, and whoever follows a room that it changes at who
    /// may be in it. Nodes tell each other of that by a hint; one that died may have had no time to.
    pub fn heed(&self, event: &Event) {
        self.places.heed(event);
        if event.entity.kind == "room"
            && let Some(served) = self.rooms().get(&RoomId(event.entity.id))
        {
            served.doubt();
        }
    }

    /// Lets a connection into a room: from here on its worker is brought all news of it. The position is known once
    /// [`Served::position`] gives it.
    pub(super) fn enter(&self, room: RoomId, name: &str, connection: Uuid, guest: Guest) -> (Arc<Served>, Option<u64>) {
        let mut rooms = self.rooms();
        let served = rooms.entry(room).or_insert_with(|| {
            self.wanted.notify_one();
            Arc::new(Served::new(room, name))
        });
        // Within the lock, so that the room is not taken off the floor meanwhile.
        let from = served.let_in(connection, guest);
        (Arc::clone(served), from)
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
            served.abandoned();
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
        let empty = served.is_empty();
        // Whoever enters from here on gets another.
        if empty && rooms.get(&served.id()).is_some_and(|known| Arc::ptr_eq(known, served)) {
            rooms.remove(&served.id());
        }
        empty
    }

    fn rooms(&self) -> MutexGuard<'_, HashMap<RoomId, Arc<Served>>> {
        self.rooms.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use domain::{clock::Timestamp, event::Entity, id::EventId};
    use serde_json::json;

    use super::*;
    use crate::rounds::Round;

    #[test]
    fn who_follows_a_room_that_was_changed_is_to_look_who_may_be_in_it() {
        let floor = Floor::new(NodeId(Uuid::from_u128(1)));
        let [lamps, chairs] = [2, 3].map(|id| RoomId(Uuid::from_u128(id)));
        let guest = || Guest { user: None, admin: false, round: Round::new() };
        let [of_lamps, of_chairs] =
            [lamps, chairs].map(|room| floor.enter(room, "room", Uuid::from_u128(4), guest()).0);
        assert!(!of_lamps.takes_doubt());
        floor.heed(&Event {
            id: EventId(Uuid::from_u128(9)),
            kind: "room.banned".to_owned(),
            entity: Entity::new("room", lamps),
            actor: None,
            at: Timestamp::UNIX_EPOCH,
            payload: json!({ "roomId": lamps }),
        });
        assert!(of_lamps.takes_doubt() && !of_lamps.takes_doubt() && !of_chairs.takes_doubt());
    }
}
