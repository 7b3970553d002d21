//! An application with a shop of its own, and answers that are easy to look at.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use actix_http::Response;
use actix_web::{
    body::{BoxBody, MessageBody as _, to_bytes},
    http::header::HeaderMap,
    test::{self, TestRequest},
    web::Bytes,
};
use async_trait::async_trait;
use domain::{
    Principal, Shop,
    assets::{
        Quotas, Storeroom,
        files::{Library, Links},
        image::Gallery,
        models::{Tariff, Workshop},
        uploads::Finisher,
    },
    assistant::{
        Assistant, Deployment, Model,
        batches::BatchRules,
        conversation::{TalkRules, Talks, WindowRules},
        prompts::Prompts,
        terms::{Provider, Settings},
        tools::Toolbox,
    },
    bus::{Bus, Fanout, Subscription},
    cache::{InvalidatingStore, NoCache},
    catalog::{ReindexProducts, queries::ProductView, similar::Finder},
    clock::Timestamp,
    health::Probe,
    id::{ApiKeyId, FileId, RoomId, SessionId},
    identity::{
        FRESH, Factors, Known, Passkeys, SessionRules, Sessions, StoredSession, Verification,
        exports::Archives,
        known::{Herald, KnownRules},
    },
    inbound::Sources,
    job::Request,
    limit::{Decision, Policy, RateLimiter, Subject},
    money::Currency,
    permission::Role,
    retention::PurgeShop,
    room::{Change, Crowd, Moved, NodeId, Presence, Renewed},
    schedule::{CatchUp, Cron, Entry},
    testing::{
        Fixtures, MemoryBlobs, PlainAddresses, PlainAnalysis, PlainCeremonies, PlainCodes, PlainEmbedder, PlainHasher,
        PlainImaging, PlainIssuers, PlainKeys, PlainLedger, PlainMac, PlainModel, PlainProviders, PlainSealer,
        PlainSigner, PlainTemplates, PlainTokens, Postbox, memory::MemoryStore, plain_terms,
    },
    webhooks::{Keyring, WebhookRules},
};
use serde_json::Value;
use souk_api::{
    Access, Assets, Assistance, Chat, DownloadSink, Draining, Floor, Hooks, HttpSettings, Hub, KeyUseSink, Models3d,
    Outside, Proofs, Rooms, Running, Services, Streams, ViewSink, Webhooks, Words,
};

/// Counts calls without ever forgetting them.
#[derive(Default)]
pub struct Counter(Mutex<HashMap<String, u32>>);

#[async_trait]
impl RateLimiter for Counter {
    async fn check(&self, asked: &[(&Policy, Subject)]) -> Vec<Decision> {
        let mut counts = self.0.lock().unwrap();
        let decide = |(policy, subject): &(&Policy, Subject)| {
            let count = counts.entry(format!("{}:{subject}", policy.name)).or_default();
            *count += 1;
            let held = *count > policy.limit && !policy.patience.is_zero();
            Decision {
                allowed: *count <= policy.limit || held,
                wait: if held { policy.patience } else { Duration::ZERO },
                limit: policy.limit,
                remaining: policy.limit.saturating_sub(*count),
                reset: policy.window,
                retry_after: if *count <= policy.limit { Duration::ZERO } else { Duration::from_millis(1500) },
            }
        };
        asked.iter().map(decide).collect()
    }
}

/// A bus that nobody listens to.
struct Silent;

#[async_trait]
impl Bus for Silent {
    fn publish(&self, _: &str, _: &[u8]) {}
    async fn subscribe(&self, topics: &[&str]) -> Subscription {
        Fanout::default().subscribe(topics)
    }
}

/// A presence of nobody.
struct Nobody;

#[async_trait]
impl Presence for Nobody {
    async fn update(&self, _: NodeId, _: &[Change]) -> domain::Result<Vec<Moved>> {
        Ok(Vec::new())
    }
    async fn renew(&self, _: NodeId, _: Timestamp) -> domain::Result<Renewed> {
        Ok(Renewed::Held)
    }
    async fn sweep(&self, _: Timestamp) -> domain::Result<Vec<Moved>> {
        Ok(Vec::new())
    }
    async fn crowd(&self, _: RoomId, _: u32) -> domain::Result<Crowd> {
        Ok(Crowd::default())
    }
}

/// Keeps what was seen.
#[derive(Default)]
pub struct Seen(pub Mutex<Vec<ProductView>>, pub Mutex<Vec<ApiKeyId>>, pub Mutex<Vec<FileId>>);

