//! What makes a version of a prompt, and what it must keep. A template that would not do is refused here, before anybody depends on it.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::{
    AnswerForm, Example, PromptContent, Reasoning, Spoken, SpokenBy, Variable, VariableInput,
    ports::{TemplateFault, Templates},
    sample::sample,
};
use crate::{
    error::{Breach, Result, Violations},
    text,
};

/// Most characters of a template.
const TEMPLATE_MAX: usize = 20_000;
/// The most messages, examples, variables and texts to stop at.
const MESSAGES_MOST: usize = 20;
const EXAMPLES_MOST: usize = 20;
const VARIABLES_MOST: usize = 50;
const STOPS_MOST: usize = 4;
/// Most bytes of a schema.
const SCHEMA_MAX: usize = 32_768;
/// Most bytes that a template makes of samples.
const SAMPLE_MAX: usize = 400_000;

/// A message, unchecked.
#[derive(Debug, Clone, Default)]
pub struct SpokenInput {
    /// Who says it.
    pub role: Option<SpokenBy>,
    /// What.
    pub template: Option<String>,
}

/// An example, unchecked.
#[derive(Debug, Clone, Default)]
pub struct ExampleInput {
    /// The question.
    pub user: Option<String>,
    /// The answer.
    pub assistant: Option<String>,
}

/// The form of an answer, unchecked.
#[derive(Debug, Clone, Default)]
pub struct AnswerFormInput {
    /// Whether it is JSON; text when absent.
    pub is_json: Option<bool>,
    /// The schema.
    pub schema: Option<Map<String, Value>>,
    /// Whether it must keep the schema to the letter; it must when absent.
    pub strict: Option<bool>,
}

/// Whether steps are asked for, unchecked.
#[derive(Debug, Clone, Default)]
pub struct ReasoningInput {
    /// Whether they are; not when absent.
    pub has_steps: Option<bool>,
    /// In which words.
    pub asked: Option<String>,
    /// The line before the answer.
    pub marker: Option<String>,
}

/// What makes a version, unchecked.
#[derive(Debug, Clone, Default)]
pub struct ContentInput {
    /// The messages.
    pub messages: Vec<SpokenInput>,
    /// Examples.
    pub examples: Vec<ExampleInput>,
    /// Variables.
    pub variables: Vec<VariableInput>,
    /// The model.
    pub model: Option<String>,
    /// How freely words are chosen, 0 to 2.
    pub temperature: Option<f64>,
    /// Of which share of the likeliest words, 0 to 1.
    pub top_p: Option<f64>,
    /// The most tokens of the answer.
    pub max_tokens: Option<i64>,
    /// Texts at which the answer ends.
    pub stop: Vec<String>,
    /// The form of the answer.
    pub answer: AnswerFormInput,
    /// Whether steps are asked for.
    pub reasoning: ReasoningInput,
}

/// What makes a version, but for its templates, which were not tried.
#[derive(Debug, Clone, PartialEq)]
pub struct Untried(PromptContent);

impl Untried {
    /// Tries every template against the variables.
    ///
    /// # Errors
    /// [`crate::Error::Invalid`] names each template with a fault, and what it is.
    pub async fn tried(self, templates: &dyn Templates) -> Result<PromptContent> {
        let mut violations = Violations::default();
        let variables = &self.0.variables;
        let samples = Arc::new(sample(variables));
        Tried { templates, variables, samples }.all(&self.0, &mut violations).await;
        violations.into_result()?;
        Ok(self.0)
    }
}

