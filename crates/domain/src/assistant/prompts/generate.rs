//! Asking a model by a prompt: through the ledger, as every other call, with a row that says which version it was.

use std::{
    future::{Future, poll_fn},
    pin::pin,
    task::Poll,
    time::Duration,
};

use async_trait::async_trait;
use serde_json::{Map, Value};

use super::{
    AnswerForm, Apart, Generation, GenerationState, Prompt, PromptContent, PromptVersion, VersionNumber,
    ports::Templates, render, schema::breach, take_apart,
};
use crate::{
    assistant::{
        Assistant, ChatEvent, ChatReply, ChatRequest, Denied, Fault, FaultClass, Finish, Gathered, Origin, Usage,
        Whole, ask_for, stream_for,
    },
    error::{Error, Result},
    id::GenerationId,
    idempotency::{self, Claim, Key, Once, Outcome, Reply},
    permission::{Authorized, UseAssistant},
    shop::Shop,
};

/// What a model is asked.
#[derive(Debug)]
pub struct Asking<'a> {
    /// The prompt.
    pub prompt: &'a Prompt,
    /// The version that serves.
    pub version: &'a PromptVersion,
    /// The values of its variables.
    pub values: &'a Map<String, Value>,
    /// The model that is asked where the version names none; the first by name when absent.
    pub usual: Option<&'a str>,
    /// The id of the request.
    pub request: &'a str,
}

/// An answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Generated {
    /// Its id.
    pub id: GenerationId,
    /// The version that served.
    pub version: VersionNumber,
    /// The model that answered.
    pub model: String,
    /// What it said.
    pub said: Apart,
    /// Why it ended.
    pub finish: Finish,
    /// What was used, and whether that is a guess of ours.
    pub usage: (Usage, bool),
}

/// Asks a model. What it says is given, and kept nowhere but under the key of who asks with one. When `gone` ends nobody waits for it any
/// more: then the call ends, and that is written down.
///
/// # Errors
/// Why there is no answer. [`Error::InFlight`] while another request with the same key waits for one.
pub async fn generate(
    assistant: &Assistant,
    templates: &dyn Templates,
    shop: &Shop,
    by: &Authorized<UseAssistant>,
    asking: &Asking<'_>,
    once: &Once<'_, Generated>,
    gone: impl Future<Output = ()>,
) -> Result<Outcome<Generated>, Denied> {
    let (generation, request) = prepared(assistant, templates, shop, by, asking).await?;
    if let Some(reply) = begin(shop, &generation, once.key.as_ref()).await? {
        return Ok(Outcome::Replay(reply));
    }
    let origin = Origin { request: asking.request, generation: Some(generation.id) };
    let asked = async {
        let Whole { model, completed, figures } =
            ask_for(assistant, shop, by, origin, &generation.model, request).await?;
        generated(&asking.version.content, &generation, model, completed.reply, figures)
    };
    let made = unless_gone(asked, gone).await;
    ended(shop, &generation, made, Some(once)).await.map(Outcome::Fresh)
}

/// More of an answer.
#[derive(Clone, PartialEq, Eq)]
pub enum Heard {
    /// More of what the model says.
    Text(String),
    /// More of what it thinks, where its provider tells.
    Thought(String),
}

impl std::fmt::Debug for Heard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Text(text) => write!(f, "Text({} bytes)", text.len()),
            Self::Thought(text) => write!(f, "Thought({} bytes)", text.len()),
        }
    }
}

/// Somebody who hears an answer as it is said.
#[async_trait]
pub trait Listener: Send + Sync {
    /// The model answers. What is no answer now is a cut.
    async fn begin(&self, id: GenerationId);

    /// More of the answer.
    async fn hear(&self, more: Heard);

    /// Ends when nobody hears it any more.
    async fn gone(&self);
}

