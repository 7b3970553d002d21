//! Who callers are, and which sessions are over: known in memory, so that a valid token costs no read.
//!
//! What is kept here changes with the log: each node heeds every event of a person or session, the node that made the change before
//! it acknowledges it. A node that has heard nothing of the log for too long says so ([`Error::Unavailable`]) rather than trust
//! somebody who may be locked out by now.

use std::{
    collections::HashMap,
    sync::{
        Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard,
        atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering},
    },
    time::Duration,
};

use super::ports::{Session, SessionQueries, UserQueries};
use crate::{
    actor::Principal,
    bus::Bus,
    clock::{Clock, Timestamp},
    error::{Error, Result},
    event::{Event, Fact},
    id::{SessionId, UserId},
};

/// The topic on which nodes hasten each other: whoever hears of it looks for changes that have no number in the log yet.
pub const CHANGED: &str = "identity";
/// The types of things whose events are heeded.
pub const HEEDED: [&str; 4] = ["user", "seller", "session", "signing_key"];

/// How long past its end a token may still be taken for valid, by clocks that differ.
const MARGIN: Duration = Duration::from_mins(1);
/// How often sessions are forgotten of which no token can hold any more, in microseconds.
const SWEEP: i64 = 60_000_000;

/// How much is kept, and how long silence is borne.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KnownRules {
    /// After so long without news of the log nobody is taken for who they say.
    pub silence: Duration,
    /// For how long what was read of a person is believed, for what changes past Souk: as long as a token lives.
    pub keep: Duration,
    /// Most people kept, twice.
    pub room: usize,
}

impl Default for KnownRules {
    fn default() -> Self {
        Self { silence: Duration::from_secs(30), keep: Duration::from_mins(15), room: 20_000 }
    }
}

/// Who callers are, as this node knows.
pub struct Known {
    users: Arc<dyn UserQueries>,
    sessions: Arc<dyn SessionQueries>,
    clock: Arc<dyn Clock>,
    rules: KnownRules,
    /// When the log was last heard of, in microseconds.
    heard: AtomicI64,
    swept: AtomicI64,
    /// An event could not be read: everything is to be read anew.
    doubt: AtomicBool,
    reading: AtomicU64,
    ended: RwLock<HashMap<SessionId, Timestamp>>,
    people: RwLock<People>,
}

/// People in two generations: when the young one is full it becomes the old one, whose rest is forgotten. Who is asked for
/// comes back into the young one.
#[derive(Default)]
struct People {
    young: HashMap<UserId, Slot>,
    old: HashMap<UserId, Slot>,
}

#[derive(Clone)]
enum Slot {
    /// Somebody reads; what they find is kept if this is still here then.
    Reading(u64),
    /// So they were then.
    Read(Arc<Principal>, Timestamp),
}

impl People {
    fn get(&self, user: UserId) -> Option<&Slot> {
        self.young.get(&user).or_else(|| self.old.get(&user))
    }

    fn put(&mut self, user: UserId, slot: Slot, room: usize) {
        self.old.remove(&user);
        if self.young.len() >= room && !self.young.contains_key(&user) {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(user, slot);
    }

    fn remove(&mut self, user: UserId) {
        self.young.remove(&user);
        self.old.remove(&user);
    }
}

impl std::fmt::Debug for Known {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Known").field("rules", &self.rules).finish_non_exhaustive()
    }
}

impl Known {
    /// Nobody is known yet; [`Known::reload`] MUST be called before anybody is asked for, after the place in the log was taken from
    /// which events are heeded.
    pub fn new(
        users: Arc<dyn UserQueries>,
        sessions: Arc<dyn SessionQueries>,
        clock: Arc<dyn Clock>,
        rules: KnownRules,
    ) -> Self {
        Self {
            users,
            sessions,
            clock,
            rules,
            heard: AtomicI64::new(i64::MIN),
            swept: AtomicI64::new(i64::MIN),
            doubt: AtomicBool::new(false),
            reading: AtomicU64::new(0),
            ended: RwLock::default(),
            people: RwLock::default(),
        }
    }

