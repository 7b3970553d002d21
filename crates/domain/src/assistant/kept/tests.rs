//! Answers that are kept, from the question to the row in the ledger.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use serde_json::{Map, Value, json};

use super::*;
use crate::{
    Actor, Principal,
    assistant::{
        Assistant, CallKind, CallState, Denied, Deployment, Model, Models, ToolCall,
        terms::{Standing, Terms},
    },
    id::ApiKeyId,
    permission::{Authorized, Role, UseAssistant},
    testing::{Fixtures, PlainAnswers, PlainLedger, PlainModel, PlainSealer, Turnstile, memory::MemoryStore},
};

const DAY: Duration = Duration::from_hours(24);
const USED: Usage = Usage { prompt: 4, completion: 2, cached: 1, reasoning: 0 };

struct Given {
    fixtures: Fixtures,
    store: MemoryStore,
    answers: Arc<PlainAnswers>,
    ledger: Arc<PlainLedger>,
    assistant: Assistant,
    ada: Principal,
}

fn model(deployment: &str) -> Model {
    let model = PlainModel::new([]);
    Model {
        name: "small".to_owned(),
        deployments: vec![Deployment { name: deployment.to_owned(), model }],
        when_too_long: None,
        when_withheld: None,
        window: 1000,
        max_output: 100,
        limits: Vec::new(),
        counts: None,
    }
}

fn models(deployment: &str) -> Arc<Models> {
    let chat = BTreeMap::from([("small".to_owned(), model(deployment))]);
    Arc::new(Models { chat, embeddings: BTreeMap::new() })
}

fn body(text: &str) -> Map<String, Value> {
    let body = json!({ "model": "small", "messages": [{ "role": "user", "content": text }], "seed": 7 });
    body.as_object().cloned().unwrap()
}

impl Given {
    async fn of(when: KeepWhen) -> Self {
        let (fixtures, store) = Fixtures::in_memory();
        let (answers, ledger) = (Arc::<PlainAnswers>::default(), PlainLedger::new(Arc::new(store.clone())));
        let (place, sealer) = (answers.clone(), Arc::new(PlainSealer));
        let kept = KeptAnswers { store: place, sealer, when, fresh: DAY, longest: 100 };
        let assistant = Assistant {
            models: models("near/small"),
            terms: Arc::new(Standing::new(Terms::default())),
            ledger: ledger.clone(),
            limiter: Arc::new(Turnstile::with(&[])),
            again_after: None,
            kept: Some(kept),
        };
        let ada = fixtures.person(Role::User).await;
        Self { fixtures, store, answers, ledger, assistant, ada }
    }

    async fn look_by(&self, by: &Principal, text: &str, wishes: Wishes) -> Result<Looked, Denied> {
        let auth: Authorized<UseAssistant> = Actor::Signed(by.clone()).authorize().unwrap();
        let body = body(text);
        let question = Question { kind: CallKind::Chat, model: "small", body: &body };
        look(&self.assistant, &self.fixtures.shop, &auth, "r-1", question, wishes, true).await
    }

    async fn look(&self, text: &str, wishes: Wishes) -> Result<Looked, Denied> {
        self.look_by(&self.ada, text, wishes).await
    }

    /// Looks, and keeps an answer where there is none.
    async fn ask(&self, text: &str, wishes: Wishes) -> &'static str {
        match self.look(text, wishes).await.unwrap() {
            Looked::Off => "off",
            Looked::Hit { answer, .. } => {
                assert_eq!((&answer.body[..], answer.usage), (&b"Hello\n\nyou"[..], USED));
                "hit"
            }
            Looked::Ask { passed, keeping } => {
                if let Some(keeping) = keeping {
                    assert!(keeping.keep(USED, Bytes::from("Hello\n\nyou")).await);
                }
                match passed {
                    Passed::Bypass => "bypass",
                    Passed::Miss => "miss",
                    Passed::Request => "request",
                }
            }
        }
    }
}

const fn seconds(number: u64) -> Duration {
    Duration::from_secs(number)
}

#[tokio::test]
async fn what_was_answered_is_given_again_at_no_cost_and_written_down() {
    let given = Given::of(KeepWhen::Always).await;
    assert_eq!(given.ask("Hello?", Wishes::default()).await, "miss");
    assert_eq!(given.ask("Hello?", Wishes::default()).await, "hit");
    assert_eq!(given.ask("Hello!", Wishes::default()).await, "miss", "another question");
    given.ledger.flush().await.unwrap();
    let rows: Vec<_> = given.store.books().calls.into_values().collect();
    let [row] = &rows[..] else { panic!("one row: {rows:?}") };
    let settled = row.settled.as_ref().unwrap();
    assert_eq!((row.state, settled.usage, settled.cost), (CallState::Cached, USED, Some(0)));
    assert_eq!((row.call.deployment.as_str(), row.call.user, &*row.call.request), (DEPLOYMENT, given.ada.user, "r-1"));
    assert_eq!(settled.spent(), crate::assistant::Spent::default(), "no budget counts it");
}

#[tokio::test]
async fn nobody_is_given_what_another_was_told() {
    let given = Given::of(KeepWhen::Always).await;
    given.ask("Hello?", Wishes::default()).await;
    let bob = given.fixtures.person(Role::User).await;
    let key = Principal { key: Some(ApiKeyId(uuid::Uuid::from_u128(7))), ..given.ada.clone() };
    for by in [&bob, &key] {
        let looked = given.look_by(by, "Hello?", Wishes::default()).await.unwrap();
        assert!(matches!(looked, Looked::Ask { passed: Passed::Miss, .. }), "{looked:?}");
    }
    let narrow = Principal { models: Some(vec!["large".to_owned()]), ..given.ada.clone() };
    let looked = given.look_by(&narrow, "Hello?", Wishes::default()).await.unwrap();
    assert!(
        matches!(looked, Looked::Ask { passed: Passed::Bypass, keeping: None }),
        "a key for other models: {looked:?}"
    );
    assert_eq!(given.ask("Hello?", Wishes::default()).await, "hit");
}

