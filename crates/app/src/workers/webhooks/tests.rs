//! The loop over the store in memory, with a real clock: what it sends, to whom, and what it leaves when it ends.

mod schedule;

use std::{
    collections::BTreeMap,
    sync::{
        Mutex,
        atomic::{AtomicU32, Ordering},
    },
};

use async_trait::async_trait;
use domain::{
    Rules,
    clock::Entropy,
    id::{EndpointId, UserId, WebhookMessageId},
    identity::Verification,
    page::{Limit, PageRequest},
    testing::{PlainSealer, PlainSigner, Postbox, memory::MemoryStore},
    webhooks::{
        Algorithm, Answered, Endpoint, EventType, Fault, Filter, Form, MessageState, NewMessage, Off, Order, Outcome,
        Owner, Signer as _, StoredSecret,
        ports::{MessageFilter, Parcel, WebhookQueries},
        seal_context,
    },
};
use platform::{LocalBus, SystemClock, SystemEntropy};
use tokio::{sync::Notify, task::JoinSet};

use super::*;

/// How long anything may take that is waited for.
const PATIENCE: Duration = Duration::from_secs(20);

/// What answers, by what its address ends with.
#[derive(Default)]
struct Receivers {
    got: Mutex<BTreeMap<String, Vec<String>>>,
    now: AtomicU32,
    most: AtomicU32,
    released: Notify,
}

#[async_trait]
impl Courier for Receivers {
    async fn send(&self, parcel: Parcel<'_>) -> Outcome {
        assert!(!parcel.signature.is_empty());
        let tries = {
            let mut got = self.got.lock().unwrap();
            let of = got.entry(parcel.url.to_owned()).or_default();
            of.push(parcel.body.to_owned());
            of.iter().filter(|body| *body == parcel.body).count()
        };
        let answer = |status| Outcome::Answered(Answered { status, ..Answered::default() });
        match parcel.url.rsplit('/').next().unwrap() {
            "gone" => answer(410),
            "fails" => answer(500),
            "hangs" => {
                let now = self.now.fetch_add(1, Ordering::SeqCst) + 1;
                self.most.fetch_max(now, Ordering::SeqCst);
                self.released.notified().await;
                answer(200)
            }
            "later" if tries == 1 => {
                Outcome::Answered(Answered { status: 429, retry_after: Some(Duration::ZERO), ..Answered::default() })
            }
            _ => answer(204),
        }
    }
}

/// Chance that breaks down when it is asked for the jitter of a pause, as often as it is told to.
struct Frail(AtomicU32);

impl Entropy for Frail {
    fn fill(&self, bytes: &mut [u8]) {
        let broken = bytes.len() == 1
            && self.0.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok();
        assert!(!broken, "it breaks down, as it is to");
        SystemEntropy.fill(bytes);
    }
}

struct House {
    store: MemoryStore,
    receivers: Arc<Receivers>,
    shop: Shop,
    /// After failing for so long an endpoint is switched off.
    endured: Duration,
    bus: Arc<LocalBus>,
    workers: JoinSet<Result<()>>,
    stop: CancellationToken,
}

impl House {
    fn new() -> Self {
        let store = MemoryStore::new();
        let shop = Shop {
            store: Arc::new(store.clone()),
            clock: Arc::new(SystemClock),
            entropy: Arc::new(SystemEntropy),
            meter: Arc::new(()),
            rules: Rules::default(),
        };
        let (receivers, bus) = (Arc::default(), Arc::default());
        let endured = Duration::from_hours(1);
        Self { store, receivers, shop, endured, bus, workers: JoinSet::new(), stop: CancellationToken::new() }
    }

    fn start(&mut self) {
        let courier: Arc<Receivers> = Arc::clone(&self.receivers);
        let dispatcher = Dispatcher {
            dispatch: Arc::new(self.store.clone()),
            courier,
            keyring: Keyring { sealer: Arc::new(PlainSealer), signer: Arc::new(PlainSigner) },
            room: Postbox::room(Verification::Off),
            shop: self.shop.clone(),
            bus: self.bus.clone(),
            at_once: 8,
            endpoint_at_once: 4,
            endured: self.endured,
            lease: Duration::from_millis(600),
            drain: Duration::from_millis(50),
        };
        self.workers.spawn(dispatch_worker(dispatcher, self.stop.clone()));
    }

    async fn stop(&mut self) {
        self.stop.cancel();
        while let Some(ended) = self.workers.join_next().await {
            ended.unwrap().unwrap();
        }
    }

    async fn endpoint(&self, name: &str) -> EndpointId {
        self.endpoint_of(name, self.shop.id()).await
    }

    /// An endpoint of the shop that this person made.
    async fn endpoint_of(&self, name: &str, made_by: UserId) -> EndpointId {
        let (id, now) = (self.shop.id::<EndpointId>(), self.shop.now());
        let endpoint = Endpoint {
            id,
            owner: Owner::Shop,
            made_by,
            url: format!("https://example.com/{name}"),
            description: String::new(),
            types: Vec::new(),
            filter: Filter::default(),
            form: Form::Full,
            order: Order::None,
            per_minute: None,
            off: None,
            failing_since: None,
            circuit_until: None,
            created_at: now,
            updated_at: now,
        };
        let text = PlainSigner.draw(Algorithm::Hmac, &SystemEntropy);
        let sealed = domain::secrets::Sealer::seal(&PlainSealer, &seal_context(id), text.expose().as_bytes()).unwrap();
        let secret = StoredSecret { number: 1, algorithm: Algorithm::Hmac, sealed, created_at: now, expires_at: None };
        let mut tx = self.shop.store.begin().await.unwrap();
        tx.webhooks().insert(&endpoint, &secret).await.unwrap();
        tx.commit().await.unwrap();
        id
    }

