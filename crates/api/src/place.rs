//! How many live connections there are and of whom, and which of them are to look again at who they are.

use std::{
    collections::{HashMap, hash_map::Entry},
    net::{IpAddr, Ipv4Addr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use actix_web::{
    HttpMessage as _, HttpRequest,
    http::{StatusCode, header},
};
use domain::{event::Event, id::UserId, identity::known::concerns};
use tokio::{
    sync::watch,
    time::{Instant, sleep_until},
};

use crate::{address, context::Context, problem::Problem, settings::PlaceSettings, stream::caller::Caller};

/// After how long somebody who was refused may ask again, in seconds.
const RETRY: u16 = 30;
/// After how long a connection that was to ask who it belongs to, and could not, asks again. It doubles each time, since
/// thousands may be in the same case.
const PAUSE: Duration = Duration::from_secs(1);
/// The longest it becomes.
const LONGEST: Duration = Duration::from_secs(30);

/// The connections of a node over one protocol, counted.
#[derive(Debug)]
pub(crate) struct Places {
    /// The name in metrics.
    protocol: &'static str,
    open: Mutex<Open>,
}

#[derive(Debug, Default)]
struct Open {
    all: usize,
    of: HashMap<Whose, Held>,
}

/// The places of one caller.
#[derive(Debug)]
struct Held {
    count: usize,
    /// Told when they may be somebody else than they were.
    changed: watch::Sender<()>,
}

/// Whose connection it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Whose {
    /// A person's.
    User(UserId),
    /// That of somebody at this address.
    Address(IpAddr),
}

impl Whose {
    fn of(request: &HttpRequest, caller: &Caller) -> Self {
        if let Some(session) = &caller.session {
            return Self::User(session.user);
        }
        let client = request.extensions().get::<Context>().map(|context| context.client);
        Self::Address(address::counted(client.unwrap_or(Ipv4Addr::UNSPECIFIED.into())))
    }
}

/// Why there is no room for a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Crowded {
    /// On this node.
    Node,
    /// For this person or address.
    Caller,
}

/// The place of one connection; dropping it makes room.
#[derive(Debug)]
pub(crate) struct Place {
    places: Arc<Places>,
    whose: Whose,
    changed: watch::Receiver<()>,
    /// It is to look again.
    due: bool,
    /// When to look again, after it could not be learnt who it belongs to.
    owed: Option<Instant>,
    pause: Duration,
}

impl Place {
    /// Waits until the connection is to look again at who it belongs to: right after it began, since what was read before
    /// it had a place may be old by now, and then whenever something about the person changed. [`Place::is_due`] says so
    /// until [`Place::looks`] is called.
    pub(crate) async fn due(&mut self) {
        let told = async {
            if self.changed.changed().await.is_err() {
                // The other end goes with the last place of the person, and this is one.
                std::future::pending::<()>().await;
            }
        };
        match self.owed {
            _ if self.due => {}
            None => told.await,
            Some(at) => tokio::select! {
                () = sleep_until(at) => {}
                () = told => {}
            },
        }
        self.due = true;
    }

    /// Another pair of eyes: it changes whenever the connection is to look again.
    pub(crate) fn watch(&self) -> watch::Receiver<()> {
        self.changed.clone()
    }

    /// Whether it looked in vain and is to do so again, whatever changes until then.
    pub(crate) fn is_owed(&self) -> bool {
        self.due || self.owed.is_some()
    }

    /// Whether the connection is to look again.
    pub(crate) fn is_due(&self) -> bool {
        self.due || self.changed.has_changed().unwrap_or(false) || self.owed.is_some_and(|at| at <= Instant::now())
    }

    /// It looks now: what changes from here on is to be looked at again. Gives whether it was due.
    pub(crate) fn looks(&mut self) -> bool {
        let due = self.is_due();
        (self.due, self.owed) = (false, None);
        self.changed.mark_unchanged();
        due
    }

    /// It saw who it belongs to.
    pub(crate) fn saw(&mut self) {
        self.pause = PAUSE;
    }

    /// It was due and looked in vain: it is to do so again soon.
    pub(crate) fn put_off(&mut self) {
        self.owed = Some(Instant::now() + self.pause);
        self.pause = (self.pause * 2).min(LONGEST);
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut open = self.places.open();
        open.all = open.all.saturating_sub(1);
        if let Entry::Occupied(mut held) = open.of.entry(self.whose) {
            held.get_mut().count -= 1;
            if held.get().count == 0 {
                held.remove();
            }
        }
        metrics::gauge!("streams_open", "protocol" => self.places.protocol).decrement(1.0);
    }
}

impl Places {
    /// The places of a protocol, by its name in metrics.
    pub(crate) fn new(protocol: &'static str) -> Arc<Self> {
        Arc::new(Self { protocol, open: Mutex::default() })
    }

    /// Refuses when this node is full: cheaply, and before a ticket is used up.
    ///
    /// # Errors
    /// 503.
    pub(crate) fn any(&self, bounds: &PlaceSettings) -> Result<(), Problem> {
        if self.open().all < bounds.most_open { Ok(()) } else { Err(self.refuse(Crowded::Node)) }
    }

    /// Gives a connection its place.
    ///
    /// # Errors
    /// 503 when this node is full, 429 when the caller has too many.
    pub(crate) fn admit(
        self: &Arc<Self>,
        request: &HttpRequest,
        caller: &Caller,
        bounds: &PlaceSettings,
    ) -> Result<Place, Problem> {
        self.take(Whose::of(request, caller), bounds).map_err(|crowded| self.refuse(crowded))
    }

    /// Counts a refusal.
    pub(crate) fn refused(&self) {
        metrics::counter!("streams_refused_total", "protocol" => self.protocol).increment(1);
    }

