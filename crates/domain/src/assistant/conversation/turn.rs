//! A turn of a conversation: a question, and the answer that is asked of a model.

use std::sync::Arc;

use uuid::Uuid;

use super::{
    Ask, Conversation, ConversationInput, Hearing, Memory, Message, MessageState, Said, Speaker, Tree, Trigger,
    Trimmed, UserMessage, WindowRules,
    ask::is_name,
    create_conversation::begun,
    events, policy,
    ports::{ConversationQueries, Memories},
    recall,
    stored::{MESSAGES_MOST, title_of},
    tree::in_order,
    window::{Beside, Costs, fit, room},
};
use crate::{
    actor::Actor,
    assistant::{Answer, Assistant, ChatEvent, ChatRequest, Denied, Fault, Tool, stream, tools::Toolbox},
    catalog::similar::TextVectors,
    error::{Error, Result},
    id::{ConversationId, ConversationMessageId},
    permission::{Authorized, UseAssistant},
    shop::Shop,
};

/// The rules of talks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TalkRules {
    /// The model that answers where nobody says which; the first by name when absent.
    pub model: Option<String>,
    /// What the operator tells every model, before what anybody else says.
    pub system: String,
    /// How much a model is told.
    pub window: WindowRules,
    /// How much of other conversations it is told at most; 0 for nothing.
    pub memories: u32,
    /// How often it may be asked again after tools were used; 0 for no tools.
    pub tool_rounds: u32,
}

/// What talks stand on. Cheap to clone.
#[derive(Clone)]
pub struct Talks {
    /// Calls models.
    pub assistant: Assistant,
    /// Reads conversations.
    pub queries: Arc<dyn ConversationQueries>,
    /// Remembers what was said elsewhere.
    pub memories: Arc<dyn Memories>,
    /// Says what texts mean, so that what was said elsewhere is found though it has other words.
    pub embedder: Arc<dyn TextVectors>,
    /// What models may have done; `None` for nothing.
    pub tools: Option<Toolbox>,
    /// The operator's rules.
    pub rules: Arc<TalkRules>,
}

impl std::fmt::Debug for Talks {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Talks").field("rules", &self.rules).finish_non_exhaustive()
    }
}

/// An answer on its way. Dropped before its end, the provider is asked no further.
#[derive(Debug)]
pub struct Turn {
    /// Where it is said.
    pub conversation: ConversationId,
    /// The model that answers.
    pub model: String,
    /// What the model was not told.
    pub trimmed: Trimmed,
    pub(super) words: Answer,
    pub(super) hearing: Hearing,
    /// What was asked first.
    pub(super) request: ChatRequest,
    /// How often it may be asked again.
    pub(super) rounds: u32,
}

impl Turn {
    /// What comes next is put into the message; `false` at the end. Nothing is lost when this is dropped before it answers.
    ///
    /// # Errors
    /// When it breaks off: what came is not the whole.
    pub async fn next(&mut self) -> Result<Option<Vec<ChatEvent>>, Fault> {
        Ok(self.words.next().await?.map(|frame| frame.events))
    }

    /// Puts what came into the message.
    pub fn hear(&mut self, message: &mut Message, events: &[ChatEvent]) {
        for event in events {
            self.hearing.take(message, event);
        }
    }

    /// The model said what it wanted; gives where the tools stand in the message that are to be used before it is asked again.
    pub fn step_ended(&mut self, message: &mut Message) -> Vec<usize> {
        self.hearing.step_ended(message)
    }
}

/// Where a turn stands in its conversation.
struct Asked {
    /// `None` when it is to be begun.
    conversation: Option<Conversation>,
    /// The question when it is new.
    new: Option<UserMessage>,
    /// What stands before the answer: the question last, unless it is new.
    path: Vec<ConversationMessageId>,
}