    /// Reads anew which sessions are over, and forgets everybody: at the start, and when something of the log may have been
    /// missed.
    ///
    /// # Errors
    /// Those of the database; then it is to be called again.
    pub async fn reload(&self) -> Result<()> {
        let now = self.clock.now();
        self.doubt.store(true, Ordering::Release);
        // Whoever reads a person just now may have begun before what was missed.
        *self.people_mut() = People::default();
        let ended = self.sessions.ended(now - MARGIN).await?;
        self.ended_mut().extend(ended);
        self.doubt.store(false, Ordering::Release);
        self.heard(now);
        Ok(())
    }

    /// Whether [`Known::reload`] is due.
    pub fn is_in_doubt(&self) -> bool {
        self.doubt.load(Ordering::Acquire)
    }

    /// Heeds an event: what it changes is not known any more, what it ends is over. Gives whether it ended a session that went on as far
    /// as was known here.
    pub fn heed(&self, event: &Event) -> bool {
        if !HEEDED.contains(&event.entity.kind.as_str()) {
            return false;
        }
        match Fact::of(event) {
            Ok(Fact::Session(fact)) if event.kind == "session.ended" => {
                return self.ended_mut().insert(fact.session_id, fact.tokens_until).is_none();
            }
            Ok(_) => {
                if let Some(user) = concerns(event) {
                    self.people_mut().remove(user);
                }
            }
            // What nobody can read may have changed anybody.
            Err(_) => {
                *self.people_mut() = People::default();
                self.doubt.store(true, Ordering::Release);
            }
        }
        false
    }

    /// Everything that was committed before this moment has been heeded.
    pub fn heard(&self, at: Timestamp) {
        let at = at.timestamp_micros();
        self.heard.store(at, Ordering::Release);
        if at.saturating_sub(self.swept.load(Ordering::Relaxed)) > SWEEP {
            self.swept.store(at, Ordering::Relaxed);
            let over = self.clock.now() - MARGIN;
            self.ended_mut().retain(|_, until| *until > over);
        }
    }

    /// Whether nothing was heard of the log for too long, by a clock that may have been set back too.
    pub fn is_deaf(&self, now: Timestamp) -> bool {
        let silence = now.timestamp_micros().abs_diff(self.heard.load(Ordering::Acquire));
        self.is_in_doubt() || u128::from(silence) > self.rules.silence.as_micros()
    }

    /// How many sessions are known to be over while their tokens might hold.
    pub fn over(&self) -> usize {
        self.ended_ref().len()
    }

    /// Who that is now; `None` when the session is over or the person gone. Reads only who is not known yet.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when nothing was heard of the log for too long; those of the database.
    pub async fn who(&self, session: &Session) -> Result<Option<Principal>> {
        self.who_within(session, self.rules.keep).await
    }

    /// [`Known::who`], from what was read at most so long ago: for those who ask seldom and look for what changed past Souk.
    ///
    /// # Errors
    /// Those of [`Known::who`].
    pub async fn who_within(&self, session: &Session, oldest: Duration) -> Result<Option<Principal>> {
        let now = self.clock.now();
        if self.is_deaf(now) {
            return Err(Error::Unavailable {
                what: "Sign-in",
                source: "nothing was heard of the log for too long".into(),
            });
        }
        if self.ended_ref().contains_key(&session.id) {
            return Ok(None);
        }
        match self.at_hand(session.user, now, oldest) {
            Some(principal) => Ok(Some((*principal).clone())),
            None => self.read(session.user, now).await,
        }
    }

    fn at_hand(&self, user: UserId, now: Timestamp, oldest: Duration) -> Option<Arc<Principal>> {
        let (found, young) = {
            let people = self.people_ref();
            let Slot::Read(principal, at) = people.get(user)? else { return None };
            if (now - *at).abs() >= chrono::TimeDelta::from_std(oldest).unwrap_or(chrono::TimeDelta::MAX) {
                return None;
            }
            (Arc::clone(principal), people.young.contains_key(&user))
        };
        if !young {
            let mut people = self.people_mut();
            if let Some(slot) = people.old.remove(&user) {
                people.put(user, slot, self.rules.room);
            }
        }
        Some(found)
    }