impl ViewSink for Seen {
    fn seen(&self, view: ProductView) {
        self.0.lock().unwrap().push(view);
    }
}

impl KeyUseSink for Seen {
    fn used(&self, key: ApiKeyId, _: Timestamp) {
        self.1.lock().unwrap().push(key);
    }
}

impl DownloadSink for Seen {
    fn taken(&self, file: FileId) {
        self.2.lock().unwrap().push(file);
    }
}

struct Part(&'static str, bool, bool);

#[async_trait]
impl Probe for Part {
    fn name(&self) -> &'static str {
        self.0
    }
    fn required(&self) -> bool {
        self.1
    }
    async fn check(&self) -> bool {
        self.2
    }
}

/// An entry that is on, and one that is off.
fn entries() -> Arc<[Entry]> {
    let cron = Cron::new("30 2 * * *", "Europe/Berlin").unwrap();
    let step = Request::of(&ReindexProducts::default());
    Arc::from([
        Entry { name: "purge", cron: Some(cron), catch_up: CatchUp::Once, job: Request::of(&PurgeShop {}) },
        Entry { name: "reindex", cron: None, catch_up: CatchUp::Skip, job: step },
    ])
}

/// Who callers are by this store, just heard of.
pub fn knowing(store: Arc<MemoryStore>, shop: &Shop) -> Arc<Known> {
    let known = Known::new(store.clone(), store.clone(), store, shop.clock.clone(), KnownRules::default());
    known.heard(shop.now());
    Arc::new(known)
}

/// A shop with its application.
pub struct Door {
    pub fixtures: Fixtures,
    pub services: Arc<Services>,
    pub store: MemoryStore,
    pub seen: Arc<Seen>,
    pub providers: Arc<PlainProviders>,
}

/// Webhooks of the store in memory.
fn webhooks(reader: &Arc<MemoryStore>, fixtures: &Fixtures) -> Webhooks {
    Webhooks {
        queries: reader.clone(),
        keyring: Keyring { sealer: Arc::new(PlainSealer), signer: Arc::new(PlainSigner) },
        wording: Arc::new(Words { currency: fixtures.shop.rules.currency }),
        addresses: Arc::new(PlainAddresses),
        rules: WebhookRules { most: 3, ..WebhookRules::default() },
    }
}

/// An assistant without models.
fn assistance(reader: &Arc<MemoryStore>) -> Assistance {
    let keys = Arc::<PlainKeys>::default();
    let provider = Provider {
        name: "near".to_owned(),
        protocol: "compatible",
        url: "http://near.example/v1".to_owned(),
        has_key: true,
    };
    let settings = Settings { providers: vec![provider], ..Settings::default() };
    let terms = plain_terms(reader.clone(), settings, keys);
    let assistant = Assistant {
        models: Arc::default(),
        terms: Arc::clone(&terms.standing),
        ledger: PlainLedger::new(reader.clone()),
        limiter: Arc::new(Counter::default()),
        again_after: None,
        kept: None,
    };
    let prompts = Prompts { queries: reader.clone(), templates: Arc::new(PlainTemplates) };
    Assistance {
        assistant,
        body_limit: 64 * 1024,
        terms,
        prompts,
        spending: reader.clone(),
        currency: Currency::EUR,
        batches: reader.clone(),
        batch_rules: BatchRules { file_bytes: 4096, ..BatchRules::default() },
    }
}

/// Conversations of the store in memory, with nobody who answers.
fn chat(reader: &Arc<MemoryStore>) -> Chat {
    let window = WindowRules { tokens: 0, messages: 0, summary: 0 };
    let rules = TalkRules { model: None, system: String::new(), window, memories: 0, tool_rounds: 5 };
    let assistant = assistance(reader).assistant;
    let talks = Talks {
        assistant,
        queries: reader.clone(),
        memories: reader.clone(),
        embedder: Arc::<PlainEmbedder>::default(),
        tools: None,
        rules: Arc::new(rules),
    };
    Chat { talks, running: Arc::<Running>::default() }
}

/// Search by meaning over the store in memory.
fn finder(reader: &Arc<MemoryStore>) -> Finder {
    let embedder = Arc::new(PlainEmbedder::default());
    Finder { index: Arc::default(), embedder, products: reader.clone() }
}

