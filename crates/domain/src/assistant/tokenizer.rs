//! By which tokenizer a model counts, where that is known.

use std::sync::Arc;

use async_trait::async_trait;

use super::{ChatRequest, Part, ResponseFormat, tokens::MESSAGE};

/// A tokenizer of the models of `OpenAI`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tokenizer {
    /// That of GPT-4o and what came after it.
    O200kBase,
    /// That of GPT-4 and GPT-3.5, and of the models that make vectors.
    Cl100kBase,
}

/// What the names of models begin with, and by what those count; the first that fits.
const KNOWN: [(&str, Tokenizer); 13] = [
    ("gpt-4o", Tokenizer::O200kBase),
    ("chatgpt-4o", Tokenizer::O200kBase),
    ("gpt-4.1", Tokenizer::O200kBase),
    ("gpt-4.5", Tokenizer::O200kBase),
    ("gpt-5", Tokenizer::O200kBase),
    ("gpt-oss", Tokenizer::O200kBase),
    ("o1", Tokenizer::O200kBase),
    ("o3", Tokenizer::O200kBase),
    ("o4", Tokenizer::O200kBase),
    ("gpt-4", Tokenizer::Cl100kBase),
    ("gpt-3.5", Tokenizer::Cl100kBase),
    ("text-embedding-3", Tokenizer::Cl100kBase),
    ("text-embedding-ada", Tokenizer::Cl100kBase),
];

impl Tokenizer {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::O200kBase => "o200k_base",
            Self::Cl100kBase => "cl100k_base",
        }
    }

    /// That of a model, by the name that its provider gave it; some stand behind the name of their maker, as `openai/gpt-4o`.
    pub fn of_model(name: &str) -> Option<Self> {
        let name = name.rsplit('/').next()?.to_ascii_lowercase();
        let fits = |begin: &str| {
            let rest = name.strip_prefix(begin)?;
            // What goes on in a letter or a digit is another name.
            (!rest.starts_with(|c: char| c.is_ascii_alphanumeric())).then_some(())
        };
        KNOWN.iter().find(|(begin, _)| fits(begin).is_some()).map(|(_, tokenizer)| *tokenizer)
    }
}

/// Counts tokens as a model does.
#[async_trait]
pub trait TokenCounter: Send + Sync {
    /// About how many tokens each of these texts has. MUST end in a bounded time for whatever texts, and MUST NOT hold up others
    /// meanwhile: of long ones it may count a part.
    async fn count(&self, texts: Vec<String>) -> Vec<u64>;
}

/// Counts by the tokenizer of a model. Clones share it.
pub type Counts = Arc<dyn TokenCounter>;

/// About how many tokens a question has, counted as its model does.
pub(super) async fn counted(counts: &Counts, request: &ChatRequest) -> u64 {
    total(counts, texts(request)).await.saturating_add(around(request))
}

/// What stands around the texts of a question.
pub(super) fn around(request: &ChatRequest) -> u64 {
    let parts = u64::try_from(request.messages.len() + request.tools.len()).unwrap_or(u64::MAX);
    parts.saturating_mul(MESSAGE / 2)
}

/// How many tokens some texts have together.
pub(super) async fn total(counts: &Counts, texts: Vec<String>) -> u64 {
    counts.count(texts).await.into_iter().fold(0, u64::saturating_add)
}

/// Every text of a question.
pub(super) fn texts(request: &ChatRequest) -> Vec<String> {
    let mut texts = Vec::new();
    for message in &request.messages {
        texts.extend(message.parts.iter().filter_map(|part| match part {
            Part::Text(text) => Some(text.clone()),
            Part::Image(_) => None,
        }));
        texts.extend(message.tool_calls.iter().flat_map(|call| [call.name.clone(), call.arguments.clone()]));
    }
    for tool in &request.tools {
        texts.extend([tool.name.clone(), tool.description.clone(), tool.parameters.to_string()]);
    }
    if let ResponseFormat::Schema { schema, .. } = &request.format {
        texts.push(schema.to_string());
    }
    texts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn models_are_known_by_their_names_and_others_are_not_taken_for_them() {
        for (name, expected) in [
            ("gpt-4o-mini", Some(Tokenizer::O200kBase)),
            ("openai/gpt-4o", Some(Tokenizer::O200kBase)),
            ("GPT-5.1", Some(Tokenizer::O200kBase)),
            ("o3", Some(Tokenizer::O200kBase)),
            ("o4-mini", Some(Tokenizer::O200kBase)),
            ("gpt-oss:20b", Some(Tokenizer::O200kBase)),
            ("gpt-4-turbo", Some(Tokenizer::Cl100kBase)),
            ("gpt-3.5-turbo", Some(Tokenizer::Cl100kBase)),
            ("text-embedding-3-small", Some(Tokenizer::Cl100kBase)),
            ("text-embedding-ada-002", Some(Tokenizer::Cl100kBase)),
            ("text-embedding-004", None),
            ("gpt-40", None),
            ("o30b", None),
            ("claude-sonnet-4-5", None),
            ("llama3.2", None),
            ("", None),
        ] {
            assert_eq!(Tokenizer::of_model(name), expected, "{name}");
        }
    }
}