impl ContentInput {
    /// Checks every field; breaches go to `violations`.
    pub fn check(&self, violations: &mut Violations) -> Option<Untried> {
        let before = violations.iter().count();
        let messages = self.messages(violations);
        let examples = self.examples(violations);
        let variables = self.variables(violations);
        let answer = self.answer(violations);
        let reasoning = self.reasoning(violations);
        if let Some(model) = &self.model {
            violations.check("/model", text::line(model, 1, 100));
        }
        share("/temperature", self.temperature, 2.0, violations);
        share("/topP", self.top_p, 1.0, violations);
        let max_tokens = match self.max_tokens {
            Some(most) => {
                let fits = u32::try_from(most).ok().filter(|most| (1..=1_000_000).contains(most));
                violations.check(
                    "/maxTokens",
                    fits.ok_or_else(|| Breach::new("range", "must be a whole number from 1 to 1000000")),
                )
            }
            None => None,
        };
        if self.stop.len() > STOPS_MOST {
            violations.add("/stop", "max_items", format!("must have at most {STOPS_MOST} items"));
        }
        for (index, stop) in self.stop.iter().enumerate() {
            let field = format!("/stop/{index}");
            // Line breaks alone are often meant.
            if stop.is_empty() {
                violations.add(field, "min_length", "must have at least 1 character");
            } else {
                violations.check(field, text::paragraph(stop, 0, 100));
            }
        }
        if violations.iter().count() > before {
            return None;
        }
        Some(Untried(PromptContent {
            messages,
            examples,
            variables,
            model: self.model.clone(),
            temperature: self.temperature,
            top_p: self.top_p,
            max_tokens,
            stop: self.stop.clone(),
            answer,
            reasoning,
        }))
    }

    fn messages(&self, violations: &mut Violations) -> Vec<Spoken> {
        if self.messages.is_empty() || self.messages.len() > MESSAGES_MOST {
            violations.add("/messages", "max_items", format!("must have 1 to {MESSAGES_MOST} items"));
            return Vec::new();
        }
        let mut all = Vec::new();
        for (index, given) in self.messages.iter().enumerate() {
            let role = given.role.or_else(|| violations.missing(format!("/messages/{index}/role")));
            let template = template_of(format!("/messages/{index}/template"), given.template.as_deref(), violations);
            all.extend(role.zip(template).map(|(role, template)| Spoken { role, template }));
        }
        let others = all.iter().skip_while(|spoken| spoken.role == SpokenBy::System);
        if others.clone().any(|spoken| spoken.role == SpokenBy::System) {
            violations.add("/messages", "order", "must have those of the role system first");
        } else if others.last().is_some_and(|last| last.role != SpokenBy::User) {
            violations.add(
                "/messages",
                "order",
                "must end with one of the role user, unless all are of the role system",
            );
        }
        all
    }

    fn examples(&self, violations: &mut Violations) -> Vec<Example> {
        if self.examples.len() > EXAMPLES_MOST {
            violations.add("/examples", "max_items", format!("must have at most {EXAMPLES_MOST} items"));
            return Vec::new();
        }
        let mut all = Vec::new();
        for (index, given) in self.examples.iter().enumerate() {
            let user = template_of(format!("/examples/{index}/user"), given.user.as_deref(), violations);
            let answer = template_of(format!("/examples/{index}/assistant"), given.assistant.as_deref(), violations);
            all.extend(user.zip(answer).map(|(user, assistant)| Example { user, assistant }));
        }
        all
    }

    fn variables(&self, violations: &mut Violations) -> Vec<Variable> {
        if self.variables.len() > VARIABLES_MOST {
            violations.add("/variables", "max_items", format!("must have at most {VARIABLES_MOST} items"));
            return Vec::new();
        }
        let mut all: Vec<Variable> = Vec::new();
        for (index, given) in self.variables.iter().enumerate() {
            let Some(variable) = given.check(&format!("/variables/{index}"), violations) else { continue };
            if all.iter().any(|other| other.name == variable.name) {
                violations.add(format!("/variables/{index}/name"), "unique", "is declared before");
            }
            all.push(variable);
        }
        all
    }