    async fn read(&self, user: UserId, now: Timestamp) -> Result<Option<Principal>> {
        let ticket = self.reading.fetch_add(1, Ordering::Relaxed);
        self.people_mut().put(user, Slot::Reading(ticket), self.rules.room);
        let found = self.users.principal(user).await;
        let mut people = self.people_mut();
        // Not there any more when they changed meanwhile: what was read may be from before.
        if matches!(people.get(user), Some(Slot::Reading(mine)) if *mine == ticket) {
            match &found {
                Ok(Some(principal)) => people.put(user, Slot::Read(Arc::new(principal.clone()), now), self.rules.room),
                Ok(None) | Err(_) => people.remove(user),
            }
        }
        found
    }

    fn people_ref(&self) -> RwLockReadGuard<'_, People> {
        self.people.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn people_mut(&self) -> RwLockWriteGuard<'_, People> {
        self.people.write().unwrap_or_else(PoisonError::into_inner)
    }

    fn ended_ref(&self) -> RwLockReadGuard<'_, HashMap<SessionId, Timestamp>> {
        self.ended.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn ended_mut(&self) -> RwLockWriteGuard<'_, HashMap<SessionId, Timestamp>> {
        self.ended.write().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Who is somebody else after an event, or may not go on: their live connections look again.
pub fn concerns(event: &Event) -> Option<UserId> {
    if !HEEDED.contains(&event.entity.kind.as_str()) {
        return None;
    }
    match Fact::of(event) {
        Ok(Fact::User(user)) => Some(user),
        // Who opens an account is a seller from now on.
        Ok(Fact::Seller(_)) => event.actor,
        Ok(Fact::Session(fact)) if event.kind == "session.ended" => Some(fact.user_id),
        _ => None,
    }
}

/// Hears of the events of a transaction right after its commit, before it is acknowledged.
pub trait Witness: Send + Sync {
    /// They are committed, or may be: a connection that was lost in the middle of a commit does not tell.
    fn committed(&self, events: &[Event]);
}

/// Heeds what this node changes, and calls the others.
#[derive(Clone)]
pub struct Herald {
    /// What this node knows.
    pub known: Arc<Known>,
    /// Calls the others.
    pub bus: Arc<dyn Bus>,
}

impl std::fmt::Debug for Herald {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Herald")
    }
}

