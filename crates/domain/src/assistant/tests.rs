//! Calls of models, from their row in the ledger to its end.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

mod turning_away;

use super::{
    terms::{Standing, Terms},
    *,
};
use crate::{
    Actor,
    clock::Timestamp,
    error::Error,
    limit::{Decision, Policy, RateLimiter, Subject},
    permission::{Authorized, Role, UseAssistant},
    testing::{
        Fixtures, PlainCounter, PlainLedger, PlainModel, PlainVectors, Script,
        memory::{MemoryStore, StoredCall},
    },
};

/// Allows so many calls of each.
struct Few(u32, std::sync::Mutex<BTreeMap<String, u32>>);

#[async_trait::async_trait]
impl RateLimiter for Few {
    async fn check(&self, asked: &[(&Policy, Subject)]) -> Vec<Decision> {
        let mut counts = self.1.lock().unwrap();
        let decide = |(policy, subject): &(&Policy, Subject)| {
            let count = counts.entry(format!("{} {subject}", policy.name)).or_default();
            *count += 1;
            let second = Duration::from_secs(1);
            Decision {
                allowed: *count <= self.0,
                wait: Duration::ZERO,
                limit: self.0,
                remaining: 0,
                reset: second,
                retry_after: second,
            }
        };
        asked.iter().map(decide).collect()
    }
}

struct Given {
    fixtures: Fixtures,
    store: MemoryStore,
    ledger: Arc<PlainLedger>,
    assistant: Assistant,
    auth: Authorized<UseAssistant>,
}

const USED: Usage = Usage { prompt: 4, completion: 2, cached: 0, reasoning: 0 };

impl Given {
    async fn of(models: &[(&str, &[&Arc<PlainModel>])]) -> Self {
        let (fixtures, store) = Fixtures::in_memory();
        let ledger = PlainLedger::new(Arc::new(store.clone()));
        let model = |(name, behind): &(&str, &[&Arc<PlainModel>])| {
            let deployments = behind
                .iter()
                .enumerate()
                .map(|(n, model)| Deployment { name: format!("p{n}/{name}"), model: Arc::<PlainModel>::clone(model) });
            let model = Model {
                name: (*name).to_owned(),
                deployments: deployments.collect(),
                when_too_long: (*name == "small").then(|| "large".to_owned()),
                when_withheld: (*name == "small").then(|| "large".to_owned()),
                window: if *name == "small" { 1_000 } else { 100_000 },
                max_output: 100,
                limits: Vec::new(),
                counts: None,
            };
            (model.name.clone(), model)
        };
        let embedder = Embedding {
            name: "vectors".to_owned(),
            deployment: "p0/vectors".to_owned(),
            embedder: Arc::new(PlainVectors),
            window: 100,
            counts: None,
        };
        let price = |deployment: &str| Price {
            deployment: deployment.to_owned(),
            from: Timestamp::UNIX_EPOCH,
            until: None,
            input: 1_000_000,
            cached: 500_000,
            output: 2_000_000,
            reasoning: 2_000_000,
        };
        let prices = ["p0/small", "p1/small", "p0/vectors"].map(price).to_vec();
        let embeddings = BTreeMap::from([("vectors".to_owned(), embedder)]);
        let chat = models.iter().map(model).collect();
        let assistant = Assistant {
            models: Arc::new(Models { chat, embeddings }),
            terms: Arc::new(Standing::new(Terms { prices: PriceList::new(prices), budgets: Vec::new() })),
            ledger: ledger.clone(),
            limiter: Arc::new(Few(2, std::sync::Mutex::default())),
            again_after: Some(Duration::from_millis(200)),
            kept: None,
        };
        let person = fixtures.person(Role::User).await;
        let auth = Actor::Signed(person).authorize::<UseAssistant>().unwrap();
        Self { fixtures, store, ledger, assistant, auth }
    }

    fn capped(mut self, cost: u64) -> Self {
        let budget = Budget {
            name: "daily".to_owned(),
            by: BudgetBy::User,
            subject: None,
            span: BudgetSpan::Day,
            model: None,
            cost: Some(cost),
            tokens: None,
            calls: None,
        };
        let prices = self.assistant.terms.now().prices.clone();
        self.assistant.terms = Arc::new(Standing::new(Terms { prices, budgets: vec![budget] }));
        self
    }

