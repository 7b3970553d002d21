//! What of a conversation a model is told: as much of its end as fits, and of what does not, what was kept of it.

use std::fmt::Write as _;

use std::collections::BTreeMap;

use super::{Memory, Message, Said, Speaker, Summary};
use crate::{
    assistant::{ChatRequest, Counts, bound, chat, estimate, tokenizer::counted},
    id::ConversationMessageId,
};

/// About how many tokens a picture has.
const PICTURE: u64 = 1_000;
/// Estimates of tokens may be too low by so much: a tenth of the room is left free.
const SLACK: u64 = 10;
/// What was said elsewhere takes at most this part of the room.
const MEMORY_SHARE: u64 = 4;

/// How much a model is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WindowRules {
    /// The most tokens of a question with what was said before; 0 for as many as the model reads.
    pub tokens: u64,
    /// The most messages before the question; 0 for as many as fit.
    pub messages: usize,
    /// So many tokens that do not fit any more are told in short from then on; 0 for never.
    pub summary: u64,
}

/// What a model is told beside the messages.
pub(super) struct Beside<'a> {
    pub(super) system: String,
    pub(super) summary: Option<&'a Summary>,
    pub(super) memories: &'a [Memory],
}

/// Messages that a model was not told and that no summary tells of.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Trimmed {
    /// Which, the oldest first.
    pub messages: Vec<ConversationMessageId>,
    /// About how many tokens they have.
    pub tokens: u64,
    /// The summary of what stands before them.
    pub after: Option<Summary>,
}

/// What messages cost where it was counted as their model does.
#[derive(Debug, Default)]
pub(super) struct Costs(BTreeMap<ConversationMessageId, u64>);

impl Costs {
    /// Counts the end of a path, as long as the bytes alone do not say that all of it fits.
    pub(super) async fn of(counts: Option<&Counts>, path: &[Message], room: u64) -> Self {
        let asked = |message: &Message| ChatRequest { messages: message.spoken(), ..ChatRequest::default() };
        let most = path.iter().map(|message| bound(&asked(message))).fold(0, u64::saturating_add);
        let Some(counts) = counts.filter(|_| most > room) else { return Self::default() };
        let (mut costs, mut left) = (BTreeMap::new(), room);
        for message in path.iter().rev() {
            let tokens = counted(counts, &asked(message)).await;
            costs.insert(message.id, tokens);
            // What stands before does not fit, whatever it costs.
            left = left.saturating_sub(tokens);
            if left == 0 {
                break;
            }
        }
        Self(costs)
    }

    /// About how many tokens a model reads of a message.
    fn cost(&self, message: &Message) -> u64 {
        self.0.get(&message.id).map_or_else(|| cost(message), |tokens| tokens + pictures(message))
    }
}

fn pictures(message: &Message) -> u64 {
    let pictures = message.parts.iter().filter(|part| matches!(part, Said::Picture { .. })).count();
    PICTURE * u64::try_from(pictures).unwrap_or(u64::MAX)
}

/// The room that questions have in a window beside an answer.
pub(super) fn room(rules: &WindowRules, window: u64, max_output: u32) -> u64 {
    let room = window.saturating_sub(u64::from(max_output));
    let room = room - room / SLACK;
    if rules.tokens > 0 { room.min(rules.tokens) } else { room }
}

/// About how many tokens a model reads of a message.
pub(super) fn cost(message: &Message) -> u64 {
    estimate(&ChatRequest { messages: message.spoken(), ..ChatRequest::default() }) + pictures(message)
}

fn words(text: &str) -> u64 {
    estimate(&ChatRequest { messages: vec![chat::Message::text(chat::Role::System, text)], ..ChatRequest::default() })
}

