//! Asking a model by a prompt: through the ledger, as every other call, with a row that says which version it was.

use std::time::Duration;

use serde_json::{Map, Value};

use super::{
    AnswerForm, Apart, Generation, GenerationState, Prompt, PromptContent, PromptVersion, VersionNumber,
    ports::Templates, render, schema::breach, take_apart,
};
use crate::{
    assistant::{Assistant, Denied, Fault, FaultClass, Finish, Origin, Usage, ask_for},
    error::{Error, Result},
    id::GenerationId,
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

/// Asks a model. What it says is given and kept nowhere.
///
/// # Errors
/// Why there is no answer.
pub async fn generate(
    assistant: &Assistant,
    templates: &dyn Templates,
    shop: &Shop,
    by: &Authorized<UseAssistant>,
    asking: Asking<'_>,
) -> Result<Generated, Denied> {
    if assistant.models.is_empty() {
        return Err(Denied::NotConfigured);
    }
    let Asking { prompt, version, values, usual, request } = asking;
    let content = &version.content;
    if !content.asks() {
        let message = format!("Version {} of {} asks nothing: it is for conversations", version.number.0, prompt.name);
        return Err(Error::conflict(message).into());
    }
    let rendered = render(templates, content, values).await?;
    let model = chosen(assistant, rendered.model.as_deref(), usual)?;
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
    begin(shop, &generation).await?;
    let origin = Origin { request, generation: Some(generation.id) };
    let whole = match ask_for(assistant, shop, by, origin, &generation.model, rendered.request).await {
        Ok(whole) => whole,
        Err(denied) => {
            let (state, reason) = end_of(&denied);
            end(shop, &generation, state, Some(reason)).await?;
            return Err(denied);
        }
    };
    let reply = whole.completed.reply;
    let mut said = match read(content, &reply.text) {
        Ok(said) => said,
        Err(message) => {
            let class = FaultClass::InvalidAnswer;
            end(shop, &generation, GenerationState::Failed, Some(class.name())).await?;
            return Err(Denied::Fault(Fault::new(class, message).costly()));
        }
    };
    end(shop, &generation, GenerationState::Done, None).await?;
    if said.reasoning.is_none() && !reply.reasoning.is_empty() {
        said.reasoning = Some(reply.reasoning);
    }
    Ok(Generated {
        id: generation.id,
        version: version.number,
        model: whole.model,
        said,
        finish: reply.finish,
        usage: whole.figures,
    })
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

async fn begin(shop: &Shop, generation: &Generation) -> Result<()> {
    shop.write("begin_generation", |mut tx| async move {
        tx.prompts().begin(generation).await?;
        tx.commit(()).await
    })
    .await
}

async fn end(shop: &Shop, generation: &Generation, state: GenerationState, reason: Option<&'static str>) -> Result<()> {
    let now = shop.now();
    let took = (now - generation.started_at).to_std().unwrap_or(Duration::ZERO);
    let ended = Generation {
        state,
        reason: reason.map(str::to_owned),
        took: Some(took),
        ended_at: Some(now),
        ..generation.clone()
    };
    let ended = &ended;
    shop.write("end_generation", |mut tx| async move {
        tx.prompts().end(ended).await?;
        tx.commit(()).await
    })
    .await
}