/// [`generate`] for somebody who hears the answer as it is said.
///
/// # Errors
/// Why there is no answer, or no whole one.
pub async fn generate_aloud(
    assistant: &Assistant,
    templates: &dyn Templates,
    shop: &Shop,
    by: &Authorized<UseAssistant>,
    asking: &Asking<'_>,
    listener: &dyn Listener,
) -> Result<Generated, Denied> {
    let (generation, request) = prepared(assistant, templates, shop, by, asking).await?;
    begin(shop, &generation, None).await?;
    let origin = Origin { request: asking.request, generation: Some(generation.id) };
    let asked = async {
        let mut answer = stream_for(assistant, shop, by, origin, &generation.model, request).await?;
        listener.begin(generation.id).await;
        let mut gathered = Gathered::default();
        while let Some(frame) = answer.next().await.map_err(Denied::Fault)? {
            for event in frame.events {
                gathered.take(&event);
                match event {
                    ChatEvent::Text(text) => listener.hear(Heard::Text(text)).await,
                    ChatEvent::Reasoning(text) => listener.hear(Heard::Thought(text)).await,
                    ChatEvent::Tool { .. } | ChatEvent::Usage(_) | ChatEvent::Finish(_) => {}
                }
            }
        }
        let (model, figures) = (answer.model().to_owned(), answer.figures());
        generated(&asking.version.content, &generation, model, gathered.reply(), figures)
    };
    let made = unless_gone(asked, listener.gone()).await;
    ended(shop, &generation, made, None).await
}

/// What is about to be made, and what is asked for it.
async fn prepared(
    assistant: &Assistant,
    templates: &dyn Templates,
    shop: &Shop,
    by: &Authorized<UseAssistant>,
    asking: &Asking<'_>,
) -> Result<(Generation, ChatRequest), Denied> {
    if assistant.models.is_empty() {
        return Err(Denied::NotConfigured);
    }
    let Asking { prompt, version, values, usual, .. } = asking;
    let content = &version.content;
    if !content.asks() {
        let message = format!("Version {} of {} asks nothing: it is for conversations", version.number.0, prompt.name);
        return Err(Error::conflict(message).into());
    }
    let rendered = render(templates, content, values).await?;
    let model = chosen(assistant, rendered.model.as_deref(), *usual)?;
    let generation = Generation {
        id: shop.id(),
        prompt: prompt.id,
        version: version.number,
        user: by.principal().user,
        model,
        state: GenerationState::Running,
        reason: None,
        took: None,
        started_at: shop.now(),
        ended_at: None,
    };
    Ok((generation, rendered.request))
}

/// What the work gives; nothing when `gone` ends before, and then the work ends too.
async fn unless_gone<T>(work: impl Future<Output = T>, gone: impl Future<Output = ()>) -> Option<T> {
    let (mut work, mut gone) = (pin!(work), pin!(gone));
    poll_fn(|context| match work.as_mut().poll(context) {
        Poll::Ready(done) => Poll::Ready(Some(done)),
        Poll::Pending => gone.as_mut().poll(context).map(|()| None),
    })
    .await
}

/// What a model said, by what it was asked.
fn generated(
    content: &PromptContent,
    generation: &Generation,
    model: String,
    reply: ChatReply,
    usage: (Usage, bool),
) -> Result<Generated, Denied> {
    let invalid = |message| Denied::Fault(Fault::new(FaultClass::InvalidAnswer, message).costly());
    let mut said = read(content, &reply.text).map_err(invalid)?;
    if said.reasoning.is_none() && !reply.reasoning.is_empty() {
        said.reasoning = Some(reply.reasoning);
    }
    Ok(Generated { id: generation.id, version: generation.version, model, said, finish: reply.finish, usage })
}

/// What was said, in the form it was asked for.
fn read(content: &PromptContent, text: &str) -> Result<Apart, String> {
    let said = take_apart(&content.answer, &content.reasoning, text);
    let said = said.ok_or("The model was asked for JSON and said something else")?;
    if let (AnswerForm::Json { schema, .. }, Some(json)) = (&content.answer, &said.json)
        && let Some(fault) = breach(schema, json)
    {
        return Err(format!("The JSON of the model breaks the schema it was asked for: {fault}"));
    }
    Ok(said)
}

