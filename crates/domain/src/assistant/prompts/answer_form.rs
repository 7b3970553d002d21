//! The form of an answer, whether the steps to it are asked for, and how the two are taken apart.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::super::ResponseFormat;

/// Where the steps stand in an answer of JSON. Sorted by name they come before the result, so that a model writes them first.
const STEPS: &str = "reasoning";
/// Where the result stands beside them.
const RESULT: &str = "result";
/// What the schema of an answer is called.
const SCHEMA: &str = "answer";

/// The form of an answer.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "camelCase")]
pub enum AnswerForm {
    /// Text.
    #[default]
    Text,
    /// JSON that keeps a schema.
    Json {
        /// The schema.
        schema: Value,
        /// Whether to the letter, where the provider can see to that.
        strict: bool,
    },
}

/// Whether the steps to an answer are asked for before it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "form", rename_all = "camelCase")]
pub enum Reasoning {
    /// They are not.
    #[default]
    None,
    /// They are.
    Steps {
        /// In these words, for the model.
        asked: String,
        /// The line that stands between them and an answer of text.
        marker: String,
    },
}

impl Reasoning {
    /// The words that ask for steps where a prompt has none of its own.
    pub(super) const ASKED: &'static str = "Think step by step before you answer.";
    /// The line between steps and answer where a prompt has none of its own.
    pub(super) const MARKER: &'static str = "### Answer";

    /// What a model is told of it.
    pub(super) fn words(&self, answer: &AnswerForm) -> Option<String> {
        let Self::Steps { asked, marker } = self else { return None };
        Some(match answer {
            AnswerForm::Text => {
                format!("{asked}\nWrite the steps first. Then write the line\n{marker}\nand below it the answer alone.")
            }
            AnswerForm::Json { .. } => {
                format!("{asked}\nWrite the steps into \"{STEPS}\" first, and the answer alone into \"{RESULT}\".")
            }
        })
    }
}

impl AnswerForm {
    /// The format that is asked of a model.
    pub(super) fn format(&self, reasoning: &Reasoning) -> ResponseFormat {
        let Self::Json { schema, strict } = self else { return ResponseFormat::Text };
        let schema = match reasoning {
            Reasoning::None => schema.clone(),
            Reasoning::Steps { .. } => json!({
                "type": "object",
                "properties": { STEPS: { "type": "string" }, RESULT: schema },
                "required": [STEPS, RESULT],
                "additionalProperties": false,
            }),
        };
        ResponseFormat::Schema { name: SCHEMA.to_owned(), schema, strict: *strict }
    }
}

/// An answer, taken apart.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Apart {
    /// The answer where it is text.
    pub text: Option<String>,
    /// The answer where it is JSON.
    pub json: Option<Value>,
    /// The steps to it.
    pub reasoning: Option<String>,
    /// Whether the steps stood where they were asked for; `None` when none were.
    pub is_marked: Option<bool>,
}

/// Takes an answer apart. Without its mark all of it is the answer, and it says so. `None` for an answer that is to be JSON and is not.
pub fn take_apart(answer: &AnswerForm, reasoning: &Reasoning, text: &str) -> Option<Apart> {
    match (answer, reasoning) {
        (AnswerForm::Text, Reasoning::None) => Some(Apart { text: Some(text.to_owned()), ..Apart::default() }),
        (AnswerForm::Text, Reasoning::Steps { marker, .. }) => Some(match cut(text, marker) {
            Some((steps, rest)) => Apart {
                text: Some(rest.trim().to_owned()),
                reasoning: Some(steps.trim().to_owned()),
                is_marked: Some(true),
                ..Apart::default()
            },
            None => Apart { text: Some(text.to_owned()), is_marked: Some(false), ..Apart::default() },
        }),
        (AnswerForm::Json { .. }, Reasoning::None) => {
            Some(Apart { json: Some(serde_json::from_str(unfenced(text)).ok()?), ..Apart::default() })
        }
        (AnswerForm::Json { .. }, Reasoning::Steps { .. }) => {
            let value: Value = serde_json::from_str(unfenced(text)).ok()?;
            Some(match value.as_object().and_then(stepped) {
                Some((steps, result)) => {
                    Apart { json: Some(result), reasoning: Some(steps), is_marked: Some(true), ..Apart::default() }
                }
                None => Apart { json: Some(value), is_marked: Some(false), ..Apart::default() },
            })
        }
    }
}