    /// Heeds an event: the connections of whom it changes look again at who they are.
    pub(crate) fn heed(&self, event: &Event) {
        // Whoever has the role may be somebody else than they were.
        if event.entity.kind == "role" {
            self.all_look_again();
        } else if let Some(user) = concerns(event) {
            self.look_again(user);
        }
    }

    fn all_look_again(&self) {
        for (whose, held) in &self.open().of {
            if matches!(whose, Whose::User(_)) {
                held.changed.send_replace(());
            }
        }
    }

    fn look_again(&self, user: UserId) {
        if let Some(held) = self.open().of.get(&Whose::User(user)) {
            held.changed.send_replace(());
        }
    }

    fn refuse(&self, crowded: Crowded) -> Problem {
        self.refused();
        let problem = match crowded {
            Crowded::Node => {
                Problem::new(StatusCode::SERVICE_UNAVAILABLE, "Too many connections are open; retry later")
            }
            Crowded::Caller => Problem::new(StatusCode::TOO_MANY_REQUESTS, "You have too many connections open"),
        };
        problem.header(header::RETRY_AFTER, RETRY.into())
    }

    /// A limit of 0 is none.
    fn take(self: &Arc<Self>, whose: Whose, bounds: &PlaceSettings) -> Result<Place, Crowded> {
        let mut open = self.open();
        if open.all >= bounds.most_open {
            return Err(Crowded::Node);
        }
        let most = match whose {
            Whose::User(_) => bounds.most_of_user,
            Whose::Address(_) => bounds.most_of_address,
        };
        let held = open.of.entry(whose).or_insert_with(|| Held { count: 0, changed: watch::Sender::new(()) });
        if most > 0 && held.count >= most {
            return Err(Crowded::Caller);
        }
        held.count += 1;
        let mut changed = held.changed.subscribe();
        if matches!(whose, Whose::User(_)) {
            changed.mark_changed();
        }
        open.all += 1;
        metrics::gauge!("streams_open", "protocol" => self.protocol).increment(1.0);
        Ok(Place { places: Arc::clone(self), whose, changed, due: false, owed: None, pause: PAUSE })
    }

    fn open(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use domain::{clock::Timestamp, event::Entity, id::EventId};
    use futures_util::FutureExt as _;
    use serde_json::json;
    use uuid::Uuid;

    use super::*;

    const ADA: UserId = UserId(Uuid::from_u128(1));
    const BOB: UserId = UserId(Uuid::from_u128(2));
    const HOME: Whose = Whose::Address(IpAddr::V4(Ipv4Addr::LOCALHOST));

    fn bounds(most_open: usize, most_of_user: usize, most_of_address: usize) -> PlaceSettings {
        PlaceSettings { most_open, most_of_user, most_of_address }
    }

    fn changed(user: UserId) -> Event {
        Event {
            id: EventId(Uuid::from_u128(9)),
            kind: "user.role_revoked".to_owned(),
            entity: Entity::new("user", user),
            actor: None,
            at: Timestamp::UNIX_EPOCH,
            payload: json!({ "userId": user }),
        }
    }

    #[test]
    fn there_is_room_for_as_many_as_are_allowed_in_all_and_of_each() {
        let places = Places::new("test");
        let most = bounds(4, 2, 1);
        let take = |whose| places.take(whose, &most);
        let crowded = |whose| take(whose).err();
        let hers = [take(Whose::User(ADA)).unwrap(), take(Whose::User(ADA)).unwrap()];
        assert_eq!(crowded(Whose::User(ADA)), Some(Crowded::Caller));
        let other = [take(HOME).unwrap(), take(Whose::User(BOB)).unwrap()];
        assert_eq!((crowded(HOME), crowded(Whose::User(BOB))), (Some(Crowded::Node), Some(Crowded::Node)));
        assert!(places.any(&most).is_err());
        drop(hers);
        assert_eq!(crowded(HOME), Some(Crowded::Caller));
        assert!(places.any(&most).is_ok() && take(Whose::User(ADA)).is_ok());
        drop(other);
        let open = places.open();
        assert_eq!((open.all, open.of.len()), (0, 0), "who has gone is forgotten");
    }

    #[test]
    fn a_limit_of_none_is_none() {
        let places = Places::new("test");
        let held: Vec<_> = (0..100).map_while(|_| places.take(HOME, &bounds(1000, 0, 0)).ok()).collect();
        assert_eq!(held.len(), 100);
    }

    #[tokio::test]
    async fn the_connections_of_who_changed_look_again_and_no_others() {
        let places = Places::new("test");
        let take = |whose| places.take(whose, &bounds(9, 9, 9)).unwrap();
        let (mut hers, mut also_hers, mut his, mut nobodys) =
            (take(Whose::User(ADA)), take(Whose::User(ADA)), take(Whose::User(BOB)), take(HOME));
        for place in [&mut hers, &mut also_hers, &mut his] {
            assert!(place.is_due(), "it looks once when it has begun");
            place.due().await;
            place.due().await;
            assert!(place.looks() && !place.looks());
            assert!(!place.is_due() && place.due().now_or_never().is_none());
        }
        places.heed(&changed(ADA));
        hers.due().await;
        assert!(hers.is_due() && also_hers.is_due());
        hers.looks();
        for place in [&mut hers, &mut his, &mut nobodys] {
            assert!(place.due().now_or_never().is_none());
        }
        hers.put_off();
        assert!(!hers.is_due() && hers.due().now_or_never().is_none());
        hers.put_off();
        assert_eq!(hers.pause, 4 * PAUSE);
        hers.saw();
        assert_eq!(hers.pause, PAUSE);
        hers.owed = Some(Instant::now());
        hers.due().await;
        hers.looks();
        assert!(hers.due().now_or_never().is_none(), "once");
    }
}