/// The model that is asked.
fn chosen(assistant: &Assistant, wanted: Option<&str>, usual: Option<&str>) -> Result<String> {
    let models = &assistant.models.chat;
    let name = wanted.or(usual).or_else(|| models.keys().next().map(String::as_str)).unwrap_or_default();
    if models.contains_key(name) {
        return Ok(name.to_owned());
    }
    Err(Error::conflict(format!(
        "The version asks the model {name:?}, and there is none; write a version that asks another"
    )))
}

/// What becomes of an answer that there is not, and why in a word.
fn end_of(denied: &Denied) -> (GenerationState, &'static str) {
    let word = match denied {
        Denied::Fault(fault) => return (GenerationState::Failed, fault.class.name()),
        Denied::TooLong { .. } => return (GenerationState::Failed, FaultClass::ContextWindow.name()),
        Denied::Error(_) => return (GenerationState::Failed, "internal"),
        Denied::NotConfigured | Denied::UnknownModel(_) => "no_model",
        Denied::NotForKey(_) => "not_for_key",
        Denied::Unsupported { .. } => "unsupported",
        Denied::Budget(_) => "budget",
        Denied::Unpriced(_) => "unpriced",
        Denied::Limited(_) => "limited",
        Denied::NotKept => "not_kept",
    };
    (GenerationState::Refused, word)
}

/// The status of what is kept under a key while its answer is being made. No answer has it.
const RUNNING: u16 = 102;

/// Notes that a model is asked; gives the answer that was kept under the key, if there is one, and then notes nothing.
async fn begin(shop: &Shop, generation: &Generation, key: Option<&Key>) -> Result<Option<Reply>> {
    shop.write("begin_generation", |mut tx| async move {
        if let Some(key) = key {
            let since = tx.now() - shop.rules.keep_keys;
            match tx.keys().claim(key, since).await? {
                Claim::Fresh => {}
                Claim::Replay(kept) if kept.status != RUNNING => return Ok(tx.discard(Some(kept))),
                Claim::Replay(kept) => {
                    // One that failed, or was given up since its node was killed, is made again.
                    let before = std::str::from_utf8(&kept.body).ok().and_then(|id| id.parse().ok()).map(GenerationId);
                    if let Some(before) = before
                        && let Some(before) = tx.prompts().generation(before).await?
                        && before.state == GenerationState::Running
                    {
                        return Err(Error::InFlight);
                    }
                }
                Claim::Mismatch => return Err(idempotency::used_before()),
                Claim::InFlight => return Err(Error::InFlight),
            }
            let body = generation.id.to_string().into_bytes();
            let now = tx.now();
            tx.keys().keep(key, &Reply { status: RUNNING, headers: Vec::new(), body }, now).await?;
        }
        tx.prompts().begin(generation).await?;
        tx.commit(None).await
    })
    .await
}

/// Notes how it ended, and keeps an answer under its key.
async fn ended(
    shop: &Shop,
    generation: &Generation,
    made: Option<Result<Generated, Denied>>,
    once: Option<&Once<'_, Generated>>,
) -> Result<Generated, Denied> {
    let (state, reason) = match &made {
        Some(Ok(_)) => (GenerationState::Done, None),
        Some(Err(denied)) => {
            let (state, reason) = end_of(denied);
            (state, Some(reason))
        }
        None => (GenerationState::Failed, Some("abandoned")),
    };
    let now = shop.now();
    let took = (now - generation.started_at).to_std().unwrap_or(Duration::ZERO);
    let ended = &Generation {
        state,
        reason: reason.map(str::to_owned),
        took: Some(took),
        ended_at: Some(now),
        ..generation.clone()
    };
    let answer = made.as_ref().and_then(|made| made.as_ref().ok());
    let kept = once.and_then(|once| Some((once.key.as_ref()?, (once.render)(answer?))));
    let kept = kept.as_ref();
    shop.write("end_generation", |mut tx| async move {
        tx.prompts().end(ended).await?;
        if let Some((key, reply)) = kept {
            let now = tx.now();
            tx.keys().keep(key, reply, now).await?;
        }
        tx.commit(()).await
    })
    .await?;
    made.unwrap_or_else(|| Err(Denied::Fault(Fault::new(FaultClass::Cut, "Nobody waits for the answer any more"))))
}
