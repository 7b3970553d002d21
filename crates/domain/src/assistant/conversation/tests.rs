//! Turns of conversations against the store in memory.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering::Relaxed},
    },
    time::Duration,
};

use super::{
    ports::{ConversationQueries as _, Listed, Memories},
    *,
};
use crate::{
    Actor, Error, Principal,
    assistant::{
        Assistant, ChatRequest, Denied, Deployment, Fault, FaultClass, Model, Models, Role as Speaks, Usage, chat,
        tools::Toolbox,
    },
    catalog::similar::Finder,
    id::{ConversationId, UserId},
    idempotency::Once,
    limit::{Decision, Policy, RateLimiter, Subject},
    meter::Meter,
    page::Limit,
    permission::{Authorized, Role, UseAssistant},
    testing::{Fixtures, PlainEmbedder, PlainLedger, PlainMac, PlainModel, Script, memory::MemoryStore},
    text::Search,
};

struct Free;

#[async_trait::async_trait]
impl RateLimiter for Free {
    async fn check(&self, _: &[(&Policy, Subject)]) -> Vec<Decision> {
        Vec::new()
    }
}

/// Remembers nothing, and says so.
struct Forgetful;

#[async_trait::async_trait]
impl Memories for Forgetful {
    async fn related(&self, _: UserId, _: Option<ConversationId>, _: &[String], _: u32) -> crate::Result<Vec<Memory>> {
        Err(Error::internal("it is away"))
    }

    async fn latest(&self, _: UserId, _: Option<ConversationId>, _: u32) -> crate::Result<Vec<Memory>> {
        Err(Error::internal("it is away"))
    }
}

#[derive(Default)]
struct Tally {
    failed: AtomicU32,
    by_words: AtomicU32,
}

impl Meter for Tally {
    fn transaction_retried(&self, _: &'static str) {}
    fn memory_recall_failed(&self) {
        self.failed.fetch_add(1, Relaxed);
    }

    fn memory_recalled_by_words(&self) {
        self.by_words.fetch_add(1, Relaxed);
    }
}

const USED: Usage = Usage { prompt: 9, completion: 3, cached: 0, reasoning: 0 };

struct Given {
    fixtures: Fixtures,
    store: MemoryStore,
    talks: Talks,
    model: Arc<PlainModel>,
    embedder: Arc<PlainEmbedder>,
    ada: Authorized<UseAssistant>,
}

impl Given {
    async fn of(script: impl IntoIterator<Item = Script>) -> Self {
        let (fixtures, store) = Fixtures::in_memory();
        let model = PlainModel::new(script);
        let small = Model {
            name: "small".to_owned(),
            deployments: vec![Deployment { name: "plain/small".to_owned(), model: model.clone() }],
            when_too_long: None,
            when_withheld: None,
            window: 1_000,
            max_output: 100,
            limits: Vec::new(),
            counts: None,
        };
        let chat = BTreeMap::from([("small".to_owned(), small)]);
        let assistant = Assistant {
            models: Arc::new(Models { chat, embeddings: BTreeMap::new() }),
            terms: Arc::default(),
            ledger: PlainLedger::new(Arc::new(store.clone())),
            limiter: Arc::new(Free),
            again_after: None,
            kept: None,
        };
        let rules = TalkRules {
            model: None,
            system: "Be kind.".to_owned(),
            window: WindowRules { tokens: 0, messages: 0, summary: 80 },
            memories: 0,
            tool_rounds: 2,
        };
        let reader = Arc::new(store.clone());
        let embedder = Arc::<PlainEmbedder>::default();
        let finder = Finder { index: Arc::default(), embedder: embedder.clone(), products: reader.clone() };
        let tools =
            Toolbox { shop: fixtures.shop.clone(), finder, categories: reader.clone(), mac: Arc::new(PlainMac) };
        let talks = Talks {
            assistant,
            queries: reader.clone(),
            memories: reader.clone(),
            embedder: embedder.clone(),
            tools: Some(tools),
            rules: Arc::new(rules),
        };
        let ada = authorized(fixtures.person(Role::User).await);
        Self { fixtures, store, talks, model, embedder, ada }
    }

    fn ruled(mut self, change: impl FnOnce(&mut TalkRules)) -> Self {
        change(Arc::make_mut(&mut self.talks.rules));
        self
    }

    async fn begin(&self, ask: Ask) -> Result<(Turn, Message), Denied> {
        begin_turn(&self.talks, &self.fixtures.shop, &self.ada, "r-1", ask).await
    }