impl Witness for Herald {
    fn committed(&self, events: &[Event]) {
        let mut told = false;
        for event in events {
            self.known.heed(event);
            told |= concerns(event).is_some() || event.entity.kind == "signing_key";
        }
        if told {
            self.bus.publish(CHANGED, b"");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicU32;

    use async_trait::async_trait;

    use super::*;
    use crate::{
        Shop,
        bus::{Fanout, Heard, Subscription},
        cache::{InvalidatingStore, NoCache},
        idempotency::Once,
        identity::{Email, Profile, RoleChange, change_role, open_seller, ports::Account, revoke_session},
        page::{Page, PageRequest},
        permission::Role,
        testing::{Fixtures, memory::MemoryStore},
    };

    /// Counts what is asked of it; may stand still in the middle of an answer.
    struct Counted {
        store: MemoryStore,
        asked: AtomicU32,
        meanwhile: std::sync::Mutex<Option<Event>>,
        known: std::sync::OnceLock<Arc<Known>>,
    }

    #[async_trait]
    impl UserQueries for Counted {
        async fn principal(&self, id: UserId) -> Result<Option<Principal>> {
            self.asked.fetch_add(1, Ordering::SeqCst);
            let found = self.store.principal(id).await;
            if let Some(event) = self.meanwhile.lock().unwrap().take() {
                self.known.get().unwrap().heed(&event);
            }
            found
        }

        async fn account(&self, email: &Email) -> Result<Option<Account>> {
            self.store.account(email).await
        }

        async fn profile(&self, id: UserId) -> Result<Option<Profile>> {
            self.store.profile(id).await
        }
    }

    #[async_trait]
    impl SessionQueries for Counted {
        async fn live(
            &self,
            user: UserId,
            now: Timestamp,
            page: PageRequest,
        ) -> Result<Page<super::super::StoredSession>> {
            self.store.live(user, now, page).await
        }

        async fn ended(&self, now: Timestamp) -> Result<Vec<(SessionId, Timestamp)>> {
            self.store.ended(now).await
        }

        async fn purge(&self, before: Timestamp, limit: u32) -> Result<u64> {
            SessionQueries::purge(&self.store, before, limit).await
        }
    }

    #[derive(Default)]
    struct Local(Fanout);

    #[async_trait]
    impl Bus for Local {
        fn publish(&self, topic: &str, payload: &[u8]) {
            self.0.deliver(topic, payload);
        }

        async fn subscribe(&self, topics: &[&str]) -> Subscription {
            self.0.subscribe(topics)
        }
    }

    struct Node {
        given: Fixtures,
        shop: Shop,
        counted: Arc<Counted>,
        known: Arc<Known>,
        bus: Arc<Local>,
    }

    async fn node(rules: KnownRules) -> Node {
        let (given, store) = Fixtures::in_memory();
        let counted = Arc::new(Counted {
            store: store.clone(),
            asked: AtomicU32::new(0),
            meanwhile: std::sync::Mutex::default(),
            known: std::sync::OnceLock::new(),
        });
        let clock: Arc<dyn Clock> = Arc::<crate::testing::FakeClock>::clone(&given.clock);
        let known =
            Arc::new(Known::new(Arc::<Counted>::clone(&counted), Arc::<Counted>::clone(&counted), clock, rules));
        assert!(counted.known.set(Arc::clone(&known)).is_ok());
        let bus = Arc::new(Local::default());
        let herald = Herald { known: Arc::clone(&known), bus: Arc::<Local>::clone(&bus) };
        let told = InvalidatingStore::new(Arc::new(store), Arc::new(NoCache)).before(Arc::new(herald));
        let shop = Shop { store: Arc::new(told), ..given.shop.clone() };
        known.reload().await.unwrap();
        Node { given, shop, counted, known, bus }
    }

    impl Node {
        fn asked(&self) -> u32 {
            self.counted.asked.swap(0, Ordering::SeqCst)
        }

        async fn session(&self, role: Role) -> (Principal, Session) {
            let person = self.given.person(role).await;
            let stored = self.given.stored_session(person.user).await;
            (person, Session { id: stored.id, user: stored.user, until: stored.tokens_until })
        }
    }

    #[tokio::test]
    async fn who_somebody_is_is_read_once_until_it_changes() {
        let node = node(KnownRules::default()).await;
        let (ada, session) = node.session(Role::User).await;
        for _ in 0..3 {
            assert_eq!(node.known.who(&session).await.unwrap().as_ref(), Some(&ada));
        }
        assert_eq!(node.asked(), 1);
        let mut heard = node.bus.subscribe(&[CHANGED]).await;
        open_seller(&node.shop, node.given.authorized(&ada), "Lamps", &Once::always()).await.unwrap();
        assert!(matches!(heard.next().await, Heard::Message(_)), "the others are called");
        for _ in 0..3 {
            let now = node.known.who(&session).await.unwrap().unwrap();
            assert!(now.roles.has(Role::Seller) && now.seller.is_some(), "{now:?}");
        }
        assert_eq!(node.asked(), 1);
        let email = node.counted.profile(ada.user).await.unwrap().unwrap().user.email;
        change_role(&node.shop, &email, RoleChange::Grant, Role::Admin).await.unwrap();
        assert!(node.known.who(&session).await.unwrap().unwrap().is_admin());
        let nobody = Session { user: UserId(uuid::Uuid::from_u128(404)), ..session };
        assert_eq!(node.known.who(&nobody).await.unwrap(), None);
    }

    #[tokio::test]
    async fn what_was_read_before_a_change_is_not_kept_after_it() {
        let node = node(KnownRules::default()).await;
        let (ada, session) = node.session(Role::User).await;
        open_seller(&node.shop, node.given.authorized(&ada), "Lamps", &Once::always()).await.unwrap();
        let event = node.counted.store.events().pop().unwrap();
        *node.counted.meanwhile.lock().unwrap() = Some(event);
        for _ in 0..2 {
            node.known.who(&session).await.unwrap().unwrap();
        }
        assert_eq!(node.asked(), 2, "the first reading was overtaken");
        node.known.who(&session).await.unwrap().unwrap();
        assert_eq!(node.asked(), 0);
    }

    #[tokio::test]
    async fn an_ended_session_is_over_at_once_here_and_by_the_log_there() {
        let node = node(KnownRules::default()).await;
        let (ada, session) = node.session(Role::User).await;
        let other = Session { id: node.given.stored_session(ada.user).await.id, ..session };
        node.known.who(&session).await.unwrap().unwrap();
        revoke_session(&node.shop, &node.given.authorized(&ada), session.id).await.unwrap();
        assert_eq!(node.known.who(&session).await.unwrap(), None);
        assert!(node.known.who(&other).await.unwrap().is_some());
        // Another node: by the event, or by what it reads when it starts.
        let there = |known: Known| async move { known.who(&session).await.unwrap() };
        let fresh = || {
            let clock: Arc<dyn Clock> = Arc::<crate::testing::FakeClock>::clone(&node.given.clock);
            let (users, sessions) = (Arc::<Counted>::clone(&node.counted), Arc::<Counted>::clone(&node.counted));
            Known::new(users, sessions, clock, KnownRules::default())
        };
        let (started, told) = (fresh(), fresh());
        started.reload().await.unwrap();
        assert_eq!(there(started).await, None);
        told.heard(node.given.shop.now());
        assert!(told.who(&session).await.unwrap().is_some());
        let events = node.counted.store.events();
        let news: Vec<bool> = events.iter().chain(&events).map(|event| told.heed(event)).collect();
        assert_eq!(news, [true, false], "it is news once");
        assert_eq!(there(told).await, None);
    }

    #[tokio::test]
    async fn sessions_are_forgotten_when_no_token_of_theirs_can_hold() {
        let node = node(KnownRules::default()).await;
        let (ada, session) = node.session(Role::User).await;
        revoke_session(&node.shop, &node.given.authorized(&ada), session.id).await.unwrap();
        node.given.clock.set(session.until + Duration::from_secs(50));
        node.known.heard(node.given.shop.now());
        assert_eq!(node.known.over(), 1);
        node.given.clock.set(session.until + Duration::from_secs(111));
        node.known.heard(node.given.shop.now());
        assert_eq!(node.known.over(), 0);
    }

    #[tokio::test]
    async fn nobody_is_believed_without_news() {
        let node = node(KnownRules::default()).await;
        let (_, session) = node.session(Role::User).await;
        let deaf = async || matches!(node.known.who(&session).await, Err(Error::Unavailable { .. }));
        node.given.clock.advance(Duration::from_secs(30));
        assert!(!deaf().await);
        node.given.clock.advance(Duration::from_micros(1));
        assert!(deaf().await);
        node.known.heard(node.given.shop.now());
        assert!(!deaf().await);
        node.given.clock.set(node.given.shop.now() - Duration::from_secs(31));
        assert!(deaf().await, "a clock that was set back");
        // What cannot be read, such as an event of a later version, puts everything in doubt.
        node.known.reload().await.unwrap();
        assert!(!deaf().await);
        let mut event = node.counted.store.events().pop().unwrap_or_else(|| Event {
            id: node.given.shop.id(),
            kind: "session.ended".to_owned(),
            entity: crate::event::Entity::new("session", session.id),
            actor: None,
            at: node.given.shop.now(),
            payload: serde_json::json!({}),
        });
        event.kind = "session.frozen".to_owned();
        node.known.heed(&event);
        assert!(deaf().await && node.known.is_in_doubt());
        node.known.reload().await.unwrap();
        assert!(!deaf().await);
    }

    #[tokio::test]
    async fn what_changes_past_souk_is_seen_in_time_and_the_room_is_bounded() {
        let node = node(KnownRules { room: 4, ..KnownRules::default() }).await;
        let (_, session) = node.session(Role::User).await;
        node.known.who(&session).await.unwrap();
        node.given.clock.advance(Duration::from_secs(20));
        assert!(node.known.who_within(&session, Duration::from_secs(21)).await.unwrap().is_some());
        assert_eq!(node.asked(), 1);
        assert!(node.known.who_within(&session, Duration::from_secs(20)).await.unwrap().is_some());
        assert_eq!(node.asked(), 1);
        for _ in 0..20 {
            let (_, other) = node.session(Role::User).await;
            node.known.who(&other).await.unwrap();
            // Who is asked for all the time stays.
            node.known.who(&session).await.unwrap();
            let people = node.known.people_ref();
            assert!(people.young.len() <= 4 && people.old.len() <= 4);
        }
        assert_eq!(node.asked(), 20);
    }
}
