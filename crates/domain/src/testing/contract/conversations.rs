//! Conversations: the tree of their messages, what is found of them, and what becomes of answers that are under way.

use std::{cmp::Reverse, time::Duration};

use super::{Harness, begin, fixtures};
use crate::{
    assistant::{
        Usage,
        conversation::{
            Conversation, Message, MessageState, Node, Outcome, Said, Speaker, Summary, ToolUse,
            ports::{Listed, Place},
        },
        prompts::{PromptUse, VersionNumber},
    },
    catalog::Version,
    id::{ConversationId, ConversationMessageId, UserId},
    page::Limit,
    permission::Role,
    testing::Fixtures,
    text::Search,
};

/// Runs the cases.
pub async fn run(harness: &impl Harness) {
    a_conversation_is_kept_as_it_is(harness).await;
    lists_go_on_where_they_were_and_are_searched(harness).await;
    an_answer_is_written_down_until_it_ends(harness).await;
    what_was_said_elsewhere_is_found_by_its_words(harness).await;
    what_is_deleted_or_old_goes_with_its_messages(harness).await;
}

fn conversation(given: &Fixtures, owner: UserId, title: &str) -> Conversation {
    let now = given.shop.now();
    Conversation {
        id: given.shop.id(),
        owner,
        client_id: None,
        title: title.to_owned(),
        model: None,
        system: None,
        prompt: Some(PromptUse { prompt: given.shop.id(), version: VersionNumber(3) }),
        is_archived: false,
        active: None,
        summary: None,
        version: Version::FIRST,
        created_at: now,
        updated_at: now,
    }
}

fn message(given: &Fixtures, conversation: ConversationId, text: &str) -> Message {
    let now = given.shop.now();
    Message {
        id: given.shop.id(),
        conversation,
        parent: None,
        client_id: None,
        speaker: Speaker::User,
        parts: vec![Said::Text { text: text.to_owned() }],
        state: MessageState::Done,
        fault: None,
        model: None,
        usage: None,
        is_pinned: false,
        created_at: now,
        written_at: now,
    }
}

async fn stored(harness: &impl Harness, conversation: &Conversation, messages: &[&Message]) {
    let mut tx = begin(harness).await;
    assert!(tx.conversations().insert(conversation).await.unwrap());
    for message in messages {
        tx.conversations().add(message).await.unwrap();
    }
    tx.commit().await.unwrap();
}