/// What a model is told of a path, whose last message is the question: that one in any case, and before it as many as there is room
/// for, beginning with one of the person. A message goes as a whole, so a call of a tool and what came of it are never parted.
pub(super) fn fit(
    path: &[Message],
    beside: &Beside<'_>,
    costs: &Costs,
    room: u64,
    most: usize,
) -> (Vec<chat::Message>, Trimmed) {
    let told = beside.summary.and_then(|summary| path.iter().position(|message| message.id == summary.to));
    let summary = beside.summary.filter(|_| told.is_some());
    let begin = told.map_or(0, |at| at + 1);
    let mut left = room.saturating_sub(words(&beside.system));
    left = left.saturating_sub(summary.map_or(0, |summary| words(&summary.text)));
    let pinned: u64 = path.iter().filter(|message| message.is_pinned).map(|message| costs.cost(message)).sum();
    left = left.saturating_sub(pinned);
    // The newest, as far as they fit; the question does in any case.
    let mut first = path.len();
    for (back, (at, message)) in path.iter().enumerate().skip(begin).rev().enumerate() {
        let tokens = if message.is_pinned { 0 } else { costs.cost(message) };
        if back > 0 && (tokens > left || (most > 0 && back > most)) {
            break;
        }
        left = left.saturating_sub(tokens);
        first = at;
    }
    // A talk begins with the person.
    while path.get(first).is_some_and(|message| message.speaker != Speaker::User) {
        first += 1;
    }
    let mut trimmed = Trimmed { after: summary.cloned(), ..Trimmed::default() };
    for message in path.get(begin..first).unwrap_or_default() {
        trimmed.tokens += costs.cost(message);
        trimmed.messages.push(message.id);
    }
    let before: Vec<&Message> = path.iter().take(first).filter(|message| message.is_pinned).collect();
    let mut messages = Vec::new();
    if !beside.system.is_empty() {
        messages.push(chat::Message::text(chat::Role::System, &beside.system));
    }
    let tail = messages.len();
    messages.extend(path.iter().skip(first).flat_map(Message::spoken));
    let notes = notes(&before, summary, beside.memories, left.min(room / MEMORY_SHARE));
    if let Some(first) = messages.get_mut(tail).filter(|_| !notes.is_empty()) {
        first.parts.insert(0, chat::Part::Text(notes));
    }
    (messages, trimmed)
}

