//! What a model is told by a version of a prompt, with these values. Nothing is asked of anybody.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::{PromptContent, SpokenBy, ports::TemplateFault, ports::Templates, variable::values};
use crate::{
    assistant::{ChatRequest, Message, Role, estimate},
    error::{Result, Violations},
};

/// The most bytes of all that a prompt says.
const MOST: usize = 400_000;

/// What a model is told.
#[derive(Debug, Clone, PartialEq)]
pub struct Rendered {
    /// The model that is asked, as callers know it; the usual one when absent.
    pub model: Option<String>,
    /// What is asked of it.
    pub request: ChatRequest,
    /// About how many tokens that has.
    pub tokens: u64,
}

impl Rendered {
    /// How a model is to behave in a conversation, by a version that asks nothing itself.
    pub fn rules(&self) -> String {
        let said = self.request.messages.iter().filter(|message| message.role == Role::System);
        said.map(|message| message.texts().collect::<String>()).collect::<Vec<_>>().join("\n\n")
    }
}

/// Makes the words.
///
/// # Errors
/// [`crate::Error::Invalid`] names each variable whose value does not fit, or else each message whose template cannot do with these values.
pub async fn render(
    templates: &dyn Templates,
    content: &PromptContent,
    given: &Map<String, Value>,
) -> Result<Rendered> {
    let mut violations = Violations::default();
    let values = Arc::new(values(&content.variables, given, &mut violations));
    violations.into_result()?;

    let mut writer = Writer { templates, values: &values, left: MOST, faults: Violations::default() };
    let is_first = |by: SpokenBy| by == SpokenBy::System;
    let leading = content.messages.iter().take_while(|spoken| is_first(spoken.role)).count();
    let (first, rest) = content.messages.split_at(leading);
    let mut messages = Vec::new();
    for (index, spoken) in first.iter().enumerate() {
        messages.push(writer.message(Role::System, &spoken.template, || format!("message {index}")).await);
    }
    messages.extend(content.reasoning.words(&content.answer).map(|words| Message::text(Role::System, words)));
    for (index, example) in content.examples.iter().enumerate() {
        messages.push(writer.message(Role::User, &example.user, || format!("the question of example {index}")).await);
        messages.push(
            writer.message(Role::Assistant, &example.assistant, || format!("the answer of example {index}")).await,
        );
    }
    for (index, spoken) in rest.iter().enumerate() {
        let place = leading + index;
        messages.push(writer.message(spoken.role.role(), &spoken.template, || format!("message {place}")).await);
    }
    writer.faults.into_result()?;

    let request = ChatRequest {
        messages,
        format: content.answer.format(&content.reasoning),
        max_tokens: content.max_tokens,
        temperature: content.temperature,
        top_p: content.top_p,
        stop: content.stop.clone(),
        ..ChatRequest::default()
    };
    let tokens = estimate(&request);
    Ok(Rendered { model: content.model.clone(), request, tokens })
}

struct Writer<'a> {
    templates: &'a dyn Templates,
    values: &'a Arc<Map<String, Value>>,
    /// How many bytes may still be written.
    left: usize,
    faults: Violations,
}

impl Writer<'_> {
    /// The words of a message; a fault is told of the first one that has one.
    async fn message(&mut self, role: Role, template: &str, place: impl Fn() -> String + Send) -> Message {
        match self.templates.render(template, self.values, self.left).await {
            Ok(text) => {
                self.left -= text.len().min(self.left);
                Message::text(role, text)
            }
            Err(TemplateFault { line, message, .. }) => {
                let line = line.map(|line| format!(", line {line}")).unwrap_or_default();
                let told = format!("do not fit {}{line}: {message}", place());
                self.faults.add("/variables", "template", told);
                Message::text(role, String::new())
            }
        }
    }
}