async fn a_conversation_is_kept_as_it_is(harness: &impl Harness) {
    let (given, queries) = (fixtures(harness), harness.conversations());
    let (ada, bob) = (given.person(Role::User).await.user, given.person(Role::User).await.user);
    let name = format!("chat-{}", given.serial());
    let mut one = Conversation { client_id: Some(name.clone()), ..conversation(&given, ada, "Lamps") };
    let question = Message { client_id: Some("m1".to_owned()), ..message(&given, one.id, "Which\nlamp? ✓ \"") };
    let used = ToolUse {
        id: "call-1".to_owned(),
        name: "search".to_owned(),
        arguments: "{\"q\":\"lamp\"}".to_owned(),
        signature: Some("s".to_owned()),
        is_asked: true,
        outcome: Some(Outcome::Found(serde_json::json!({ "items": [] }))),
    };
    let answer = Message {
        parent: Some(question.id),
        speaker: Speaker::Assistant,
        parts: vec![
            Said::Step,
            Said::Thought { text: "Hm".to_owned() },
            Said::Tool(used),
            Said::Picture { url: "https://a.example/b.png".to_owned(), media_type: "image/png".to_owned() },
        ],
        fault: Some("It broke off".to_owned()),
        model: Some("small".to_owned()),
        usage: Some(Usage { prompt: 5, completion: 4, cached: 3, reasoning: 2 }),
        is_pinned: true,
        ..message(&given, one.id, "")
    };
    stored(harness, &one, &[&question, &answer]).await;
    assert_eq!(queries.get(one.id).await.unwrap().as_ref(), Some(&one));
    assert_eq!(queries.called(ada, &name).await.unwrap().as_ref(), Some(&one));
    assert_eq!(queries.called(bob, &name).await.unwrap(), None);
    let mut tx = begin(harness).await;
    let twin = Conversation { id: given.shop.id(), ..one.clone() };
    assert!(!tx.conversations().insert(&twin).await.unwrap());
    let others = Conversation { owner: bob, ..twin };
    assert!(tx.conversations().insert(&others).await.unwrap(), "everybody has names of their own");
    assert_eq!(tx.conversations().count(one.id).await.unwrap(), 2);
    assert_eq!(tx.conversations().message(one.id, answer.id).await.unwrap().as_ref(), Some(&answer));
    assert_eq!(tx.conversations().message(others.id, answer.id).await.unwrap(), None);
    one.title = "Chairs".to_owned();
    one.model = Some("large".to_owned());
    one.system = Some("Be kind".to_owned());
    one.prompt = None;
    one.is_archived = true;
    one.active = Some(answer.id);
    one.summary = Some(Summary { text: "Lamps".to_owned(), to: question.id });
    one.version = Version(2);
    one.updated_at = given.shop.now() + Duration::from_secs(1);
    tx.conversations().update(&one).await.unwrap();
    assert_eq!(tx.conversations().find(one.id).await.unwrap().as_ref(), Some(&one));
    assert!(tx.conversations().pin(one.id, answer.id, false).await.unwrap());
    assert!(!tx.conversations().pin(others.id, answer.id, true).await.unwrap());
    tx.commit().await.unwrap();
    let mut nodes = queries.nodes(one.id).await.unwrap();
    nodes.sort_by_key(|node| node.parent);
    let node = |message: &Message| Node {
        id: message.id,
        parent: message.parent,
        client_id: message.client_id.clone(),
        speaker: message.speaker,
    };
    assert_eq!(nodes, [node(&question), node(&answer)]);
    let unknown: ConversationMessageId = given.shop.id();
    let found = queries.messages(one.id, &[answer.id, unknown]).await.unwrap();
    assert_eq!(found, [Message { is_pinned: false, ..answer.clone() }]);
    assert_eq!(queries.messages(others.id, &[answer.id]).await.unwrap(), []);
    assert_eq!(queries.messages(one.id, &[]).await.unwrap(), []);
}

async fn lists_go_on_where_they_were_and_are_searched(harness: &impl Harness) {
    let (given, queries) = (fixtures(harness), harness.conversations());
    let (ada, bob) = (given.person(Role::User).await.user, given.person(Role::User).await.user);
    let mut made = Vec::new();
    for (n, title) in ["Lampshades", "Café tables", "Chairs", ""].into_iter().enumerate() {
        let mut one = conversation(&given, ada, title);
        // Two of the same moment.
        one.updated_at += Duration::from_secs([1, 2, 2, 3][n]);
        one.is_archived = n == 3;
        let said = message(&given, one.id, ["Nothing", "A walnut table, please", "No", "A walnut lamp"][n]);
        stored(harness, &one, &[&said]).await;
        made.push(one);
    }
    stored(harness, &conversation(&given, bob, "Lampshades"), &[]).await;
    made[1..3].sort_by_key(|one| std::cmp::Reverse(one.id));
    made[..3].rotate_left(1);
    let list = async |listed: &Listed, after: Option<Place>, limit: u32| {
        let limit = Limit::new(limit).unwrap();
        queries.list(ada, listed, after, limit).await.unwrap()
    };
    let all = list(&Listed::default(), None, 10).await;
    assert_eq!((all.items, all.next), (made[..3].to_vec(), None));
    let first = list(&Listed::default(), None, 1).await;
    assert_eq!(first.items, made[..1]);
    let rest = list(&Listed::default(), first.next, 2).await;
    assert_eq!((rest.items, rest.next), (made[1..3].to_vec(), None));
    let archived = Listed { archived: true, search: None };
    assert_eq!(list(&archived, None, 10).await.items, made[3..]);
    for (search, archived, titles) in [
        ("lamp", false, vec!["Lampshades"]),
        ("LAMPSHADES", false, vec!["Lampshades"]),
        ("cafe tab", false, vec!["Café tables"]),
        ("walnut", false, vec!["Café tables"]),
        ("table walnut", false, vec!["Café tables"]),
        ("walnut lamp", true, vec![""]),
        // Of title and message together nothing is found.
        ("cafe walnut", false, vec![]),
        ("amp", false, vec![]),
        ("%", false, vec![]),
        ("lamp_", false, vec!["Lampshades"]),
    ] {
        let listed = Listed { archived, search: Some(Search::new(search)) };
        let found: Vec<_> = list(&listed, None, 10).await.items.into_iter().map(|one| one.title).collect();
        assert_eq!(found, titles, "{search}");
    }
}

