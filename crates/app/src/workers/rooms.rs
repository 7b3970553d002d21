//! Follows the rooms that have connections on this node, and tells the others who is here.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
    time::Duration,
};

use api::{Floor, Served};
use domain::{
    Result,
    bus::{Bus, Heard, Subscription},
    clock::Clock,
    id::{RoomId, UserId},
    room::{
        Change, GLOBAL, Hint, Moved, Presence, Renewed,
        ports::{RoomQueries, Window},
    },
};
use tokio::{
    task::JoinSet,
    time::{Instant, Interval, MissedTickBehavior, interval_at},
};
use tokio_util::sync::CancellationToken;

/// Messages read at a time.
const PAGE: u32 = 200;
/// The bus may lose the last words of a node that dies, so the last offsets are asked for this often.
const LOOK: Duration = Duration::from_secs(1);
/// How often a room without connections is looked for.
const IDLE: Duration = Duration::from_secs(5);
/// The pause after an error.
const PAUSE: Duration = Duration::from_secs(1);
/// Those who come to the room of all, and leave it, within so long are told together.
const GATHER: Duration = Duration::from_millis(500);
/// Most changes told to presence at once.
const BATCH: usize = 1_000;
/// Most people in one hint: the bus carries so much.
const NAMED: usize = 100;
/// Most people named when who is there is told anew.
const CROWD: u32 = 100;

/// What the loops work with.
#[derive(Clone)]
pub(crate) struct Rooms {
    pub(crate) floor: Arc<Floor>,
    pub(crate) queries: Arc<dyn RoomQueries>,
    pub(crate) presence: Arc<dyn Presence>,
    pub(crate) bus: Arc<dyn Bus>,
    pub(crate) clock: Arc<dyn Clock>,
    /// Within two of these the people of a node that died are gone.
    pub(crate) heartbeat: Duration,
}

/// Follows every room with a connection on this node, until told to stop.
pub(crate) async fn rooms_worker(rooms: Rooms, stop: CancellationToken) -> Result<()> {
    rooms.floor.nobody_follows();
    let mut followers = JoinSet::new();
    let mut looks = every(LOOK);
    loop {
        tokio::select! {
            found = rooms.floor.unfollowed() => {
                for served in found {
                    followers.spawn(follow(rooms.clone(), served));
                }
            }
            Some(ended) = followers.join_next() => {
                if let Err(error) = ended {
                    tracing::error!(%error, "who followed a room ended badly");
                    // Nobody knows which; all begin anew, where they were.
                    followers = JoinSet::new();
                    rooms.floor.nobody_follows();
                }
            }
            _ = looks.tick() => {
                if let Err(error) = look(&rooms).await {
                    tracing::warn!(error = crate::chain(&error), "the last offsets of rooms could not be read");
                }
            }
            () = stop.cancelled() => return Ok(()),
        }
    }
}

fn every(time: Duration) -> Interval {
    let mut ticks = interval_at(Instant::now() + time, time);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}

/// Wakes those who follow rooms that have come further than was told here.
async fn look(rooms: &Rooms) -> Result<()> {
    let served: HashMap<RoomId, Arc<Served>> =
        rooms.floor.served().into_iter().map(|served| (served.id(), served)).collect();
    if served.is_empty() {
        return Ok(());
    }
    let ids: Vec<RoomId> = served.keys().copied().collect();
    for (room, last) in rooms.queries.heads(&ids).await? {
        if let Some(served) = served.get(&room).filter(|served| served.position().is_some_and(|at| at < last)) {
            served.poke();
        }
    }
    Ok(())
}