/// Asks a model for the next answer of a conversation, and writes question and answer down when its first words are there: what no
/// model answered leaves no trace. An answer that is under way in the conversation is cut.
///
/// # Errors
/// Why there is none.
pub async fn begin_turn(
    talks: &Talks,
    shop: &Shop,
    by: &Authorized<UseAssistant>,
    request_id: &str,
    ask: Ask,
) -> Result<(Turn, Message), Denied> {
    by.in_person()?;
    let who = by.principal();
    if talks.assistant.models.is_empty() {
        return Err(Denied::NotConfigured);
    }
    let (model, system) = (ask.model.clone(), ask.system.clone());
    let name = ask.conversation.clone();
    let asked = asked(talks, by, ask).await?;
    let stored = asked.conversation.as_ref();
    let new_input = ConversationInput { title: None, model: model.clone(), system: system.clone() };
    let id = stored.map_or_else(|| shop.id(), |found| found.id);

    let mut path = in_order(&asked.path, talks.queries.messages(id, &asked.path).await?);
    let now = shop.now();
    let said = |speaker, parent| Message {
        id: shop.id::<ConversationMessageId>(),
        conversation: id,
        parent,
        client_id: None,
        speaker,
        parts: Vec::new(),
        state: MessageState::Done,
        fault: None,
        model: None,
        usage: None,
        is_pinned: false,
        created_at: now,
        written_at: now,
    };
    let is_new = asked.new.is_some();
    if let Some(new) = asked.new {
        let question = said(Speaker::User, asked.path.last().copied());
        path.push(Message { client_id: new.client_id, parts: new.parts, ..question });
    }
    let question = path.last().cloned().ok_or(Error::NotFound("Message"))?;

    let model = chosen(talks, model.or_else(|| stored.and_then(|found| found.model.clone())))?;
    let memories = recall::recalled(talks, shop, who.user, stored.map(|found| found.id), &question).await;
    let system = system.or_else(|| stored.and_then(|found| found.system.clone()));
    let (mut request, trimmed) = told(talks, &model, &path, system, stored, &memories).await;
    let rounds = talks.rules.tool_rounds;
    if let Some(tools) = talks.tools.as_ref().filter(|_| rounds > 0) {
        request.tools = tools.specs(&Actor::Signed(who.clone())).iter().map(Tool::from).collect();
    }
    let words = stream(&talks.assistant, shop, by, request_id, &model, request.clone()).await?;

    let mut answer = said(Speaker::Assistant, Some(question.id));
    answer.state = MessageState::Streaming;
    answer.parts.push(Said::Step);
    answer.model = Some(words.model().to_owned());
    let begun = Begun {
        new: new_input,
        name: &name,
        question: is_new.then_some(&question),
        words: question.text(),
        answer: &answer,
        is_there: stored.is_some(),
    };
    let conversation = begun.write(shop, by).await?;
    answer.conversation = conversation;
    let turn = Turn {
        conversation,
        model: words.model().to_owned(),
        trimmed,
        words,
        hearing: Hearing::default(),
        request,
        rounds,
    };
    Ok((turn, answer))
}

/// The model that answers.
fn chosen(talks: &Talks, wanted: Option<String>) -> Result<String, Denied> {
    let models = &talks.assistant.models.chat;
    let usual = || talks.rules.model.clone().or_else(|| models.keys().next().cloned());
    let name = wanted.or_else(usual).ok_or(Denied::NotConfigured)?;
    if models.contains_key(&name) { Ok(name) } else { Err(Denied::UnknownModel(name)) }
}

/// What the model is told.
async fn told(
    talks: &Talks,
    model: &str,
    path: &[Message],
    system: Option<String>,
    stored: Option<&Conversation>,
    memories: &[Memory],
) -> (ChatRequest, Trimmed) {
    let rules = &talks.rules;
    let model = talks.assistant.models.chat.get(model);
    let room = model.map_or(0, |model| room(&rules.window, model.window, model.max_output));
    let costs = Costs::of(model.and_then(|model| model.counts.as_ref()), path, room).await;
    let words: Vec<String> = [rules.system.clone(), system.unwrap_or_default()].into();
    let words: Vec<&str> = words.iter().map(String::as_str).filter(|words| !words.is_empty()).collect();
    let summary = stored.and_then(|found| found.summary.as_ref());
    let beside = Beside { system: words.join("\n\n"), summary, memories };
    let (messages, trimmed) = fit(path, &beside, &costs, room, rules.window.messages);
    (ChatRequest { messages, ..ChatRequest::default() }, trimmed)
}