async fn an_answer_is_written_down_until_it_ends(harness: &impl Harness) {
    let (given, queries) = (fixtures(harness), harness.conversations());
    let ada = given.person(Role::User).await.user;
    let one = conversation(&given, ada, "Lamps");
    let begun = Message { state: MessageState::Streaming, parts: Vec::new(), ..message(&given, one.id, "") };
    let other = Message { id: given.shop.id(), ..begun.clone() };
    stored(harness, &one, &[&begun, &other]).await;
    let keep = async |message: &Message| {
        let mut tx = begin(harness).await;
        let state = tx.conversations().keep(message).await.unwrap();
        tx.commit().await.unwrap();
        state
    };
    let later = given.shop.now() + Duration::from_secs(5);
    let text = |text: &str| vec![Said::Text { text: text.to_owned() }];
    let more = Message { parts: text("A wal"), written_at: later, ..begun.clone() };
    assert_eq!(keep(&more).await, Some(MessageState::Streaming));
    let latest = if begun.id > other.id { &more } else { &other };
    assert_eq!(queries.streaming(one.id).await.unwrap().as_ref(), Some(latest));
    let usage = Some(Usage { prompt: 9, completion: 2, cached: 0, reasoning: 0 });
    let whole = Message { parts: text("A walnut lamp"), state: MessageState::Done, usage, ..more.clone() };
    assert_eq!(keep(&whole).await, Some(MessageState::Done));
    assert_eq!(keep(&more).await, None, "it is at its end");
    assert_eq!(queries.messages(one.id, &[begun.id]).await.unwrap(), [whole]);
    let found = Listed { archived: false, search: Some(Search::new("walnut")) };
    assert_eq!(queries.list(ada, &found, None, Limit::default()).await.unwrap().items.len(), 1);

    let mut tx = begin(harness).await;
    assert_eq!(tx.conversations().cut(one.id).await.unwrap(), 1);
    assert_eq!(tx.conversations().cut(one.id).await.unwrap(), 0);
    tx.commit().await.unwrap();
    assert_eq!(queries.streaming(one.id).await.unwrap(), None);
    // What came meanwhile is kept; that it is cut stays.
    let last = Message { parts: text("Half of"), state: MessageState::Done, ..other.clone() };
    assert_eq!(keep(&last).await, Some(MessageState::Cut));
    assert_eq!(
        queries.messages(one.id, &[other.id]).await.unwrap(),
        [Message { state: MessageState::Cut, ..last.clone() }]
    );
    assert_eq!(keep(&Message { id: given.shop.id(), ..last }).await, None);
}