/// Tools over the store in memory.
fn toolbox(reader: &Arc<MemoryStore>, fixtures: &Fixtures) -> Toolbox {
    let (shop, finder) = (fixtures.shop.clone(), finder(reader));
    Toolbox { shop, finder, categories: reader.clone(), mac: Arc::new(PlainMac) }
}

/// A model called `small` for which this one answers.
pub fn small(answers: &Arc<PlainModel>) -> Model {
    Model {
        name: "small".to_owned(),
        deployments: vec![Deployment { name: "plain/small".to_owned(), model: Arc::<PlainModel>::clone(answers) }],
        when_too_long: None,
        when_withheld: None,
        window: 1000,
        max_output: 100,
        limits: Vec::new(),
        counts: None,
    }
}

impl Door {
    pub fn new() -> Self {
        Self::with(|_| {})
    }

    pub fn with(change: impl FnOnce(&mut Services)) -> Self {
        let (mut fixtures, store) = Fixtures::in_memory();
        let (seen, providers) = (Arc::<Seen>::default(), Arc::<PlainProviders>::default());
        let reader = Arc::new(store.clone());
        let known = knowing(reader.clone(), &fixtures.shop);
        let herald = Herald { known: known.clone(), bus: Arc::new(Silent) };
        let heeded = InvalidatingStore::new(reader.clone(), Arc::new(NoCache)).before(Arc::new(herald));
        fixtures.shop.store = Arc::new(heeded);
        let blobs = Arc::new(MemoryBlobs::new(fixtures.clock.clone()));
        let room = Storeroom { blobs, index: reader.clone() };
        let mut services = Services {
            shop: fixtures.shop.clone(),
            users: reader.clone(),
            access: Access {
                roles: reader.clone(),
                people: reader.clone(),
                keys: reader.clone(),
                key_uses: seen.clone(),
                organisations: reader.clone(),
            },
            outside: Outside { gate: providers.gate(), issuers: Arc::new(PlainIssuers), ids: reader.clone() },
            places: reader.clone(),
            mailroom: Postbox::room(Verification::Off),
            hasher: Arc::new(PlainHasher::default()),
            proofs: Proofs {
                factors: Factors {
                    sealer: Arc::new(PlainSealer),
                    mac: Arc::new(PlainMac),
                    codes: Arc::new(PlainCodes),
                    issuer: "Souk".to_owned(),
                    fresh: FRESH,
                },
                ways: reader.clone(),
                passkeys: Passkeys {
                    ceremonies: Some(Arc::new(PlainCeremonies)),
                    sealer: Arc::new(PlainSealer),
                    mac: Arc::new(PlainMac),
                },
                passkey_list: reader.clone(),
            },
            uploads: Finisher {
                workshop: Workshop { room: room.clone(), analysis: Arc::new(PlainAnalysis), most: 1000 },
                uploads: reader.clone(),
                users: reader.clone(),
            },
            models: Models3d {
                queries: reader.clone(),
                workshop: Workshop { room: room.clone(), analysis: Arc::new(PlainAnalysis), most: 1000 },
                tariff: Tariff::default(),
                mark_copies: true,
            },
            webhooks: webhooks(&reader, &fixtures),
            assistant: assistance(&reader),
            chat: chat(&reader),
            exports: Archives { queries: reader.clone(), sealer: Arc::new(PlainSealer) },
            sessions: Sessions {
                tokens: Arc::new(PlainTokens),
                mac: Arc::new(PlainMac),
                rules: SessionRules::default(),
            },
            session_list: reader.clone(),
            known,
            jwks: Arc::new(|| serde_json::json!({ "keys": [{ "kty": "OKP", "kid": "1" }] })),
            products: reader.clone(),
            finder: finder(&reader),
            gallery: Gallery {
                room: Storeroom { blobs: Arc::new(MemoryBlobs::new(fixtures.clock.clone())), index: reader.clone() },
                imaging: Arc::new(PlainImaging::default()),
                queries: reader.clone(),
                quotas: Quotas::default(),
            },
            categories: reader.clone(),
            reviews: reader.clone(),
            assets: Assets {
                room,
                library: Library { queries: reader.clone(), links: Links::new(Arc::new(PlainMac)) },
                libraries: reader.clone(),
                downloads: seen.clone(),
            },
            views: seen.clone(),
            view_log: reader.clone(),
            audit: reader.clone(),
            jobs: reader.clone(),
            hooks: Hooks { sources: Sources::default(), queries: reader.clone() },
            entries: entries(),
            schedules: reader.clone(),
            cache: Arc::new(NoCache),
            streams: Streams { hub: Hub::new(0), feed: reader.clone(), tickets: reader.clone() },
            rooms: Rooms { floor: Floor::new(fixtures.shop.id()), queries: reader.clone(), presence: Arc::new(Nobody) },
            limiter: Arc::new(Counter::default()),
            bus: Arc::new(Silent),
            mac: Arc::new(PlainMac),
            tools: toolbox(&reader, &fixtures),
            draining: Draining::default(),
            probes: vec![Arc::new(Part("database", true, true)), Arc::new(Part("redis", false, false))],
            metrics: Arc::new(|| "# nothing yet\n".to_owned()),
            started: fixtures.shop.now(),
            settings: HttpSettings::default(),
        };
        change(&mut services);
        Self { fixtures, services: Arc::new(services), store, seen, providers }
    }

