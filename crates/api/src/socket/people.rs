//! Who is in which room on this node, and what of it presence was not told yet.

use std::{
    collections::{BTreeSet, HashMap},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use domain::{
    id::{RoomId, UserId},
    room::{Change, Crowd},
};
use tokio::sync::{Notify, watch};

/// How long somebody who came waits until presence knows of them.
const PATIENCE: Duration = Duration::from_secs(2);

/// Who is in which room on this node. Presence is told of it in batches, by one task: so that of somebody who goes and comes
/// back nobody hears things in the wrong order.
#[derive(Debug, Default)]
pub struct People {
    state: Mutex<State>,
    changed: Notify,
    /// Up to which arrival presence was told.
    told: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct State {
    /// With how many connections somebody is in a room.
    here: HashMap<(RoomId, UserId), u32>,
    /// What presence knows.
    known: BTreeSet<(RoomId, UserId)>,
    /// What may have to be told.
    dirty: BTreeSet<(RoomId, UserId)>,
    /// What presence may know or not, since nobody knows whether it heard.
    uncertain: BTreeSet<(RoomId, UserId)>,
    arrivals: u64,
}

/// Changes that presence is to be told of.
#[derive(Debug)]
pub struct Batch {
    /// The changes.
    pub changes: Vec<Change>,
    arrivals: u64,
}

impl People {
    /// A connection of somebody comes to a room. Gives the number of the arrival.
    pub(super) fn arrive(&self, room: RoomId, user: UserId) -> u64 {
        let mut state = self.state();
        let count = state.here.entry((room, user)).or_default();
        *count += 1;
        if *count == 1 {
            state.dirty.insert((room, user));
            state.arrivals += 1;
            self.changed.notify_one();
            return state.arrivals;
        }
        0
    }

    /// Waits until presence knows of an arrival, or is away.
    pub(super) async fn known(&self, arrival: u64) {
        let mut told = self.told.subscribe();
        let _ = tokio::time::timeout(PATIENCE, told.wait_for(|told| *told >= arrival)).await;
    }

    /// A connection of somebody leaves a room.
    pub(super) fn depart(&self, room: RoomId, user: UserId) {
        let mut state = self.state();
        let Some(count) = state.here.get_mut(&(room, user)) else { return };
        *count -= 1;
        if *count == 0 {
            state.here.remove(&(room, user));
            state.dirty.insert((room, user));
            self.changed.notify_one();
        }
    }

    /// Waits until something may have to be told.
    pub async fn changed(&self) {
        self.changed.notified().await;
    }

    /// What is to be told, at most so much.
    pub fn batch(&self, most: usize) -> Batch {
        let mut state = self.state();
        let mut changes = Vec::new();
        while changes.len() < most
            && let Some((room, user)) = state.dirty.pop_first()
        {
            let present = state.here.contains_key(&(room, user));
            if present != state.known.contains(&(room, user)) || state.uncertain.contains(&(room, user)) {
                changes.push(Change { room, user, present });
            }
        }
        if !state.dirty.is_empty() {
            self.changed.notify_one();
            return Batch { changes, arrivals: *self.told.borrow() };
        }
        Batch { changes, arrivals: state.arrivals }
    }

    /// Presence was told of a batch.
    pub fn entered(&self, batch: &Batch) {
        let mut state = self.state();
        for Change { room, user, present } in &batch.changes {
            state.uncertain.remove(&(*room, *user));
            if *present {
                state.known.insert((*room, *user));
            } else {
                state.known.remove(&(*room, *user));
            }
        }
        drop(state);
        self.release(batch.arrivals);
    }

    /// Presence could not be told of a batch, or perhaps was: it is to be told again.
    pub fn failed(&self, batch: &Batch) {
        let mut state = self.state();
        for Change { room, user, .. } in &batch.changes {
            state.dirty.insert((*room, *user));
            state.uncertain.insert((*room, *user));
        }
        drop(state);
        // Nobody waits for what does not come.
        self.release(batch.arrivals);
    }

    /// Presence knows nothing of this node any more. Gives what it knew.
    pub fn forgotten(&self) -> BTreeSet<(RoomId, UserId)> {
        let mut state = self.state();
        let known = std::mem::take(&mut state.known);
        let here: Vec<_> = state.here.keys().copied().collect();
        state.dirty.extend(here);
        self.changed.notify_one();
        known
    }

    /// Everybody leaves, for good.
    pub fn everybody_leaves(&self) {
        let mut state = self.state();
        state.here.clear();
        let known: Vec<_> = state.known.iter().copied().collect();
        state.dirty.extend(known);
    }

    /// Who is in a room on this node alone, for when presence is away.
    pub(super) fn crowd(&self, room: RoomId, most: u32) -> Crowd {
        let state = self.state();
        let users: BTreeSet<UserId> = state.here.keys().filter(|(of, _)| *of == room).map(|(_, user)| *user).collect();
        let count = u64::try_from(users.len()).unwrap_or(u64::MAX);
        Crowd { some: users.into_iter().take(usize::try_from(most).unwrap_or(usize::MAX)).collect(), count }
    }

    fn release(&self, arrivals: u64) {
        self.told.send_if_modified(|told| {
            let more = arrivals > *told;
            *told = arrivals.max(*told);
            more
        });
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    const ROOM: RoomId = RoomId(Uuid::from_u128(1));
    const ADA: UserId = UserId(Uuid::from_u128(2));

    fn told(people: &People) -> Vec<bool> {
        let batch = people.batch(10);
        people.entered(&batch);
        batch.changes.iter().map(|change| change.present).collect()
    }

    #[test]
    fn the_first_connection_comes_and_the_last_one_goes() {
        let people = People::default();
        people.arrive(ROOM, ADA);
        people.arrive(ROOM, ADA);
        assert_eq!(told(&people), [true]);
        people.depart(ROOM, ADA);
        assert!(told(&people).is_empty());
        people.depart(ROOM, ADA);
        people.depart(ROOM, ADA);
        assert_eq!(told(&people), [false]);
    }

    #[test]
    fn who_goes_and_comes_back_within_a_batch_has_not_moved() {
        let people = People::default();
        people.arrive(ROOM, ADA);
        assert_eq!(told(&people), [true]);
        people.depart(ROOM, ADA);
        people.arrive(ROOM, ADA);
        assert!(told(&people).is_empty());
    }

    #[test]
    fn what_was_not_told_is_told_again_as_it_is_then() {
        let people = People::default();
        people.arrive(ROOM, ADA);
        let batch = people.batch(10);
        people.failed(&batch);
        people.depart(ROOM, ADA);
        assert_eq!(told(&people), [false], "it may have heard");
        people.arrive(ROOM, ADA);
        assert_eq!(told(&people), [true]);
        assert_eq!(people.forgotten(), BTreeSet::from([(ROOM, ADA)]));
        assert_eq!(told(&people), [true]);
    }
}