async fn what_was_said_elsewhere_is_found_by_its_words(harness: &impl Harness) {
    let (given, memories) = (fixtures(harness), harness.memories());
    let (ada, bob) = (given.person(Role::User).await.user, given.person(Role::User).await.user);
    let here = conversation(&given, ada, "Here");
    stored(harness, &here, &[&message(&given, here.id, "A walnut lamp for the desk")]).await;
    let there = conversation(&given, ada, "There");
    let texts = ["The walnut lamp was for the desk", "A lamp of walnut", "A lamp", "Walnuts and lamps"];
    let mut said: Vec<_> = texts.iter().map(|text| message(&given, there.id, text)).collect();
    for (n, message) in said.iter_mut().enumerate() {
        message.created_at += Duration::from_secs(u64::try_from(n).unwrap());
    }
    let newer = Message { created_at: said[3].created_at, ..message(&given, there.id, "Of walnut: a lamp") };
    let cut = Message { state: MessageState::Cut, ..message(&given, there.id, "walnut lamp desk") };
    let mut all: Vec<&Message> = said.iter().collect();
    all.extend([&newer, &cut]);
    stored(harness, &there, &all).await;
    let others = conversation(&given, bob, "Others");
    stored(harness, &others, &[&message(&given, others.id, "A walnut lamp for the desk")]).await;
    let words = ["walnut", "lamp", "desk"].map(str::to_owned);
    let found = async |but: Option<ConversationId>, limit: u32| {
        let found = memories.related(ada, but, &words, limit).await.unwrap();
        found.into_iter().map(|memory| (memory.conversation, memory.text)).collect::<Vec<_>>()
    };
    let expected = [texts[0], "Of walnut: a lamp", texts[1]].map(|text| (there.id, text.to_owned()));
    assert_eq!(found(Some(here.id), 10).await, expected);
    assert_eq!(found(Some(here.id), 1).await, expected[..1]);
    assert_eq!(found(None, 10).await.len(), 4);
    assert_eq!(memories.related(ada, None, &[], 10).await.unwrap(), []);
    let one = memories.related(ada, None, &words[2..], 10).await.unwrap();
    assert_eq!(one.len(), 2, "of one word it is enough");
    let latest = async |but: Option<ConversationId>, limit: u32| {
        let found = memories.latest(ada, but, limit).await.unwrap();
        found.into_iter().map(|memory| (memory.conversation, memory.text, memory.at)).collect::<Vec<_>>()
    };
    let mut all = [&newer, &said[3], &said[2], &said[1], &said[0]];
    all.sort_by_key(|one| Reverse((one.created_at, one.id)));
    let expected = all.map(|one| (there.id, one.text(), one.created_at));
    assert_eq!(latest(Some(here.id), 10).await, expected);
    assert_eq!(latest(Some(here.id), 2).await, expected[..2]);
    assert_eq!(latest(None, 10).await.len(), 6);
    assert_eq!(latest(Some(there.id), 10).await[0].0, here.id);
}

async fn what_is_deleted_or_old_goes_with_its_messages(harness: &impl Harness) {
    let (given, queries) = (fixtures(harness), harness.conversations());
    let ada = given.person(Role::User).await.user;
    let mut old = conversation(&given, ada, "Old");
    // Before whatever else is in the store.
    old.updated_at -= Duration::from_hours(24 * 3650);
    let older =
        Conversation { updated_at: old.updated_at - Duration::from_secs(1), ..conversation(&given, ada, "Older") };
    let said = message(&given, old.id, "A lamp");
    stored(harness, &old, &[&said]).await;
    stored(harness, &older, &[]).await;
    let before = old.updated_at + Duration::from_secs(1);
    assert_eq!(queries.untouched(before, 10).await.unwrap(), [older.id, old.id]);
    assert_eq!(queries.untouched(before, 1).await.unwrap(), [older.id]);
    assert_eq!(queries.untouched(old.updated_at, 10).await.unwrap(), [older.id]);
    let mut tx = begin(harness).await;
    tx.conversations().delete(old.id).await.unwrap();
    tx.conversations().delete(older.id).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(queries.get(old.id).await.unwrap(), None);
    assert_eq!(queries.messages(old.id, &[said.id]).await.unwrap(), []);
    assert_eq!(queries.nodes(old.id).await.unwrap(), []);
}