    /// Sends a request to a fresh application over the same shop.
    pub async fn send(&self, request: TestRequest) -> Reply {
        self.send_all([request]).await.remove(0)
    }

    /// Sends requests to one application, one after the other.
    pub async fn send_all(&self, requests: impl IntoIterator<Item = TestRequest>) -> Vec<Reply> {
        let drawn = souk_api::app::Drawn::of(&self.services);
        let app = test::init_service(souk_api::build(&self.services, &drawn)).await;
        let mut replies = Vec::new();
        for request in requests {
            replies.push(Reply::of(test::call_service(&app, request.to_request()).await).await);
        }
        replies
    }

    /// One application for many requests: to make it takes longer than most of them.
    pub async fn open(&self) -> impl AsyncFn(TestRequest) -> Reply + use<> {
        let drawn = souk_api::app::Drawn::of(&self.services);
        let app = test::init_service(souk_api::build(&self.services, &drawn)).await;
        async move |request: TestRequest| Reply::of(test::call_service(&app, request.to_request()).await).await
    }

    pub async fn get(&self, path: &str) -> Reply {
        self.send(TestRequest::get().uri(path)).await
    }

    pub async fn post(&self, path: &str, by: &Principal, body: &Value) -> Reply {
        self.send(TestRequest::post().uri(path).insert_header(self.bearer(by)).set_json(body)).await
    }

    /// The header that signs a request.
    pub fn bearer(&self, by: &Principal) -> (&'static str, String) {
        let ends = self.fixtures.shop.now() + Duration::from_mins(5);
        ("Authorization", format!("Bearer plain.{}.{}", by.user, ends.timestamp_micros()))
    }

    pub async fn seller(&self) -> Principal {
        self.signed_in(self.fixtures.seller().await).await
    }

    pub async fn person(&self, role: Role) -> Principal {
        self.signed_in(self.fixtures.person(role).await).await
    }

    /// The same person with the session that [`Door::bearer`] means, begun just now.
    pub async fn signed_in(&self, person: Principal) -> Principal {
        let session = StoredSession { id: SessionId(person.user.0), ..self.fixtures.session(person.user) };
        let mut tx = self.fixtures.tx().await;
        assert!(tx.sessions().insert(&session, None).await.unwrap());
        tx.commit().await.unwrap();
        person
    }
}

/// An answer.
#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    pub headers: HeaderMap,
    pub text: String,
}

impl Reply {
    pub async fn of(response: impl Into<Response<BoxBody>>) -> Self {
        let (head, body) = response.into().into_parts();
        let bytes = match body.try_into_bytes() {
            Ok(bytes) => bytes,
            // What is sent piece by piece has an end when its length was said; live streams have none.
            Err(body) if head.headers().contains_key("content-length") => to_bytes(body).await.unwrap_or_default(),
            Err(_) => Bytes::new(),
        };
        Self {
            status: head.status().as_u16(),
            headers: head.headers().clone(),
            text: String::from_utf8_lossy(&bytes).into_owned(),
        }
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap()
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    pub fn code(&self) -> String {
        self.json()["error"]["code"].as_str().unwrap_or_default().to_owned()
    }

    /// `in field rule` of every broken rule.
    pub fn broken(&self) -> Vec<String> {
        let json = self.json();
        let fields = json["error"]["details"]["fields"].as_array().cloned().unwrap_or_default();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        fields.iter().map(|f| format!("{} {} {}", text(&f["in"]), text(&f["field"]), text(&f["rule"]))).collect()
    }
}