    /// It is known how all models count: a word is a token.
    fn counting(&mut self) {
        let mut models = (*self.assistant.models).clone();
        models.chat.values_mut().for_each(|model| model.counts = Some(Arc::new(PlainCounter)));
        models.embeddings.values_mut().for_each(|model| model.counts = Some(Arc::new(PlainCounter)));
        self.assistant.models = Arc::new(models);
    }

    async fn ask(&self, model: &str, text: &str) -> Result<Whole, Denied> {
        let request = ChatRequest { messages: vec![Message::text(Role2::User, text)], ..ChatRequest::default() };
        ask(&self.assistant, &self.fixtures.shop, &self.auth, "r-1", model, request).await
    }

    async fn begin(&self, model: &str) -> Answer {
        let request = ChatRequest { messages: vec![Message::text(Role2::User, "hello")], ..ChatRequest::default() };
        stream(&self.assistant, &self.fixtures.shop, &self.auth, "r-1", model, request).await.unwrap()
    }

    /// The rows of the ledger, as `deployment state prompt completion cost fault`. They are sorted: calls of one moment stand there in
    /// any order.
    async fn rows(&self) -> Vec<String> {
        self.ledger.flush().await.unwrap();
        let row = |row: &StoredCall| {
            let (usage, cost, fault) = row
                .settled
                .as_ref()
                .map_or((Usage::default(), None, None), |settled| (settled.usage, settled.cost, settled.fault));
            format!(
                "{} {} {} {} {} {}",
                row.call.deployment,
                row.state.name(),
                usage.prompt,
                usage.completion,
                cost.map_or_else(|| "-".to_owned(), |cost| cost.to_string()),
                fault.unwrap_or("-")
            )
        };
        let mut rows: Vec<_> = self.store.books().calls.values().map(row).collect();
        rows.sort();
        rows
    }
}

use super::Role as Role2;

fn says(text: &'static str, usage: Option<Usage>) -> Arc<PlainModel> {
    PlainModel::new([Script::Says(text, usage)])
}

fn fails(class: FaultClass) -> Script {
    Script::Fails(Fault::new(class, "no"))
}

#[tokio::test]
async fn an_answer_is_settled_by_the_figures_of_its_provider_and_capped_at_the_models_own_length() {
    let model = says("Hello", Some(USED));
    let given = Given::of(&[("small", &[&model])]).await;
    let whole = given.ask("small", "hello").await.unwrap();
    assert_eq!((whole.completed.reply.text.as_str(), whole.model.as_str()), ("Hello", "small"));
    assert_eq!(model.asked()[0].max_tokens, Some(100), "a most is always set");
    // Four tokens of 1.00 and two of 2.00 for a million, in billionths.
    assert_eq!(given.rows().await, ["p0/small settled 4 2 8000 -"]);
}

#[tokio::test]
async fn what_the_provider_does_not_say_or_says_as_nothing_is_a_marked_guess() {
    for usage in [None, Some(Usage::default())] {
        let given = Given::of(&[("small", &[&says("Hello you there", usage)])]).await;
        given.ask("small", "hello").await.unwrap();
        assert_eq!(given.rows().await, ["p0/small estimated 6 4 14000 -"]);
    }
}

#[tokio::test]
async fn where_it_is_known_how_a_model_counts_what_nobody_said_is_counted() {
    let mut given = Given::of(&[("small", &[&says("Hello you there", None)])]).await;
    given.counting();
    given.ask("small", "hello to all of you").await.unwrap();
    let mut answer = given.begin("small").await;
    while answer.next().await.unwrap().is_some() {}
    assert_eq!(
        answer.figures(),
        (Usage { prompt: 5, completion: 3, cached: 0, reasoning: 0 }, true),
        "marked as a guess"
    );
    assert_eq!(given.rows().await, ["p0/small estimated 5 3 11000 -", "p0/small estimated 9 3 15000 -"]);
    // Of one who goes away at once a guess by bytes is left.
    let mut answer = given.begin("small").await;
    answer.next().await.unwrap();
    drop(answer);
    let rows = given.rows().await;
    assert!(rows.iter().any(|row| row == "p0/small estimated 6 2 10000 abandoned"), "{rows:?}");
}