    /// A turn to its end.
    async fn turn(&self, ask: Ask) -> (Turn, Message) {
        let (mut turn, mut message) = self.begin(ask).await.unwrap();
        loop {
            match turn.next().await {
                Ok(Some(events)) => turn.hear(&mut message, &events),
                Ok(None) => {
                    let places = turn.step_ended(&mut message);
                    if places.is_empty() {
                        break message.state = MessageState::Done;
                    }
                    for (place, outcome) in turn.use_tools(&self.talks, &self.ada, &message, &places).await {
                        let Said::Tool(used) = &mut message.parts[place] else { unreachable!("it is a tool") };
                        used.outcome = Some(outcome);
                    }
                    let shop = &self.fixtures.shop;
                    if let Err(why) = turn.ask_again(&self.talks, shop, &self.ada, "r-1", &message).await {
                        message.fault = Some(why);
                        break message.state = MessageState::Failed;
                    }
                    message.parts.push(Said::Step);
                }
                Err(_) => break message.state = MessageState::Cut,
            }
        }
        let kept = keep_answer(&self.fixtures.shop, &message).await.unwrap();
        assert_eq!(kept, Some(message.state));
        // Ids grow with time.
        self.fixtures.clock.advance(Duration::from_millis(5));
        (turn, message)
    }

    async fn conversation(&self) -> Conversation {
        let found = self.store.list(self.ada.principal().user, &Listed::default(), None, Limit::default()).await;
        found.unwrap().items.remove(0)
    }

    /// What is shown, as texts.
    async fn shown(&self) -> Vec<String> {
        let conversation = self.conversation().await;
        let tree: Tree = self.store.nodes(conversation.id).await.unwrap().into_iter().collect();
        let path = tree.path(conversation.active);
        let messages = tree::in_order(&path, self.store.messages(conversation.id, &path).await.unwrap());
        messages.iter().map(Message::text).collect()
    }