#[tokio::test]
async fn with_others_behind_its_name_a_model_is_another() {
    let mut given = Given::of(KeepWhen::Always).await;
    given.ask("Hello?", Wishes::default()).await;
    given.assistant.models = models("far/small");
    assert_eq!(given.ask("Hello?", Wishes::default()).await, "miss");
}

#[tokio::test]
async fn a_caller_says_what_they_want_of_it() {
    let given = Given::of(KeepWhen::Always).await;
    let wish = |change: fn(&mut Wishes)| {
        let mut wishes = Wishes::default();
        change(&mut wishes);
        wishes
    };
    assert_eq!(given.ask("Hello?", wish(|wishes| wishes.no_store = true)).await, "miss");
    assert_eq!(given.answers.count(), 0, "nothing of it is kept");
    let only = wish(|wishes| wishes.only_if_cached = true);
    assert!(matches!(given.look("Hello?", only).await, Err(Denied::NotKept)));
    given.ask("Hello?", Wishes::default()).await;
    assert_eq!(given.ask("Hello?", only).await, "hit");
    assert_eq!(given.ask("Hello?", wish(|wishes| wishes.no_cache = true)).await, "request");
    given.fixtures.clock.advance(Duration::from_secs(100));
    assert_eq!(given.ask("Hello?", wish(|wishes| wishes.max_age = Some(seconds(100)))).await, "hit");
    let day_less = wish(|wishes| wishes.min_fresh = Some(seconds(24 * 3600 - 100)));
    assert_eq!(given.ask("Hello?", day_less).await, "hit");
    given.fixtures.clock.advance(Duration::from_secs(1));
    assert_eq!(given.ask("Hello?", day_less).await, "request");
    // It was made anew by that.
    assert_eq!(given.ask("Hello?", day_less).await, "hit");
    given.fixtures.clock.advance(Duration::from_secs(1));
    assert_eq!(given.ask("Hello?", wish(|wishes| wishes.max_age = Some(seconds(0)))).await, "request");
    given.fixtures.clock.advance(DAY);
    assert_eq!(given.ask("Hello?", Wishes::default()).await, "miss", "it was over");
}

#[tokio::test]
async fn where_they_are_kept_when_asked_who_asks_says_how_old_one_may_be() {
    let mut given = Given::of(KeepWhen::Asked).await;
    assert_eq!(given.ask("Hello?", Wishes::default()).await, "bypass");
    assert_eq!(given.answers.count(), 0);
    let wishes = Wishes { max_age: Some(seconds(60)), ..Wishes::default() };
    assert_eq!((given.ask("Hello?", wishes).await, given.ask("Hello?", wishes).await), ("miss", "hit"));
    given.assistant.kept = None;
    assert_eq!(given.ask("Hello?", wishes).await, "off");
    assert!(matches!(given.look("Hello?", Wishes { only_if_cached: true, ..wishes }).await, Err(Denied::NotKept)));
}

#[tokio::test]
async fn what_is_kept_is_sealed_for_its_person_and_short_enough() {
    let given = Given::of(KeepWhen::Always).await;
    let Looked::Ask { keeping: Some(keeping), .. } = given.look("Hello?", Wishes::default()).await.unwrap() else {
        panic!("nothing is kept yet")
    };
    assert!(!keeping.keep(USED, Bytes::from(vec![b'x'; 101])).await, "it is too long");
    assert!(keeping.keep(USED, Bytes::from("my secret")).await);
    let lying = given.answers.bytes();
    let context = format!("answer/{}", given.ada.user.0.simple());
    let opened = PlainSealer.open(&context, &lying[0]).unwrap();
    assert!(opened.ends_with(b"my secret") && PlainSealer.open("answer/another", &lying[0]).is_err());
    assert!(!format!("{keeping:?} {:?}", KeptAnswer::read(opened)).contains("my secret"));
}

#[tokio::test]
async fn who_was_deleted_has_nothing_kept() {
    let given = Given::of(KeepWhen::Always).await;
    given.ask("Hello?", Wishes::default()).await;
    let kept = given.assistant.kept.clone().unwrap();
    ForgetAnswers { user: given.ada.user }.run(&kept).await.unwrap();
    assert_eq!(given.answers.count(), 0);
    given.ask("Hello?", Wishes::default()).await;
    assert_eq!(given.answers.count(), 0, "nor what was on its way");
}

#[test]
fn only_what_is_whole_is_kept() {
    let wants = |arguments: &str| ChatReply {
        text: String::new(),
        reasoning: String::new(),
        tool_calls: vec![ToolCall { name: "f".to_owned(), arguments: arguments.to_owned(), ..ToolCall::default() }],
        finish: Finish::Tools,
        usage: None,
    };
    assert!(is_whole(&wants("{\"q\":1}")) && is_whole(&wants("")));
    assert!(!is_whole(&wants("{\"q\":")) && !is_whole(&wants("[1]")));
    for (finish, whole) in [(Finish::Stop, true), (Finish::Length, false), (Finish::Filtered, false)] {
        assert_eq!(is_whole(&ChatReply { finish, ..wants("{}") }), whole, "{finish:?}");
    }
}

#[tokio::test]
async fn it_keeps_the_contract() {
    crate::testing::contract::answers::run(&PlainAnswers::default()).await;
}