/// What stands before the first message that is told: as words of the person, so that nothing in them is taken for words of the shop.
fn notes(pinned: &[&Message], summary: Option<&Summary>, memories: &[Memory], mut room: u64) -> String {
    let mut notes = String::new();
    let mut remembered = String::new();
    for memory in memories {
        let excerpt = memory.excerpt();
        let tokens = words(&excerpt);
        if tokens > room {
            break;
        }
        room -= tokens;
        let _ = writeln!(remembered, "- {excerpt}");
    }
    if !remembered.is_empty() {
        let _ = write!(notes, "[From earlier conversations, for reference:\n{remembered}]\n");
    }
    if let Some(summary) = summary {
        let _ = write!(notes, "[What was said at the beginning of this conversation, in short:\n{}]\n", summary.text);
    }
    if !pinned.is_empty() {
        notes.push_str("[Of the beginning of this conversation, to be kept in mind:\n");
        for message in pinned {
            let _ = writeln!(notes, "- {}: {}", message.speaker.name(), message.text());
        }
        notes.push_str("]\n");
    }
    notes
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::{
        assistant::conversation::{MessageState, Outcome, ToolUse},
        clock::Timestamp,
        id::ConversationId,
    };

    /// Questions and answers in turn, each of so many bytes; the last is a question.
    fn path(lengths: &[usize]) -> Vec<Message> {
        let at = Timestamp::UNIX_EPOCH;
        let said = |(n, length): (usize, &usize)| Message {
            id: ConversationMessageId(Uuid::from_u128(u128::try_from(n).unwrap() + 1)),
            conversation: ConversationId(Uuid::nil()),
            parent: None,
            client_id: None,
            speaker: if n % 2 == 0 { Speaker::User } else { Speaker::Assistant },
            parts: vec![Said::Text { text: format!("{n}:{}", "x".repeat(length - 2)) }],
            state: MessageState::Done,
            fault: None,
            model: None,
            usage: None,
            is_pinned: false,
            created_at: at,
            written_at: at,
        };
        lengths.iter().enumerate().map(said).collect()
    }

    fn beside<'a>(summary: Option<&'a Summary>, memories: &'a [Memory]) -> Beside<'a> {
        Beside { system: "Be kind.".to_owned(), summary, memories }
    }

    /// The first characters of what is told, system words left out.
    fn told(messages: &[chat::Message]) -> Vec<String> {
        let first = |message: &chat::Message| message.texts().last().unwrap_or_default().chars().take(1).collect();
        messages.iter().skip(1).map(first).collect()
    }

    #[tokio::test]
    async fn what_was_counted_is_the_measure() {
        let counts: Counts = std::sync::Arc::new(crate::testing::PlainCounter);
        let path = path(&[400, 400, 400]);
        assert!(Costs::of(Some(&counts), &path, 100_000).await.0.is_empty(), "it fits by its bytes alone");
        // Each is one word, and four tokens around it.
        let costs = Costs::of(Some(&counts), &path, 40).await;
        assert_eq!(costs.0.values().copied().collect::<Vec<_>>(), [5, 5, 5]);
        let (messages, trimmed) = fit(&path, &beside(None, &[]), &costs, 40, 0);
        assert_eq!(
            (told(&messages), trimmed.messages.len()),
            (vec!["0".to_owned(), "1".to_owned(), "2".to_owned()], 0)
        );
        let (messages, _) = fit(&path, &beside(None, &[]), &Costs::default(), 40, 0);
        assert_eq!(told(&messages), ["2"], "a hundred tokens by their bytes");
    }

    #[test]
    fn as_much_of_the_end_is_told_as_fits_and_it_begins_with_the_person() {
        let path = path(&[40; 7]);
        // 40 bytes are 10 tokens, and each message is 4 more.
        let fitted = |room, most| {
            let (messages, trimmed) = fit(&path, &beside(None, &[]), &Costs::default(), room, most);
            (told(&messages).concat(), trimmed.messages.len(), trimmed.tokens)
        };
        assert_eq!(fitted(1000, 0), ("0123456".to_owned(), 0, 0));
        assert_eq!(fitted(6 + 5 * 14, 0), ("23456".to_owned(), 2, 28));
        assert_eq!(fitted(6 + 4 * 14, 0), ("456".to_owned(), 4, 56), "an answer is not told without its question");
        assert_eq!(fitted(1, 0), ("6".to_owned(), 6, 84), "the question is told in any case");
        assert_eq!(fitted(1000, 2), ("456".to_owned(), 4, 56));
    }

    #[test]
    fn what_is_pinned_is_told_for_ever_and_what_was_summed_up_is_not_told_again() {
        let mut path = path(&[40; 7]);
        path[0].is_pinned = true;
        let (messages, trimmed) = fit(&path, &beside(None, &[]), &Costs::default(), 6 + 3 * 14, 0);
        assert_eq!((told(&messages).concat().as_str(), trimmed.messages.len()), ("6", 6));
        let notes = messages[1].texts().next().unwrap().to_owned();
        assert!(notes.contains("- user: 0:xx"), "{notes}");
        let summary = Summary { text: "They want a lamp".to_owned(), to: path[3].id };
        let (messages, trimmed) = fit(&path, &beside(Some(&summary), &[]), &Costs::default(), 1000, 0);
        assert_eq!((told(&messages).concat().as_str(), trimmed.messages.len()), ("456", 0));
        let notes = messages[1].texts().next().unwrap().to_owned();
        assert!(notes.contains("They want a lamp") && notes.contains("0:xx"), "{notes}");
        assert_eq!(trimmed.after.as_ref(), Some(&summary));
        // One of another branch says nothing of this one.
        let other = Summary { to: ConversationMessageId(Uuid::from_u128(99)), ..summary };
        let (messages, _) = fit(&path, &beside(Some(&other), &[]), &Costs::default(), 1000, 0);
        assert_eq!((messages.len(), messages[1].parts.len()), (8, 1));
    }

    #[test]
    fn memories_take_what_room_is_left_and_no_more_than_their_share() {
        let path = path(&[40]);
        let memory = |text: &str| Memory {
            conversation: ConversationId(Uuid::nil()),
            text: text.to_owned(),
            at: Timestamp::UNIX_EPOCH,
        };
        let memories = [memory("They like walnut"), memory(&"long ".repeat(100)), memory("Never")];
        let (messages, _) = fit(&path, &beside(None, &memories), &Costs::default(), 200, 0);
        let notes = messages[1].texts().next().unwrap();
        assert!(notes.contains("walnut") && !notes.contains("long") && !notes.contains("Never"), "{notes}");
        let (messages, _) = fit(&path, &beside(None, &memories), &Costs::default(), 20, 0);
        assert_eq!(messages[1].parts.len(), 1, "there is no room");
    }

    #[test]
    fn a_call_of_a_tool_and_what_came_of_it_are_never_parted() {
        let mut path = path(&[40; 3]);
        let used = |id: &str, outcome| {
            Said::Tool(ToolUse {
                id: id.to_owned(),
                name: "search".to_owned(),
                arguments: "{}".to_owned(),
                outcome,
                ..ToolUse::default()
            })
        };
        path[1].parts = vec![
            Said::Step,
            used("a", Some(Outcome::Found(serde_json::json!(["lamp"])))),
            used("b", None),
            Said::Step,
            Said::Text { text: "There is a lamp".to_owned() },
        ];
        for room in [0, 20, 40, 60, 80, 100, 1000] {
            let (messages, _) = fit(&path, &beside(None, &[]), &Costs::default(), room, 0);
            let calls: Vec<_> =
                messages.iter().flat_map(|message| &message.tool_calls).map(|call| call.id.clone()).collect();
            let answers: Vec<_> = messages.iter().filter_map(|message| message.answers.clone()).collect();
            assert_eq!(calls, answers, "{room}");
        }
        let roles: Vec<_> = path[1].spoken().iter().map(|message| message.role).collect();
        let expected = [chat::Role::Assistant, chat::Role::Tool, chat::Role::Tool, chat::Role::Assistant];
        assert_eq!(roles, expected);
    }
}