fn stepped(object: &Map<String, Value>) -> Option<(String, Value)> {
    Some((object.get(STEPS)?.as_str()?.to_owned(), object.get(RESULT)?.clone()))
}

/// What stands before and after the last line that is the marker and nothing else: steps may speak of it.
fn cut<'a>(text: &'a str, marker: &str) -> Option<(&'a str, &'a str)> {
    let mut found = None;
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        if line.trim() == marker {
            found = Some((at, at + line.len()));
        }
        at += line.len();
    }
    let (end, begin) = found?;
    Some((text.get(..end)?, text.get(begin..)?))
}

/// Some models put JSON into a fence of Markdown, whatever they are told.
fn unfenced(text: &str) -> &str {
    let text = text.trim();
    let inner = text.strip_prefix("```json").or_else(|| text.strip_prefix("```"));
    inner.and_then(|inner| inner.strip_suffix("```")).map_or(text, str::trim)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn steps() -> Reasoning {
        Reasoning::Steps { asked: "Think.".to_owned(), marker: "### Answer".to_owned() }
    }

    fn json_form() -> AnswerForm {
        AnswerForm::Json { schema: json!({ "type": "object" }), strict: true }
    }

    #[test]
    fn steps_stand_before_the_last_marker() {
        let text = "First: the line\n### Answer\ncomes later.\n  ### Answer \n\nForty-two.\n";
        let apart = take_apart(&AnswerForm::Text, &steps(), text).unwrap();
        assert_eq!(apart.text.as_deref(), Some("Forty-two."));
        assert_eq!(apart.reasoning.as_deref(), Some("First: the line\n### Answer\ncomes later."));
        assert_eq!(apart.is_marked, Some(true));
        for whole in ["Forty-two.", "It is ### Answer 42", ""] {
            let apart = take_apart(&AnswerForm::Text, &steps(), whole).unwrap();
            let expected = Apart { text: Some(whole.to_owned()), is_marked: Some(false), ..Apart::default() };
            assert_eq!(apart, expected);
        }
        let words = steps().words(&AnswerForm::Text).unwrap();
        assert!(words.contains("\n### Answer\n"), "{words}");
    }

    #[test]
    fn an_answer_of_json_has_its_steps_in_a_field() {
        let apart =
            take_apart(&json_form(), &steps(), "```json\n{\"reasoning\":\"so\",\"result\":{\"a\":1}}\n```").unwrap();
        assert_eq!((apart.json, apart.reasoning.as_deref()), (Some(json!({ "a": 1 })), Some("so")));
        let bare = take_apart(&json_form(), &steps(), "{\"a\":1}").unwrap();
        assert_eq!((bare.json, bare.reasoning, bare.is_marked), (Some(json!({ "a": 1 })), None, Some(false)));
        let plain = take_apart(&json_form(), &Reasoning::None, "[1]").unwrap();
        assert_eq!((plain.json, plain.is_marked), (Some(json!([1])), None));
        for odd in ["", "Here it is: {}", "{\"a\":"] {
            assert_eq!(take_apart(&json_form(), &steps(), odd), None, "{odd}");
        }
        let ResponseFormat::Schema { schema, strict: true, .. } = json_form().format(&steps()) else { panic!() };
        assert!(schema.to_string().find("\"reasoning\":{") < schema.to_string().find("\"result\":{"), "{schema}");
        assert_eq!(schema["properties"]["result"], json!({ "type": "object" }));
    }
}