    async fn tell(&self, to: EndpointId, count: u64) -> Vec<WebhookMessageId> {
        let messages: Vec<_> = (0..count)
            .map(|seq| NewMessage {
                id: self.shop.id(),
                endpoint: to,
                event: None,
                seq,
                kind: EventType::Test,
                key: None,
                body: format!("{{\"seq\":{seq}}}"),
                created_at: self.shop.now(),
            })
            .collect();
        let from = self.store.cursor().await.unwrap();
        assert!(self.store.fan_out(from, from + 1, &messages).await.unwrap());
        self.bus.publish(QUEUED, b"");
        messages.into_iter().map(|one| one.id).collect()
    }

    async fn count(&self, of: EndpointId, state: MessageState) -> u64 {
        let page = PageRequest { page: 1, limit: Limit::new(1).unwrap() };
        let filter = MessageFilter { state: Some(state), kind: None };
        self.store.messages(of, filter, page).await.unwrap().total
    }

    /// Waits until so many messages of an endpoint are in a state.
    async fn until(&self, of: EndpointId, state: MessageState, count: u64) {
        let there = async {
            while self.count(of, state).await != count {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(PATIENCE, there).await.unwrap_or_else(|_| panic!("{count} are not {}", state.name()));
    }

    fn got(&self, name: &str) -> usize {
        self.receivers.got.lock().unwrap().get(&format!("https://example.com/{name}")).map_or(0, Vec::len)
    }
}

#[tokio::test]
async fn an_attempt_that_breaks_off_gives_its_place_and_its_message_back() {
    let mut house = House::new();
    let well = house.endpoint("well").await;
    house.tell(well, 12).await;
    // More than there are places.
    house.shop.entropy = Arc::new(Frail(AtomicU32::new(6)));
    house.start();
    house.until(well, MessageState::Delivered, 6).await;
    house.until(well, MessageState::Waiting, 6).await;
    let page = PageRequest { page: 1, limit: Limit::new(50).unwrap() };
    let filter = MessageFilter { state: Some(MessageState::Waiting), kind: None };
    for message in house.store.messages(well, filter, page).await.unwrap().items {
        let attempts = house.store.attempts(message.id, page).await.unwrap().items;
        assert_eq!(attempts.iter().map(|one| one.fault).collect::<Vec<_>>(), [Some(Fault::Unsendable)]);
    }
    house.stop().await;
}

#[tokio::test]
async fn who_hangs_fails_or_is_gone_holds_up_nobody() {
    let mut house = House::new();
    let (hangs, fails, gone) =
        (house.endpoint("hangs").await, house.endpoint("fails").await, house.endpoint("gone").await);
    let well = house.endpoint("well").await;
    for (endpoint, count) in [(hangs, 20), (fails, 20), (gone, 1)] {
        house.tell(endpoint, count).await;
    }
    house.start();
    house.until(gone, MessageState::Failed, 1).await;
    let sent = house.tell(well, 100).await;
    house.until(well, MessageState::Delivered, 100).await;
    assert_eq!(house.got("well"), sent.len(), "each once");
    assert!(house.receivers.most.load(Ordering::SeqCst) <= 4, "at once to one endpoint");
    assert_eq!(house.count(hangs, MessageState::Delivered).await, 0);
    let stored = WebhookQueries::get(&house.store, gone).await.unwrap().unwrap();
    assert_eq!(stored.off, Some(Off::Gone));
    let stored = WebhookQueries::get(&house.store, well).await.unwrap().unwrap();
    assert_eq!((stored.off, stored.failing_since, stored.circuit_until), (None, None, None));
    house.stop().await;
    assert_eq!(house.count(hangs, MessageState::Sending).await, 0, "what did not end is given back");
    assert_eq!(house.count(hangs, MessageState::Waiting).await, 20);
}

#[tokio::test]
async fn what_fails_most_of_the_time_is_left_alone_and_the_rest_waits() {
    let mut house = House::new();
    let fails = house.endpoint("fails").await;
    house.tell(fails, 60).await;
    house.start();
    let opened = async {
        while WebhookQueries::get(&house.store, fails).await.unwrap().unwrap().circuit_until.is_none() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(PATIENCE, opened).await.unwrap();
    house.until(fails, MessageState::Sending, 0).await;
    let calls = house.got("fails");
    assert!((10..30).contains(&calls), "{calls} calls");
    house.stop().await;
    assert_eq!(house.count(fails, MessageState::Waiting).await, 60, "nothing is given up for that");
}

#[tokio::test]
async fn who_asks_for_rest_is_left_alone_and_gets_it_later() {
    let mut house = House::new();
    let later = house.endpoint("later").await;
    house.tell(later, 1).await;
    house.start();
    let seen = async {
        while house.got("later") < 1 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(PATIENCE, seen).await.unwrap();
    house.until(later, MessageState::Sending, 0).await;
    let page = PageRequest { page: 1, limit: Limit::new(1).unwrap() };
    let stored = house.store.messages(later, MessageFilter::default(), page).await.unwrap().items.remove(0);
    assert_eq!(stored.attempts, 1);
    let attempts = house.store.attempts(stored.id, page).await.unwrap();
    assert_eq!(attempts.items[0].status, Some(429));
    house.stop().await;
}