/// Finds where the turn stands.
async fn asked(talks: &Talks, by: &Authorized<UseAssistant>, ask: Ask) -> Result<Asked> {
    let owner = by.principal().user;
    let by_id = match Uuid::try_parse(&ask.conversation).ok().filter(|_| ask.conversation.len() == 36) {
        Some(id) => talks.queries.get(ConversationId(id)).await?,
        None => None,
    };
    let found = match by_id.filter(|found| found.owner == owner) {
        Some(found) => Some(found),
        None => talks.queries.called(owner, &ask.conversation).await?,
    };
    let Some(conversation) = found else {
        let (Trigger::Said { message, .. } | Trigger::Again { message: Some(message), .. }) = ask.trigger else {
            return Err(policy::unknown());
        };
        return Ok(Asked { conversation: None, new: Some(message), path: Vec::new() });
    };
    policy::may_see(by.principal(), &conversation)?;
    let tree: Tree = talks.queries.nodes(conversation.id).await?.into_iter().collect();
    let unknown = || Error::NotFound("Message");
    let named = |name: &Option<String>| name.as_deref().and_then(|name| tree.named(name));
    let own = |message: &UserMessage| named(&message.client_id).filter(|node| node.speaker == Speaker::User);
    let (new, to) = match ask.trigger {
        Trigger::Said { message, instead_of: None } => match own(&message) {
            // It was said before, and its answer did not arrive.
            Some(node) => (None, Some(node.id)),
            None => (Some(message), conversation.active),
        },
        Trigger::Said { message, instead_of } => match named(&instead_of) {
            Some(node) if node.speaker == Speaker::User => (Some(message), node.parent),
            Some(_) => return Err(unknown()),
            None => (Some(message), conversation.active),
        },
        Trigger::Again { of, message } => match (named(&of), message) {
            (Some(node), _) if node.speaker == Speaker::User => (None, Some(node.id)),
            (Some(node), _) => (None, node.parent),
            (None, Some(message)) => match own(&message) {
                Some(node) => (None, Some(node.id)),
                None => (Some(message), conversation.active),
            },
            (None, None) if of.is_some() => return Err(unknown()),
            (None, None) => {
                let path = tree.path(conversation.active);
                let is_question =
                    |id: &&ConversationMessageId| tree.get(**id).is_some_and(|node| node.speaker == Speaker::User);
                (None, Some(*path.iter().rev().find(is_question).ok_or_else(unknown)?))
            }
        },
    };
    Ok(Asked { conversation: Some(conversation), new, path: tree.path(to) })
}

/// A turn that is to be written down.
struct Begun<'a> {
    new: ConversationInput,
    /// What the client calls the conversation.
    name: &'a str,
    /// The question when it is new.
    question: Option<&'a Message>,
    /// Its words.
    words: String,
    answer: &'a Message,
    is_there: bool,
}

impl Begun<'_> {
    /// Writes it down, and gives where.
    async fn write(&self, shop: &Shop, by: &Authorized<UseAssistant>) -> Result<ConversationId> {
        let who = by.principal();
        shop.write("begin_turn", |mut tx| async move {
            let now = tx.now();
            let id = self.answer.conversation;
            let mut conversation = match tx.conversations().find(id).await? {
                Some(found) => found,
                None if self.is_there => return Err(policy::unknown()),
                None => {
                    let new = self.new.clone().check(&mut crate::Violations::default()).unwrap_or_default();
                    let mut conversation = begun(id, who.user, &new, now);
                    conversation.client_id = is_name(self.name).then(|| self.name.to_owned());
                    conversation.title = title_of(&self.words);
                    if !tx.conversations().insert(&conversation).await? {
                        return Err(Error::conflict("This conversation was begun just now; ask again"));
                    }
                    shop.record(&mut *tx, Some(who.user), events::created(&conversation)).await?;
                    conversation
                }
            };
            policy::may_see(who, &conversation)?;
            if tx.conversations().count(id).await? + 2 > MESSAGES_MOST {
                return Err(Error::conflict(format!(
                    "A conversation has at most {MESSAGES_MOST} messages; begin another"
                )));
            }
            tx.conversations().cut(id).await?;
            if let Some(question) = self.question {
                tx.conversations().add(question).await?;
            }
            tx.conversations().add(self.answer).await?;
            if conversation.title.is_empty() {
                conversation.title = title_of(&self.words);
            }
            conversation.active = Some(self.answer.id);
            conversation.is_archived = false;
            conversation.version = conversation.version.next();
            conversation.updated_at = now;
            tx.conversations().update(&conversation).await?;
            tx.commit(id).await
        })
        .await
    }
}