    fn answer(&self, violations: &mut Violations) -> AnswerForm {
        let AnswerFormInput { is_json, schema, strict } = &self.answer;
        if *is_json != Some(true) {
            if schema.is_some() || strict.is_some() {
                violations.add("/answer/schema", "consistent", "is for answers of the type json");
            }
            return AnswerForm::Text;
        }
        let Some(schema) = schema else {
            violations.missing::<()>("/answer/schema");
            return AnswerForm::Text;
        };
        let schema = Value::Object(schema.clone());
        let text = schema.to_string();
        if text.len() > SCHEMA_MAX {
            violations.add("/answer/schema", "max_length", format!("must have at most {SCHEMA_MAX} bytes"));
        } else if text.contains("\\u0000") {
            violations.add("/answer/schema", "control_character", "must not contain the character U+0000");
        } else if schema.get("type").and_then(Value::as_str) != Some("object") {
            violations.add("/answer/schema/type", "enum", "must be object, which is what providers take");
        }
        AnswerForm::Json { schema, strict: strict.unwrap_or(true) }
    }

    fn reasoning(&self, violations: &mut Violations) -> Reasoning {
        let ReasoningInput { has_steps, asked, marker } = &self.reasoning;
        if *has_steps != Some(true) {
            if asked.is_some() || marker.is_some() {
                violations.add("/reasoning/form", "consistent", "must be steps where words or a marker are given");
            }
            return Reasoning::None;
        }
        let asked = asked.as_deref().unwrap_or(Reasoning::ASKED);
        let asked = violations.check("/reasoning/asked", text::paragraph(asked, 1, 2_000));
        let marker = marker.as_deref().unwrap_or(Reasoning::MARKER).trim();
        let marker = violations.check("/reasoning/marker", text::line(marker, 1, 100));
        match asked.zip(marker) {
            Some((asked, marker)) => Reasoning::Steps { asked, marker },
            None => Reasoning::None,
        }
    }
}

fn template_of(field: String, given: Option<&str>, violations: &mut Violations) -> Option<String> {
    match given {
        Some(template) => violations.check(field, text::paragraph(template, 1, TEMPLATE_MAX)),
        None => violations.missing(field),
    }
}

fn share(field: &'static str, given: Option<f64>, most: f64, violations: &mut Violations) {
    if given.is_some_and(|given| !(0.0..=most).contains(&given)) {
        violations.add(field, "range", format!("must be a number from 0 to {most}"));
    }
}

/// Tries the templates of a version.
struct Tried<'a> {
    templates: &'a dyn Templates,
    variables: &'a [Variable],
    samples: Arc<Map<String, Value>>,
}

impl Tried<'_> {
    async fn all(&self, content: &PromptContent, violations: &mut Violations) {
        for (index, spoken) in content.messages.iter().enumerate() {
            self.one(&format!("/messages/{index}/template"), &spoken.template, violations).await;
        }
        for (index, example) in content.examples.iter().enumerate() {
            self.one(&format!("/examples/{index}/user"), &example.user, violations).await;
            self.one(&format!("/examples/{index}/assistant"), &example.assistant, violations).await;
        }
    }

    async fn one(&self, field: &str, template: &str, violations: &mut Violations) {
        let names = match self.templates.names(template).await {
            Ok(names) => names,
            Err(fault) => return violations.add(field, "template", told(&fault)),
        };
        let unknown = names.iter().find(|name| !self.variables.iter().any(|variable| variable.name == **name));
        if let Some(name) = unknown {
            let line = line_of(template, name).map(|line| format!("line {line}: ")).unwrap_or_default();
            let message =
                format!("{line}names {name}, which is no variable; declare it in /variables, or correct the name");
            return violations.add(field, "unknown_variable", message);
        }
        // What depends on values is told when there are some; what names none has no other.
        if let Err(fault) = self.templates.render(template, &self.samples, SAMPLE_MAX).await
            && (fault.is_lasting || names.is_empty())
        {
            violations.add(field, "template", told(&fault));
        }
    }
}

fn told(fault: &TemplateFault) -> String {
    match fault.line {
        Some(line) => format!("line {line}: {}", fault.message),
        None => fault.message.clone(),
    }
}

/// The line, from 1, in which a name stands first as a word of its own.
fn line_of(template: &str, name: &str) -> Option<usize> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let has = |line: &str| line.split(|c| !is_part(c)).any(|word| word == name);
    template.lines().position(has).map(|index| index + 1)
}
