//! A line of a batch: how it reads, and what became of it.

use std::{ops::Range, time::Duration};

use serde_json::{Map, Value};

use super::{Endpoint, LineFault};
use crate::{assistant::Usage, clock::Timestamp};

/// Most characters of what a line is called.
const NAME: usize = 512;

/// A line that was found good: where it stands in its file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewLine {
    /// Which one, from 1; lines without anything count too.
    pub number: u64,
    /// What whoever asks calls it.
    pub custom_id: String,
    /// Its bytes in the file.
    pub place: Range<u64>,
}

/// A line that has no outcome yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WaitingLine {
    /// Which one.
    pub number: u64,
    /// Its bytes in the file.
    pub place: Range<u64>,
    /// How often it was asked.
    pub attempts: u32,
}

/// The lines of a batch that have no outcome yet.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Waiting {
    /// How many there are.
    pub lines: u64,
    /// When the first of them is due.
    pub due: Option<Timestamp>,
}

/// The outcome of a line. `Debug` shows how it went, never what was said.
#[derive(Clone, PartialEq, Eq)]
pub enum LineEnd {
    /// A model or the door answered: with 200 it is an answer, else a refusal.
    Answered {
        /// The status the door would have given.
        status: u16,
        /// The id of the request.
        request: String,
        /// The body, as one line of JSON.
        body: String,
    },
    /// It was not asked.
    Unasked {
        /// A word for why.
        code: String,
        /// Why.
        message: String,
    },
}

impl LineEnd {
    /// Whether it is an answer.
    pub fn is_answer(&self) -> bool {
        matches!(self, Self::Answered { status: 200, .. })
    }
}

impl std::fmt::Debug for LineEnd {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Answered { status, .. } => write!(f, "Answered({status})"),
            Self::Unasked { code, .. } => write!(f, "Unasked({code})"),
        }
    }
}

/// A line that has its outcome.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndedLine {
    /// Which one.
    pub number: u64,
    /// What whoever asks calls it.
    pub custom_id: String,
    /// What became of it.
    pub end: LineEnd,
}

/// What a door says to a line. `Debug` shows how it went, never what was said.
#[derive(Clone, PartialEq, Eq)]
pub enum Said {
    /// An answer.
    Answer {
        /// The body, as one line of JSON.
        body: String,
        /// What it used.
        usage: Usage,
    },
    /// The line is at fault: asked again it is refused again.
    Refused {
        /// The status.
        status: u16,
        /// The body, as one line of JSON.
        body: String,
    },
    /// Somebody failed: asked again it may be answered.
    Failed {
        /// The status.
        status: u16,
        /// The body, as one line of JSON.
        body: String,
    },
    /// A limit, a budget or a provider says when to come again.
    Later {
        /// After how long.
        after: Duration,
        /// The status.
        status: u16,
        /// The body, as one line of JSON.
        body: String,
    },
}

impl std::fmt::Debug for Said {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Answer { usage, .. } => write!(f, "Answer({usage:?})"),
            Self::Refused { status, .. } => write!(f, "Refused({status})"),
            Self::Failed { status, .. } => write!(f, "Failed({status})"),
            Self::Later { after, status, .. } => write!(f, "Later({after:?}, {status})"),
        }
    }
}

/// A line as it reads.
pub(super) struct Read {
    pub(super) custom_id: String,
    pub(super) body: Map<String, Value>,
}

/// Reads a line.
///
/// # Errors
/// What is wrong with it.
pub(super) fn read(bytes: &[u8], endpoint: Endpoint) -> Result<Read, LineFault> {
    let mut line: Map<String, Value> = serde_json::from_slice(bytes).map_err(|fault| {
        // What the parser says may repeat what stands there; where it stands does not.
        let message = format!("This line is not a JSON object (column {})", fault.column());
        LineFault::new("invalid_json_line", message)
    })?;
    let fits = |name: &&str| (1..=NAME).contains(&name.chars().count()) && !name.chars().any(char::is_control);
    let custom_id = line.get("custom_id").and_then(Value::as_str).filter(fits).map(str::to_owned);
    let custom_id = custom_id.ok_or_else(|| {
        let message = format!("'custom_id' must be a text of 1 to {NAME} characters");
        LineFault::new("invalid_custom_id", message).of("custom_id")
    })?;
    if line.get("method").and_then(Value::as_str) != Some("POST") {
        return Err(LineFault::new("invalid_method", "'method' must be POST").of("method"));
    }
    if line.get("url").and_then(Value::as_str) != Some(endpoint.path()) {
        let message = format!("'url' must be {}, the endpoint of the batch", endpoint.path());
        return Err(LineFault::new("mismatched_url", message).of("url"));
    }
    let Some(Value::Object(body)) = line.remove("body") else {
        return Err(LineFault::new("invalid_body", "'body' must be an object").of("body"));
    };
    Ok(Read { custom_id, body })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_a_name_a_method_its_url_and_a_body() {
        let good = r#"{"custom_id":"a","method":"POST","url":"/v1/embeddings","body":{"model":"m"}}"#;
        let line = read(good.as_bytes(), Endpoint::Embeddings).ok().unwrap();
        assert_eq!((line.custom_id.as_str(), line.body["model"].as_str()), ("a", Some("m")));
        let code = |text: &str| read(text.as_bytes(), Endpoint::Embeddings).map(|_| ()).unwrap_err().code;
        assert_eq!(code(""), "invalid_json_line");
        assert_eq!(code("[1]"), "invalid_json_line");
        assert_eq!(code("{}"), "invalid_custom_id");
        assert_eq!(code(&good.replace("\"a\"", "\"\"")), "invalid_custom_id");
        assert_eq!(code(&good.replace("\"a\"", "\"a\\u0000\"")), "invalid_custom_id");
        assert_eq!(code(&good.replace("\"a\"", &format!("\"{}\"", "x".repeat(513)))), "invalid_custom_id");
        assert_eq!(code(&good.replace("POST", "GET")), "invalid_method");
        assert_eq!(code(&good.replace("embeddings", "chat/completions")), "mismatched_url");
        assert_eq!(code(&good.replace("{\"model\":\"m\"}", "7")), "invalid_body");
        let secret = read(b"{\"body\": my secret}", Endpoint::Chat).map(|_| ()).unwrap_err();
        assert!(!secret.message.contains("secret"), "nothing of what stands there is repeated");
    }
}
