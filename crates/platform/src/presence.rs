//! Who is in which room, of a node that is alone.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use domain::{
    Result,
    clock::Timestamp,
    id::{RoomId, UserId},
    room::{Change, Crowd, Moved, NodeId, Presence, Renewed},
};

/// Keeps presence in this process. What it holds goes with the process, so a lease that ends here is one that a test lets
/// end.
#[derive(Debug, Default)]
pub struct LocalPresence(Mutex<Held>);

#[derive(Debug, Default)]
struct Held {
    leases: BTreeMap<NodeId, Timestamp>,
    swept: BTreeSet<NodeId>,
    /// On which nodes people are in rooms.
    rooms: BTreeMap<RoomId, BTreeMap<UserId, BTreeSet<NodeId>>>,
}

impl Held {
    /// Enters one change, and gives whether others notice it.
    fn enter(&mut self, node: NodeId, change: Change) -> bool {
        let people = self.rooms.entry(change.room).or_default();
        let nodes = people.entry(change.user).or_default();
        let changed = if change.present { nodes.insert(node) } else { nodes.remove(&node) };
        let noticed = changed && nodes.len() == usize::from(change.present);
        if nodes.is_empty() {
            people.remove(&change.user);
        }
        if people.is_empty() {
            self.rooms.remove(&change.room);
        }
        noticed
    }

    fn count(&self, room: RoomId) -> u64 {
        self.rooms.get(&room).map_or(0, |people| u64::try_from(people.len()).unwrap_or(u64::MAX))
    }

    fn counted(&self, noticed: Vec<Change>) -> Vec<Moved> {
        noticed.into_iter().map(|change| Moved { change, count: self.count(change.room) }).collect()
    }
}

impl LocalPresence {
    fn held(&self) -> MutexGuard<'_, Held> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Presence for LocalPresence {
    async fn update(&self, node: NodeId, changes: &[Change]) -> Result<Vec<Moved>> {
        let mut held = self.held();
        let noticed = changes.iter().copied().filter(|change| held.enter(node, *change)).collect();
        Ok(held.counted(noticed))
    }

    async fn renew(&self, node: NodeId, until: Timestamp) -> Result<Renewed> {
        let mut held = self.held();
        Ok(match held.leases.insert(node, until) {
            Some(_) => Renewed::Held,
            None if held.swept.remove(&node) => Renewed::Swept,
            None => Renewed::New,
        })
    }

    async fn sweep(&self, now: Timestamp) -> Result<Vec<Moved>> {
        let mut held = self.held();
        let dead: Vec<NodeId> = held.leases.extract_if(.., |_, until| *until <= now).map(|(node, _)| node).collect();
        let mut noticed = Vec::new();
        for node in dead {
            held.swept.insert(node);
            let there: Vec<Change> = held
                .rooms
                .iter()
                .flat_map(|(room, people)| people.iter().map(move |(user, nodes)| (*room, *user, nodes)))
                .filter(|(.., nodes)| nodes.contains(&node))
                .map(|(room, user, _)| Change { room, user, present: false })
                .collect();
            noticed.extend(there.into_iter().filter(|change| held.enter(node, *change)));
        }
        Ok(held.counted(noticed))
    }

    async fn crowd(&self, room: RoomId, most: u32) -> Result<Crowd> {
        let held = self.held();
        let most = usize::try_from(most).unwrap_or(usize::MAX);
        let some = held.rooms.get(&room).map(|people| people.keys().copied().take(most).collect());
        Ok(Crowd { some: some.unwrap_or_default(), count: held.count(room) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn it_keeps_the_contract() {
        let presence = LocalPresence::default();
        domain::testing::contract::presence::run(&presence, &presence).await;
    }
}