#[tokio::test]
async fn a_question_is_too_long_by_its_tokens_and_not_by_its_bytes() {
    let mut given = Given::of(&[("large", &[&says("Hello", Some(USED))])]).await;
    // By four bytes a token it would have 125,000.
    let text = "x".repeat(499_999) + " y";
    assert!(matches!(given.ask("large", &text).await, Err(Denied::TooLong { tokens: 125_005, window: 100_000 })));
    given.counting();
    given.ask("large", &text).await.unwrap();
    let words = "x ".repeat(100_000);
    assert!(matches!(given.ask("large", &words).await, Err(Denied::TooLong { tokens: 100_004, window: 100_000 })));
}

#[tokio::test]
async fn an_upstream_that_does_not_keep_its_cap_is_an_overrun() {
    let given = Given::of(&[("small", &[&says("Hello", Some(Usage { completion: 101, ..USED }))])]).await;
    given.ask("small", "hello").await.unwrap();
    assert_eq!(given.rows().await, ["p0/small overrun 4 101 206000 -"]);
}

#[tokio::test]
async fn a_stream_is_settled_at_its_end_when_it_breaks_off_and_when_nobody_listens() {
    let given = Given::of(&[("small", &[&says("Hello you there", Some(USED))])]).await;
    let mut answer = given.begin("small").await;
    let mut texts = Vec::new();
    while let Some(frame) = answer.next().await.unwrap() {
        texts.extend(frame.events);
    }
    assert_eq!(texts.len(), 5, "{texts:?}");
    assert!(answer.next().await.unwrap().is_none());
    assert_eq!(given.rows().await, ["p0/small settled 4 2 8000 -"]);

    let given = Given::of(&[("small", &[&PlainModel::new([Script::BreaksOff("Hello you there")])])]).await;
    let mut answer = given.begin("small").await;
    let cut = loop {
        match answer.next().await {
            Ok(Some(_)) => {}
            other => break other.unwrap_err(),
        }
    };
    assert_eq!(cut.class, FaultClass::Cut);
    assert_eq!(given.rows().await, ["p0/small estimated 6 4 14000 cut"]);

    let given = Given::of(&[("small", &[&says("Hello you there", Some(USED))])]).await;
    let mut answer = given.begin("small").await;
    answer.next().await.unwrap();
    drop(answer);
    assert_eq!(given.rows().await, ["p0/small estimated 6 2 10000 abandoned"]);
}

#[tokio::test]
async fn another_deployment_is_asked_where_that_may_help_and_each_attempt_has_its_row() {
    let first = PlainModel::new([fails(FaultClass::Authentication)]);
    let given = Given::of(&[("small", &[&first, &says("Hello", Some(USED))])]).await;
    given.ask("small", "hello").await.unwrap();
    assert_eq!(given.rows().await, ["p0/small failed 0 0 0 authentication", "p1/small settled 4 2 8000 -"]);

    let refuses = PlainModel::new([fails(FaultClass::Refused)]);
    let given = Given::of(&[("small", &[&refuses, &says("Hello", Some(USED))])]).await;
    let denied = given.ask("small", "hello").await.unwrap_err();
    assert!(matches!(denied, Denied::Fault(Fault { class: FaultClass::Refused, .. })), "{denied:?}");
    assert_eq!(given.rows().await.len(), 1, "what is wrong with the question is wrong everywhere");
}