/// Follows one room until nobody is in it.
async fn follow(rooms: Rooms, served: Arc<Served>) {
    let topic = Hint::topic(served.id());
    // Listened to before the offset is read: what is stored after it is heard.
    let mut hears = rooms.bus.subscribe(&[&topic]).await;
    let mut idle = every(IDLE);
    loop {
        match step(&rooms, &served, &mut hears, &mut idle).await {
            Ok(true) => {}
            Ok(false) => return,
            Err(error) => {
                tracing::warn!(error = crate::chain(&error), room = %served.id(), "a room waits for the database");
                rooms.clock.sleep(PAUSE).await;
                served.poke();
            }
        }
    }
}

/// Waits for news and tells it. False when nobody is in the room any more.
async fn step(rooms: &Rooms, served: &Arc<Served>, hears: &mut Subscription, idle: &mut Interval) -> Result<bool> {
    if served.position().is_none() {
        match rooms.queries.reach(served.id()).await? {
            Some(reach) => served.begin(reach.last),
            None => served.admit_only(None),
        }
    }
    tokio::select! {
        news = hears.next() => match news {
            Heard::Lost => {
                // Everything that may have been missed is looked for.
                served.doubt();
                catch_up(rooms, served).await?;
                recount(rooms, served).await;
            }
            Heard::Message(message) => match Hint::decode(&message.payload) {
                Some(Hint::Admission) => served.doubt(),
                Some(Hint::Crowd) => recount(rooms, served).await,
                Some(hint) if served.pass(&hint, GLOBAL) => catch_up(rooms, served).await?,
                // Told, or of another version of the program, which may say more than we know.
                _ => {}
            },
        },
        () = served.poked() => {
            admit(rooms, served).await?;
            catch_up(rooms, served).await?;
        }
        _ = idle.tick() => return Ok(!rooms.floor.retire(served)),
    }
    Ok(true)
}

/// Reads what was not told yet, in order.
async fn catch_up(rooms: &Rooms, served: &Served) -> Result<()> {
    while let Some(position) = served.position() {
        let page = rooms.queries.messages(served.id(), Window::After(position), PAGE).await?;
        let Some(first) = page.first() else { break };
        if first.offset > position + 1 {
            // What stood between is not kept any more.
            served.skip_to(first.offset - 1);
        }
        served.deliver(&page);
        if u32::try_from(page.len()).is_ok_and(|read| read < PAGE) {
            break;
        }
    }
    Ok(())
}

/// Tells who is there, when that is otherwise than was told. While presence is away nobody knows better.
async fn recount(rooms: &Rooms, served: &Served) {
    if let Ok(crowd) = rooms.presence.crowd(served.id(), CROWD).await {
        served.recount(&crowd);
    }
}

/// Shows out who may not be in the room any more, when somebody changed that.
async fn admit(rooms: &Rooms, served: &Served) -> Result<()> {
    if !served.takes_doubt() {
        return Ok(());
    }
    // What could not be asked is asked again.
    let admission = rooms.queries.admission(served.id(), rooms.clock.now()).await.inspect_err(|_| served.doubt())?;
    served.admit_only(admission.as_ref());
    Ok(())
}

/// Tells presence who comes and goes on this node, and everybody what presence says of it, until told to stop.
pub(crate) async fn presence_worker(rooms: Rooms, stop: CancellationToken) -> Result<()> {
    let mut desk = Desk { rooms, gathered: Gathered::default(), quiet: BTreeSet::new(), away: false };
    let mut beat = tokio::time::interval(desk.rooms.heartbeat / 4);
    beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut words = every(GATHER);
    loop {
        tokio::select! {
            () = desk.rooms.floor.people.changed() => desk.enter().await,
            _ = beat.tick() => desk.beat().await,
            _ = words.tick() => desk.tell_gathered(),
            () = stop.cancelled() => {
                desk.rooms.floor.people.everybody_leaves();
                desk.enter().await;
                desk.tell_gathered();
                return Ok(());
            }
        }
    }
}

struct Desk {
    rooms: Rooms,
    /// What is to be told of the room of all.
    gathered: Gathered,
    /// Who is entered again after presence forgot them: nobody was told that they left, so nobody is told that they came,
    /// but for whoever asked in between.
    quiet: BTreeSet<(RoomId, UserId)>,
    /// Presence is away, and that was logged.
    away: bool,
}

