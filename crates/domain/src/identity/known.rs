//! Who callers are, and which sessions are over: known in memory, so that a valid token costs no read.
//!
//! What is kept here changes with the log: each node heeds every event of a person or session, the node that made the change before
//! it acknowledges it. A node that has heard nothing of the log for too long says so ([`Error::Unavailable`]) rather than trust
//! somebody who may be locked out by now.

mod herald;

use std::{
    collections::HashMap,
    sync::{
        Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard,
        atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering},
    },
    time::Duration,
};

pub use self::herald::{Herald, Witness, concerns};
use super::{
    ports::{Session, SessionQueries, UserQueries},
    shelf::Shelf,
};
use crate::{
    access::ports::{ApiKeyQueries, HeldKey},
    actor::Principal,
    behalf::Impersonator,
    clock::{Clock, Timestamp},
    error::{Error, Result},
    event::{Event, Fact},
    id::{ApiKeyId, SessionId, UserId},
    permission::Impersonate,
};

/// The topic on which nodes hasten each other: whoever hears of it looks for changes that have no number in the log yet.
pub const CHANGED: &str = "identity";
/// The types of things whose events are heeded.
pub const HEEDED: [&str; 6] = ["user", "seller", "session", "signing_key", "role", "api_key"];

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
    /// Most people kept, twice; and most API keys.
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
    api_keys: Arc<dyn ApiKeyQueries>,
    clock: Arc<dyn Clock>,
    rules: KnownRules,
    /// When the log was last heard of, in microseconds.
    heard: AtomicI64,
    swept: AtomicI64,
    /// Changes when anybody may be somebody else than they were.
    edition: AtomicU64,
    /// An event could not be read: everything is to be read anew.
    doubt: AtomicBool,
    ended: RwLock<HashMap<SessionId, Timestamp>>,
    people: Shelf<UserId, Principal>,
    keys: Shelf<ApiKeyId, HeldKey>,
    /// Whose accounts people elsewhere are linked to.
    foreign: Shelf<[u8; 32], UserId>,
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
        api_keys: Arc<dyn ApiKeyQueries>,
        clock: Arc<dyn Clock>,
        rules: KnownRules,
    ) -> Self {
        Self {
            users,
            sessions,
            api_keys,
            clock,
            rules,
            heard: AtomicI64::new(i64::MIN),
            swept: AtomicI64::new(i64::MIN),
            edition: AtomicU64::new(0),
            doubt: AtomicBool::new(false),
            ended: RwLock::default(),
            people: Shelf::default(),
            keys: Shelf::default(),
            foreign: Shelf::default(),
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
        self.people.clear();
        self.keys.clear();
        self.foreign.clear();
        let ended = self.sessions.ended(now - MARGIN).await?;
        self.ended_mut().extend(ended);
        self.turn();
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
        let ended = self.change(event);
        // Last: what was found out in this edition is what was known before.
        self.turn();
        ended
    }

    /// A number that is another one after anything was heeded: who remembers by themselves whom they asked for here, and when
    /// [`Known::is_deaf`] is false, need not ask again while it is the same. It MUST be read before asking.
    pub fn edition(&self) -> u64 {
        self.edition.load(Ordering::Acquire)
    }

    fn turn(&self) {
        self.edition.fetch_add(1, Ordering::Release);
    }

    fn change(&self, event: &Event) -> bool {
        match Fact::of(event) {
            Ok(Fact::Session(fact)) if event.kind == "session.ended" => {
                return self.ended_mut().insert(fact.session_id, fact.tokens_until).is_none();
            }
            // Whoever has the role may be somebody else than they were.
            Ok(Fact::Role(_)) => self.people.clear(),
            Ok(Fact::ApiKey(key)) => self.keys.remove(key),
            Ok(_) => {
                if let Some(user) = concerns(event) {
                    self.people.remove(user);
                }
                // By whom it was known does not stand in the event.
                if matches!(event.kind.as_str(), "user.identity_unlinked" | "user.deleted") {
                    self.foreign.clear();
                }
                // Which keys are theirs does not either.
                if matches!(event.kind.as_str(), "user.deletion_requested" | "user.deletion_withdrawn") {
                    self.keys.clear();
                }
            }
            // What nobody can read may have changed anybody.
            Err(_) => {
                self.people.clear();
                self.keys.clear();
                self.foreign.clear();
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
        let now = self.hears()?;
        if self.ended_ref().contains_key(&session.id) {
            return Ok(None);
        }
        let person =
            self.people.get(session.user, now, oldest, self.rules.room, || self.users.principal(session.user)).await?;
        match (session.impersonator, person) {
            (Some(by), Some(person)) => self.acted(by, person, now, oldest).await,
            (_, person) => Ok(person),
        }
    }

    /// A person as an operator acts as them; `None` when the operator may not any more, or is not signed in themselves.
    async fn acted(
        &self,
        by: Impersonator,
        person: Principal,
        now: Timestamp,
        oldest: Duration,
    ) -> Result<Option<Principal>> {
        if self.ended_ref().contains_key(&by.session) {
            return Ok(None);
        }
        let operator = self.people.get(by.user, now, oldest, self.rules.room, || self.users.principal(by.user)).await?;
        let operator = operator.filter(Principal::may::<Impersonate>);
        Ok(operator.map(|operator| person.impersonated(&operator)))
    }

    /// Who a person is now, by whatever right somebody acts for them; `None` when they are gone.
    ///
    /// # Errors
    /// Those of [`Known::who`].
    pub async fn person(&self, user: UserId) -> Result<Option<Principal>> {
        let now = self.hears()?;
        self.people.get(user, now, self.rules.keep, self.rules.room, || self.users.principal(user)).await
    }

    /// An API key as it is now; `None` when it was deleted.
    ///
    /// # Errors
    /// Those of [`Known::who`].
    pub async fn key(&self, id: ApiKeyId) -> Result<Option<HeldKey>> {
        let now = self.hears()?;
        self.keys.get(id, now, self.rules.keep, self.rules.room, || self.api_keys.held(id)).await
    }

    /// Whose account somebody elsewhere is linked to, by a digest of who they are there, as `read` finds it.
    ///
    /// # Errors
    /// Those of [`Known::who`] and of `read`.
    pub(super) async fn foreign<F: Future<Output = Result<Option<UserId>>>>(
        &self,
        key: [u8; 32],
        read: impl FnOnce() -> F,
    ) -> Result<Option<UserId>> {
        let now = self.hears()?;
        self.foreign.get(key, now, self.rules.keep, self.rules.room, read).await
    }

    /// The present moment, at which something was heard of the log not long ago.
    fn hears(&self) -> Result<Timestamp> {
        let now = self.clock.now();
        if self.is_deaf(now) {
            let source = "nothing was heard of the log for too long".into();
            return Err(Error::Unavailable { what: "Sign-in", source });
        }
        Ok(now)
    }

    fn ended_ref(&self) -> RwLockReadGuard<'_, HashMap<SessionId, Timestamp>> {
        self.ended.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn ended_mut(&self) -> RwLockWriteGuard<'_, HashMap<SessionId, Timestamp>> {
        self.ended.write().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicU32;

    use async_trait::async_trait;

    use super::*;
    use crate::{
        Shop,
        access::change_role,
        bus::{Bus, Fanout, Heard, Subscription},
        cache::{InvalidatingStore, NoCache},
        idempotency::Once,
        identity::{Email, Profile, RoleChange, open_seller, ports::Account, revoke_session},
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

        async fn deletion(&self, id: UserId) -> Result<Option<Timestamp>> {
            self.store.deletion(id).await
        }

        async fn account(&self, email: &Email) -> Result<Option<Account>> {
            self.store.account(email).await
        }

        async fn hash_from(&self, address: &str) -> Result<Option<String>> {
            self.store.hash_from(address).await
        }

        async fn own_account(&self, id: UserId) -> Result<Option<Account>> {
            self.store.own_account(id).await
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

        async fn find(&self, id: SessionId) -> Result<Option<super::super::StoredSession>> {
            SessionQueries::find(&self.store, id).await
        }

        async fn ended(&self, now: Timestamp) -> Result<Vec<(SessionId, Timestamp)>> {
            self.store.ended(now).await
        }

        async fn purge(&self, before: Timestamp, limit: u32) -> Result<u64> {
            SessionQueries::purge(&self.store, before, limit).await
        }
    }

    fn known_by(counted: &Arc<Counted>, clock: Arc<dyn Clock>, rules: KnownRules) -> Known {
        let all = || Arc::<Counted>::clone(counted);
        Known::new(all(), all(), Arc::new(counted.store.clone()), clock, rules)
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
        let known = Arc::new(known_by(&counted, clock, rules));
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
            (person, Session { id: stored.id, user: stored.user, until: stored.tokens_until, impersonator: None })
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
        change_role(&node.shop, &email, RoleChange::Grant, Role::Admin.name()).await.unwrap();
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
            known_by(&node.counted, clock, KnownRules::default())
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
            let (young, old) = node.known.people.sizes();
            assert!(young <= 4 && old <= 4);
        }
        assert_eq!(node.asked(), 20);
    }
}