#[tokio::test]
async fn everybody_is_asked_once_more_after_a_moment_but_for_what_will_not_pass() {
    let well_again = PlainModel::new([fails(FaultClass::Unavailable), Script::Says("Hello", Some(USED))]);
    let given = Given::of(&[("small", &[&well_again])]).await;
    let before = given.fixtures.shop.now();
    given.ask("small", "hello").await.unwrap();
    let waited = given.fixtures.shop.now() - before;
    assert!(waited >= chrono::TimeDelta::milliseconds(100), "{waited}");

    let ill = PlainModel::new([fails(FaultClass::Unavailable)]);
    let given = Given::of(&[("small", &[&ill])]).await;
    given.ask("small", "hello").await.unwrap_err();
    assert_eq!(ill.asked().len(), 2);

    let slow = PlainModel::new([fails(FaultClass::Timeout)]);
    let given = Given::of(&[("small", &[&slow])]).await;
    given.ask("small", "hello").await.unwrap_err();
    assert_eq!(slow.asked().len(), 1);

    let later = Fault { retry_after: Some(Duration::from_mins(1)), ..Fault::new(FaultClass::RateLimited, "no") };
    let busy = PlainModel::new([Script::Fails(later)]);
    let given = Given::of(&[("small", &[&busy])]).await;
    given.ask("small", "hello").await.unwrap_err();
    assert_eq!(busy.asked().len(), 1, "nobody is let wait for a minute");
}

#[tokio::test]
async fn another_model_answers_what_is_too_long_or_withheld() {
    let large = says("Hello", Some(USED));
    let small = says("Hello", Some(USED));
    let given = Given::of(&[("small", &[&small]), ("large", &[&large])]).await;
    let whole = given.ask("small", &"long ".repeat(1000)).await.unwrap();
    assert_eq!((whole.model.as_str(), small.asked().len()), ("large", 0), "it was not even tried");
    let denied = given.ask("large", &"long ".repeat(100_000)).await.unwrap_err();
    assert!(matches!(denied, Denied::TooLong { tokens: 125_004, window: 100_000 }), "{denied:?}");
    for class in [FaultClass::ContextWindow, FaultClass::ContentPolicy] {
        let small = PlainModel::new([fails(class)]);
        let given = Given::of(&[("small", &[&small]), ("large", &[&large])]).await;
        assert_eq!(given.ask("small", "hello").await.unwrap().model, "large");
    }
}

#[tokio::test]
async fn a_budget_has_room_for_the_most_a_call_can_use_and_what_it_did_not_use_is_given_back() {
    // The most of a call of "hello": (5 + 16) tokens of 1.00, 100 of 2.00 for a million.
    let given = Given::of(&[("small", &[&says("Hello", Some(USED))])]).await.capped(221_000 + 8_000);
    for _ in 0..2 {
        given.ask("small", "hello").await.unwrap();
        given.ledger.flush().await.unwrap();
    }
    let denied = given.ask("small", "hello").await.unwrap_err();
    assert!(matches!(&denied, Denied::Budget(refusal) if refusal.budget == "daily"), "{denied:?}");
    assert_eq!(given.rows().await.len(), 2);
    let denied = given.ask("unheard of", "hello").await.unwrap_err();
    assert!(matches!(denied, Denied::UnknownModel(_)));
    given.fixtures.clock.advance(Duration::from_hours(24));
    given.ask("small", "hello").await.unwrap();
}

#[tokio::test]
async fn a_budget_of_money_refuses_what_has_no_price() {
    let given = Given::of(&[("large", &[&says("Hello", Some(USED))])]).await.capped(1_000_000_000);
    let denied = given.ask("large", "hello").await.unwrap_err();
    assert!(matches!(denied, Denied::Unpriced(_)), "{denied:?}");
    assert!(given.rows().await.is_empty());
}

#[tokio::test]
async fn calls_of_a_model_are_limited_for_everybody_and_for_one() {
    let mut given = Given::of(&[("small", &[&says("Hello", Some(USED))])]).await;
    let policy =
        |name: &str| Policy { name: name.into(), limit: 2, window: Duration::from_mins(1), patience: Duration::ZERO };
    let mut models = (*given.assistant.models).clone();
    models.chat.get_mut("small").unwrap().limits = vec![policy("assistant:small:all"), policy("assistant:small:user")];
    given.assistant.models = Arc::new(models);
    given.ask("small", "hello").await.unwrap();
    given.ask("small", "hello").await.unwrap();
    assert!(matches!(given.ask("small", "hello").await, Err(Denied::Limited(_))));
}