#[derive(Default)]
struct Gathered {
    /// Of each the last that happened, and whether that is a change from what was told.
    moved: BTreeMap<UserId, bool>,
    count: u64,
}

impl Gathered {
    fn add(&mut self, moved: Moved) {
        self.count = moved.count;
        let Change { user, present, .. } = moved.change;
        // Who came and went between two words was not there.
        if self.moved.remove(&user).is_none_or(|before| before == present) {
            self.moved.insert(user, present);
        }
    }
}

impl Desk {
    async fn enter(&mut self) {
        loop {
            let batch = self.rooms.floor.people.batch(BATCH);
            if batch.changes.is_empty() {
                self.rooms.floor.people.entered(&batch);
                return;
            }
            match self.rooms.presence.update(self.rooms.floor.node, &batch.changes).await {
                Ok(moved) => {
                    self.rooms.floor.people.entered(&batch);
                    self.away = false;
                    self.tell(moved);
                }
                Err(error) => {
                    self.rooms.floor.people.failed(&batch);
                    self.is_away(&error);
                    return;
                }
            }
        }
    }

    /// Says that this node lives, and removes those that do not.
    async fn beat(&mut self) {
        let now = self.rooms.clock.now();
        // With the time between two beats that is less than two heartbeats until the sweep.
        let until = now + self.rooms.heartbeat * 3 / 2;
        let renewed = match self.rooms.presence.renew(self.rooms.floor.node, until).await {
            Ok(renewed) => renewed,
            Err(error) => return self.is_away(&error),
        };
        if renewed != Renewed::Held {
            let known = self.rooms.floor.people.forgotten();
            if renewed == Renewed::New {
                self.quiet = known;
            }
        }
        // What failed before is tried again.
        self.enter().await;
        self.quiet.clear();
        match self.rooms.presence.sweep(now).await {
            Ok(moved) => self.tell(moved),
            Err(error) => self.is_away(&error),
        }
    }

    /// Without presence nobody is told who comes and goes; rooms go on.
    fn is_away(&mut self, error: &domain::Error) {
        if !self.away {
            tracing::warn!(error = crate::chain(error), "presence is away; who comes and goes is told when it is back");
        }
        self.away = true;
    }

    fn tell(&mut self, moved: Vec<Moved>) {
        let mut by_room: BTreeMap<RoomId, Vec<Moved>> = BTreeMap::new();
        let mut again = BTreeSet::new();
        for one in moved {
            let Change { room, user, .. } = one.change;
            if self.quiet.contains(&(room, user)) {
                again.insert(room);
                continue;
            }
            if room == GLOBAL {
                self.gathered.add(one);
            } else {
                by_room.entry(room).or_default().push(one);
            }
        }
        for room in again {
            self.rooms.bus.publish(&Hint::topic(room), &Hint::Crowd.encode());
        }
        for (room, moved) in by_room {
            let count = moved.last().map_or(0, |one| one.count);
            let moved: Vec<_> = moved.iter().map(|one| (one.change.user, one.change.present)).collect();
            self.publish(room, &moved, count);
        }
    }

    fn tell_gathered(&mut self) {
        let Gathered { moved, count } = std::mem::take(&mut self.gathered);
        let moved: Vec<_> = moved.into_iter().collect();
        self.publish(GLOBAL, &moved, count);
    }

    fn publish(&self, room: RoomId, moved: &[(UserId, bool)], count: u64) {
        let topic = Hint::topic(room);
        for portion in moved.chunks(NAMED) {
            let these = |present| portion.iter().filter(|one| one.1 == present).map(|one| one.0).collect();
            let hint = Hint::Moved { joined: these(true), left: these(false), count };
            self.rooms.bus.publish(&topic, &hint.encode());
        }
    }
}