    /// What the model was told last.
    fn told(&self) -> ChatRequest {
        self.model.asked().pop().unwrap()
    }
}

fn authorized(principal: Principal) -> Authorized<UseAssistant> {
    Actor::Signed(principal).authorize::<UseAssistant>().unwrap()
}

fn says(text: &'static str) -> Script {
    Script::Says(text, Some(USED))
}

fn user(client_id: &str, text: &str) -> UserMessage {
    UserMessage { client_id: Some(client_id.to_owned()), parts: vec![Said::Text { text: text.to_owned() }] }
}

fn asks(trigger: Trigger) -> Ask {
    Ask { conversation: "chat-1".to_owned(), trigger, model: None, system: None }
}

fn said(client_id: &str, text: &str) -> Ask {
    asks(Trigger::Said { message: user(client_id, text), instead_of: None })
}

#[tokio::test]
async fn a_talk_is_begun_by_its_first_question_and_goes_on_where_it_was() {
    let given = Given::of([says("Hello Ada"), says("I am well")]).await;
    let (turn, message) = given.turn(said("m1", "Good morning, dear assistant")).await;
    assert_eq!(
        (message.state, message.usage, message.model.as_deref()),
        (MessageState::Done, Some(USED), Some("small"))
    );
    let conversation = given.conversation().await;
    assert_eq!((conversation.id, conversation.title.as_str()), (turn.conversation, "Good morning, dear assistant"));
    assert_eq!((conversation.client_id.as_deref(), conversation.active), (Some("chat-1"), Some(message.id)));
    given.turn(said("m2", "How are you?")).await;
    let told: Vec<_> = given.told().messages.iter().map(|one| one.texts().collect::<String>()).collect();
    assert_eq!(told, ["Be kind.", "Good morning, dear assistant", "Hello Ada", "How are you?"]);
    assert_eq!(given.shown().await, ["Good morning, dear assistant", "Hello Ada", "How are you?", "I am well"]);
    assert_eq!(given.store.traces(), [("conversation.create".to_owned(), "conversation.created".to_owned())]);
    assert!(!format!("{:?} {message:?}", given.conversation().await).contains("dear"), "nothing of it is logged");
}

#[tokio::test]
async fn another_answer_and_another_question_are_branches() {
    let given = Given::of(["One", "Two", "Three", "Four"].map(says)).await;
    let (_, first) = given.turn(said("m1", "Question")).await;
    let again = |of: Option<String>, message| asks(Trigger::Again { of, message });
    let (_, second) = given.turn(again(Some(first.id.to_string()), None)).await;
    assert_eq!((second.parent, given.shown().await), (first.parent, vec!["Question".to_owned(), "Two".to_owned()]));
    // As a client asks that names nothing, and one that names the question.
    let (_, third) = given.turn(again(None, Some(user("m1", "Question")))).await;
    assert_eq!(third.parent, first.parent);
    let edited = Trigger::Said { message: user("m1", "Another"), instead_of: Some("m1".to_owned()) };
    let (_, fourth) = given.turn(asks(edited)).await;
    assert_ne!(fourth.parent, first.parent);
    assert_eq!(given.shown().await, ["Another", "Four"]);
    let id = given.conversation().await.id;
    let tree: Tree = given.store.nodes(id).await.unwrap().into_iter().collect();
    assert_eq!((tree.len(), tree.siblings(first.id).len(), tree.siblings(fourth.parent.unwrap()).len()), (6, 3, 2));
    // What is sent again is not said again.
    given.turn(said("m1", "Another")).await;
    assert_eq!(given.shown().await, ["Another", "Four"]);

    let patch = ConversationPatch { active: Some(first.id), ..ConversationPatch::default() };
    let shop = &given.fixtures.shop;
    update_conversation(shop, &given.store, &given.ada, id, patch, None).await.unwrap();
    assert_eq!(given.shown().await, ["Question", "One"]);
    let patch = ConversationPatch { active: Some(shop.id()), ..ConversationPatch::default() };
    let refused = update_conversation(shop, &given.store, &given.ada, id, patch, None).await;
    assert!(matches!(refused, Err(Error::Invalid(_))));
    let nowhere = given.begin(again(Some("m9".to_owned()), None)).await;
    assert!(matches!(nowhere, Err(Denied::Error(Error::NotFound("Message")))));
}

#[tokio::test]
async fn what_no_model_answers_leaves_no_trace() {
    let fault = Fault::new(FaultClass::Unavailable, "no");
    let given = Given::of([Script::Fails(fault), says("Hello")]).await;
    assert!(matches!(given.begin(said("m1", "Hello?")).await, Err(Denied::Fault(_))));
    let owner = given.ada.principal().user;
    assert!(given.store.list(owner, &Listed::default(), None, Limit::default()).await.unwrap().items.is_empty());
    let unknown = Ask { model: Some("large".to_owned()), ..said("m1", "Hello?") };
    assert!(matches!(given.begin(unknown).await, Err(Denied::UnknownModel(_))));
    let long = said("m1", &"x".repeat(4_000));
    assert!(matches!(given.begin(long).await, Err(Denied::TooLong { .. })));
    // As a client tries again of which nothing came here.
    let again = asks(Trigger::Again { of: None, message: Some(user("m1", "Hello?")) });
    given.turn(again).await;
    assert_eq!(given.shown().await, ["Hello?", "Hello"]);
}

#[tokio::test]
async fn a_talk_is_for_its_owner_alone() {
    let given = Given::of([says("Hello")]).await;
    let (turn, message) = given.turn(said("m1", "Hello?")).await;
    let shop = &given.fixtures.shop;
    for role in [Role::User, Role::Admin] {
        let other = authorized(given.fixtures.person(role).await);
        let patch = ConversationPatch { title: Some("Mine".to_owned()), ..ConversationPatch::default() };
        let id = turn.conversation;
        let unknown = |error: Error| matches!(error, Error::NotFound("Conversation"));
        assert!(unknown(update_conversation(shop, &given.store, &other, id, patch, None).await.unwrap_err()));
        assert!(unknown(mark_message(shop, &other, id, message.id, true).await.unwrap_err()));
        assert!(unknown(stop_answer(shop, &given.store, &other, id).await.unwrap_err()));
        assert!(unknown(delete_conversation(shop, &other, id, None).await.unwrap_err()));
        // To them it is a name like any other.
        let ask = Ask { conversation: id.to_string(), ..said("m1", "Hello?") };
        let (own, _) = begin_turn(&given.talks, shop, &other, "r-1", ask).await.unwrap();
        assert_ne!(own.conversation, id);
    }
    assert_eq!(given.shown().await, ["Hello?", "Hello"]);
}

#[tokio::test]
async fn it_is_renamed_pinned_put_away_and_deleted() {
    let given = Given::of([says("Hello")]).await;
    let (turn, message) = given.turn(said("m1", "Hello?")).await;
    let (shop, id) = (&given.fixtures.shop, turn.conversation);
    let patch = ConversationPatch {
        title: Some("Greetings".to_owned()),
        model: Some(Some("small".to_owned())),
        system: Some(Some("Be brief.".to_owned())),
        is_archived: Some(true),
        active: None,
    };
    let version = given.conversation().await.version;
    let stale = update_conversation(shop, &given.store, &given.ada, id, patch.clone(), Some(&[])).await;
    assert!(matches!(stale, Err(Error::Stale("Conversation"))));
    let changed = update_conversation(shop, &given.store, &given.ada, id, patch, Some(&[version])).await.unwrap();
    assert_eq!((changed.title.as_str(), changed.is_archived, changed.version), ("Greetings", true, version.next()));
    assert!(mark_message(shop, &given.ada, id, message.id, true).await.unwrap().is_pinned);
    let nothing = mark_message(shop, &given.ada, id, shop.id(), true).await;
    assert!(matches!(nothing, Err(Error::NotFound("Message"))));
    // A question brings it back.
    given.turn(said("m2", "Are you there?")).await;
    assert!(!given.conversation().await.is_archived);
    let told = given.told();
    assert_eq!(told.messages[0].texts().collect::<String>(), "Be kind.\n\nBe brief.");
    delete_conversation(shop, &given.ada, id, None).await.unwrap();
    assert_eq!(given.store.get(id).await.unwrap(), None);
    let events: Vec<_> = given.store.traces().into_iter().map(|(_, event)| event).collect();
    let expected = ["created", "updated", "message_marked", "deleted"].map(|verb| format!("conversation.{verb}"));
    assert_eq!(events, expected);
    let made = create_conversation(shop, &given.ada, NewConversation::default(), &Once::always()).await.unwrap();
    assert_eq!(made.fresh().unwrap().title, "");
    let ask = Ask { conversation: given.conversation().await.id.to_string(), ..said("m3", "A title, please") };
    given.turn(ask).await;
    assert_eq!(given.conversation().await.title, "A title, please");
}

#[tokio::test]
async fn an_answer_that_is_cut_is_kept_as_far_as_it_came_and_a_new_question_ends_one_that_goes_on() {
    let given = Given::of([Script::BreaksOff("Half of"), says("Whole"), says("Next")]).await;
    let (_, cut) = given.turn(said("m1", "One?")).await;
    assert_eq!((cut.state, cut.text().as_str()), (MessageState::Cut, "Half of"));
    let (mut turn, mut open) = given.begin(said("m2", "Two?")).await.unwrap();
    let events = turn.next().await.unwrap().unwrap();
    turn.hear(&mut open, &events);
    let shop = &given.fixtures.shop;
    assert_eq!(keep_answer(shop, &open).await.unwrap(), Some(MessageState::Streaming));
    given.fixtures.clock.advance(Duration::from_millis(5));
    given.turn(said("m3", "Three?")).await;
    assert_eq!(keep_answer(shop, &open).await.unwrap(), Some(MessageState::Cut), "nobody wants more of it");
    assert_eq!(given.shown().await, ["One?", "Half of", "Two?", "Whole", "Three?", "Next"]);
    // One that nobody goes on with is cut by itself.
    given.fixtures.clock.advance(SILENCE + Duration::from_secs(1));
    assert_eq!(Message { state: MessageState::Streaming, ..open }.state_at(shop.now()), MessageState::Cut);
}

#[tokio::test]
async fn what_does_not_fit_any_more_is_told_in_short() {
    const LONG: &str = "A long answer that says word after word after word and does not come to its end for quite a while. \
        A long answer that says word after word after word and does not come to its end for quite a while. \
        A long answer that says word after word after word and does not come to its end for quite a while.";
    let given =
        Given::of([says(LONG), says(LONG), says(LONG), says(LONG), says("They want a lamp"), says("Yes")]).await;
    let given = given.ruled(|rules| rules.window.tokens = 200);
    let (shop, mut last) = (&given.fixtures.shop, None);
    for question in ["m1", "m2", "m3", "m4"] {
        last = Some(given.turn(said(question, "And what about the walnut lamp?")).await.0);
    }
    let turn = last.unwrap();
    assert!(turn.trimmed.tokens >= 80 && turn.trimmed.messages.len() >= 2, "{:?}", turn.trimmed);
    summarise(&given.talks, shop, &given.ada, "r-1", turn.conversation, "small", &turn.trimmed).await;
    let asked = given.told().messages;
    assert!(asked[1].texts().any(|text| text.contains("user: And what about")), "{asked:?}");
    let summary = given.conversation().await.summary.unwrap();
    assert_eq!((summary.text.as_str(), Some(&summary.to)), ("They want a lamp", turn.trimmed.messages.last()));
    given.turn(said("m5", "Is it there?")).await;
    let told = given.told().messages;
    assert_eq!((told[0].role, told[1].role), (Speaks::System, Speaks::User));
    let first = |message: &chat::Message| message.texts().next().unwrap_or_default().to_owned();
    assert!(first(&told[1]).contains("They want a lamp"), "{}", first(&told[1]));
    // Little is not told in short, and without a model there is no summary and no fault.
    let little = Trimmed { tokens: 79, ..turn.trimmed.clone() };
    summarise(&given.talks, shop, &given.ada, "r-1", turn.conversation, "small", &little).await;
    assert_eq!(given.model.asked().len(), 6);
    summarise(&given.talks, shop, &given.ada, "r-1", turn.conversation, "large", &turn.trimmed).await;
    assert_eq!(given.conversation().await.summary.unwrap(), summary);
}

#[tokio::test]
async fn what_was_said_elsewhere_is_remembered_and_not_missed_when_it_cannot_be() {
    let given = Given::of([says("Noted: walnut"), says("Of walnut"), says("Of what?")]).await;
    let mut given = given.ruled(|rules| rules.memories = 3);
    given.turn(said("m1", "My favourite lamp is made of walnut")).await;
    let elsewhere =
        |name: &str| Ask { conversation: name.to_owned(), ..said("m1", "Of what was my favourite lamp made?") };
    given.turn(elsewhere("chat-2")).await;
    let told = given.told().messages;
    let notes = told[1].texts().next().unwrap().to_owned();
    assert!(notes.contains("My favourite lamp is made of walnut"), "{notes}");
    let bob = authorized(given.fixtures.person(Role::User).await);
    begin_turn(&given.talks, &given.fixtures.shop, &bob, "r-1", elsewhere("chat-2")).await.unwrap();
    assert_eq!(given.told().messages[1].parts.len(), 1, "of others nothing is remembered");

    let tally = Arc::<Tally>::default();
    given.talks.memories = Arc::new(Forgetful);
    given.fixtures.shop.meter = tally.clone();
    given.turn(elsewhere("chat-3")).await;
    assert_eq!((tally.failed.load(Relaxed), tally.by_words.load(Relaxed)), (1, 0));
    assert_eq!(given.told().messages[1].parts.len(), 1);
    assert_eq!(given.shown().await, ["Of what was my favourite lamp made?", "Of what?"]);
}

#[tokio::test]
async fn what_was_said_in_other_words_is_remembered_while_somebody_says_what_it_means() {
    let given = Given::of([says("Noted"), says("Of yours?"), says("Which?"), says("Green")]).await;
    let mut given = given.ruled(|rules| rules.memories = 1);
    let tally = Arc::<Tally>::default();
    given.fixtures.shop.meter = tally.clone();
    given.turn(said("m1", "A green boat, please")).await;
    let elsewhere = |name: &str, text| Ask { conversation: name.to_owned(), ..said("m1", text) };
    let reminded = || given.told().messages[1].texts().next().unwrap().contains("A green boat, please");
    given.turn(elsewhere("chat-2", "A ship, please")).await;
    assert!(reminded(), "no word but one is the same");
    given.embedder.be_away(true);
    given.turn(elsewhere("chat-3", "A ship, please")).await;
    assert!(!reminded());
    given.turn(elsewhere("chat-4", "A green boat?")).await;
    assert!(reminded(), "words do without it");
    assert_eq!((tally.failed.load(Relaxed), tally.by_words.load(Relaxed)), (0, 2));
}

#[tokio::test]
async fn what_nobody_touched_for_long_goes() {
    let given = Given::of([says("Hello")]).await;
    let (turn, _) = given.turn(said("m1", "Hello?")).await;
    let shop = &given.fixtures.shop;
    let day = Duration::from_hours(24);
    given.fixtures.clock.advance(day);
    given.turn(Ask { conversation: "chat-2".to_owned(), ..said("m1", "Hello?") }).await;
    assert_eq!(purge_conversations(shop, &given.store, None).await.unwrap(), 0);
    assert_eq!(purge_conversations(shop, &given.store, Some(day / 2)).await.unwrap(), 1);
    assert_eq!(given.store.get(turn.conversation).await.unwrap(), None);
    assert_eq!(given.conversation().await.client_id.as_deref(), Some("chat-2"));
    assert_eq!(given.store.traces().last().unwrap().1, "conversation.deleted");
    let listed = Listed { archived: false, search: Some(Search::new("hel")) };
    let user = given.ada.principal().user;
    assert_eq!(given.store.list(user, &listed, None, Limit::default()).await.unwrap().items.len(), 1);
}

#[tokio::test]
async fn tools_are_used_with_what_their_person_may_do_and_what_came_of_them_is_told() {
    let search = "{\"query\":\"lamp\"}";
    let given = Given::of([Script::Wants("search_products", search), says("There is none")]).await;
    let (_, message) = given.turn(said("m1", "Is there a lamp?")).await;
    assert_eq!((message.state, message.text().as_str()), (MessageState::Done, "There is none"));
    let asked = given.model.asked();
    let names: Vec<_> = asked[0].tools.iter().map(|tool| tool.name.as_str()).collect();
    assert_eq!(names, ["search_products", "read_product", "list_similar_products"], "who sells nothing drafts nothing");
    let last = asked[1].messages.last().unwrap();
    assert_eq!((last.role, last.answers.as_deref()), (Speaks::Tool, Some("call-2")));
    let Said::Tool(used) = &message.parts[1] else { panic!("{message:?}") };
    assert!(matches!(used.outcome, Some(Outcome::Found(_))) && used.arguments == search);
    // The next question is told of it, the call and what came of it together.
    given.turn(said("m2", "Are you sure?")).await;
    let told = given.told().messages;
    assert_eq!(told.iter().filter(|one| one.role == Speaks::Tool).count(), 1);
}

#[tokio::test]
async fn a_model_is_told_what_is_wrong_with_its_calls_and_a_loop_of_them_ends() {
    let given = Given::of([
        Script::Wants("search_products", "{\"query\":"),
        Script::Wants("draft_listing", "{\"name\":\"A lamp of others\"}"),
        says("I may not"),
    ])
    .await;
    let (_, message) = given.turn(said("m1", "Draft a lamp for somebody else.")).await;
    let refusal = |part: &Said| match part {
        Said::Tool(ToolUse { outcome: Some(Outcome::Refused(why)), .. }) => Some(why.clone()),
        _ => None,
    };
    let why: Vec<_> = message.parts.iter().filter_map(refusal).collect();
    assert_eq!(why.len(), 2, "{message:?}");
    assert_eq!(why[0], "The arguments are not JSON");
    assert!(why[1].contains("required"), "{}", why[1]);
    assert_eq!(message.state, MessageState::Done);
    let given = Given::of([Script::Wants("search_products", "{\"query\":\"lamp\"}")]).await;
    let (_, message) = given.turn(said("m1", "Search for ever.")).await;
    assert_eq!(message.state, MessageState::Failed);
    assert!(message.fault.unwrap().contains("tool_loop"));
    assert_eq!(given.model.asked().len(), 3, "once, and twice again");
    let given = Given::of([says("Hello")]).await.ruled(|rules| rules.tool_rounds = 0);
    given.turn(said("m1", "Hello?")).await;
    assert!(given.told().tools.is_empty());
}

#[tokio::test]
async fn what_a_tool_would_write_is_proposed_and_the_word_for_it_is_not_for_the_model() {
    let listing = "{\"name\":\"A walnut lamp\",\"price\":\"49.00\",\"stock\":1}";
    let mut given = Given::of([Script::Wants("draft_listing", listing), says("Please confirm")]).await;
    let seller = given.fixtures.seller().await;
    given.ada = authorized(seller.clone());
    let (_, message) = given.turn(said("m1", "Draft a walnut lamp.")).await;
    let Said::Tool(ToolUse { outcome: Some(Outcome::Found(proposal)), arguments, .. }) = &message.parts[1] else {
        panic!("{:?}", message.parts[1])
    };
    let confirmation = proposal["confirmation"].as_str().unwrap();
    assert_eq!(proposal["status"], "proposed");
    assert!(given.store.traces().iter().all(|(_, event)| event != "product.created"), "nothing is written");
    let told = given.told().messages;
    assert!(told.iter().flat_map(chat::Message::texts).all(|text| !text.contains(confirmation)));
    let (actor, tools) = (Actor::Signed(seller), given.talks.tools.clone().unwrap());
    let arguments: serde_json::Value = serde_json::from_str(arguments).unwrap();
    tools.confirm(&actor, "draft_listing", &arguments, confirmation).await.unwrap();
    assert!(given.store.traces().iter().any(|(_, event)| event == "product.created"));
}