#[tokio::test]
async fn vectors_go_through_the_same_ledger() {
    let given = Given::of(&[]).await;
    let texts = ["a lamp".to_owned(), "a very long lamp".to_owned()];
    let (assistant, shop) = (&given.assistant, &given.fixtures.shop);
    let embedded = embed(assistant, shop, &given.auth, "r-1", "vectors", &texts).await.unwrap();
    assert_eq!(embedded.vectors, [[6.0, 2.0], [16.0, 4.0]]);
    assert_eq!(given.rows().await, ["p0/vectors settled 6 0 6000 -"]);
    let long = ["x".repeat(1000)];
    let denied = embed(assistant, shop, &given.auth, "r-1", "vectors", &long).await.unwrap_err();
    assert!(matches!(denied, Denied::TooLong { tokens: 250, window: 100 }), "{denied:?}");
}

#[tokio::test]
async fn a_text_is_too_long_for_a_vector_by_its_tokens_where_they_can_be_counted() {
    let mut given = Given::of(&[]).await;
    given.counting();
    let (assistant, shop) = (&given.assistant, &given.fixtures.shop);
    // By four bytes a token the first would have 250.
    let texts = ["x".repeat(1000), "x ".repeat(100), "x".repeat(100)];
    embed(assistant, shop, &given.auth, "r-1", "vectors", &texts).await.unwrap();
    for long in ["x ".repeat(101), "x ".repeat(400)] {
        let tokens = u64::try_from(long.len() / 2).unwrap();
        let denied = embed(assistant, shop, &given.auth, "r-1", "vectors", &["x".to_owned(), long]).await.unwrap_err();
        assert!(matches!(denied, Denied::TooLong { tokens: told, window: 100 } if told == tokens), "{denied:?}");
    }
    assert_eq!(given.rows().await.len(), 1, "nobody was asked for what is too long");
}

#[tokio::test]
async fn a_key_is_for_its_models_alone_and_no_other_stands_in_for_them() {
    let large = says("Hello", Some(USED));
    let mut given = Given::of(&[("small", &[&says("Hello", Some(USED))]), ("large", &[&large])]).await;
    let person = given.auth.principal().clone().for_models(Some(vec!["small".to_owned()]));
    given.auth = Actor::Signed(person).authorize::<UseAssistant>().unwrap();
    given.ask("small", "hello").await.unwrap();
    assert!(matches!(given.ask("large", "hello").await, Err(Denied::NotForKey(_))));
    assert!(matches!(given.ask("unheard of", "hello").await, Err(Denied::UnknownModel(_))));
    assert!(matches!(given.ask("small", &"long ".repeat(1000)).await, Err(Denied::TooLong { .. })));
    let (assistant, shop, texts) = (&given.assistant, &given.fixtures.shop, ["a lamp".to_owned()]);
    let refused = embed(assistant, shop, &given.auth, "r-1", "vectors", &texts).await;
    assert!(matches!(refused, Err(Denied::NotForKey(_))));
    assert_eq!((given.rows().await.len(), large.asked().len()), (1, 0));
}

#[tokio::test]
async fn a_budget_of_one_person_counts_no_other() {
    let mut given = Given::of(&[("small", &[&says("Hello", Some(USED))])]).await;
    let budget = |subject| Budget {
        name: "own".to_owned(),
        by: BudgetBy::User,
        subject: Some(subject),
        span: BudgetSpan::Day,
        model: None,
        cost: None,
        tokens: None,
        calls: Some(0),
    };
    let own = given.auth.principal().user.0;
    for (subject, is_refused) in [(uuid::Uuid::from_u128(404), false), (own, true)] {
        let prices = given.assistant.terms.now().prices.clone();
        given.assistant.terms = Arc::new(Standing::new(Terms { prices, budgets: vec![budget(subject)] }));
        assert_eq!(matches!(given.ask("small", "hello").await, Err(Denied::Budget(_))), is_refused);
    }
}

#[tokio::test]
async fn without_a_provider_it_is_said_so() {
    let mut given = Given::of(&[]).await;
    given.assistant.models = Arc::default();
    assert!(matches!(given.ask("small", "hello").await, Err(Denied::NotConfigured)));
    let denied: Denied = Error::NotFound("Thing").into();
    assert!(matches!(denied, Denied::Error(_)));
}
