//! Claude, by the Messages protocol of Anthropic.

mod request;
mod stream;

use async_trait::async_trait;
use domain::assistant::{
    ChatReply, ChatRequest, Fault, Finish, ToolCall, Usage,
    ports::{ChatStream, Completed, LanguageModel},
};
use serde_json::Value;

use super::{endpoint::Endpoint, errors::unreadable};

const PATH: &[&str] = &["messages"];
/// The tool by which an answer is made to keep a schema: its arguments are the answer.
const ANSWER: &str = "answer";

/// A model of Anthropic.
#[derive(Debug)]
pub(super) struct Anthropic {
    at: Endpoint,
    model: String,
}

impl Anthropic {
    pub(super) fn new(at: Endpoint, model: &str) -> Self {
        Self { at, model: model.to_owned() }
    }
}

#[async_trait]
impl LanguageModel for Anthropic {
    async fn complete(&self, request: &ChatRequest) -> Result<Completed, Fault> {
        let body = request::body(request, &self.model, false)?;
        let bytes = self.at.whole(PATH, &body).await?;
        let answer: Value = serde_json::from_slice(&bytes).map_err(|_| unreadable())?;
        Ok(Completed { reply: reply(&answer).ok_or_else(unreadable)?, raw: None })
    }

    async fn stream(&self, request: &ChatRequest) -> Result<Box<dyn ChatStream>, Fault> {
        let body = request::body(request, &self.model, true)?;
        Ok(Box::new(stream::Stream::new(self.at.events(PATH, &[], &body).await?)))
    }
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value.get(name).and_then(Value::as_str).unwrap_or_default()
}

fn reply(answer: &Value) -> Option<ChatReply> {
    let mut said = ChatReply {
        text: String::new(),
        reasoning: String::new(),
        tool_calls: Vec::new(),
        finish: finish(text(answer, "stop_reason")),
        usage: answer.get("usage").map(|used| usage(used, Usage::default())),
    };
    for block in answer.get("content")?.as_array()? {
        match text(block, "type") {
            "text" => said.text.push_str(text(block, "text")),
            "thinking" => said.reasoning.push_str(text(block, "thinking")),
            "tool_use" if text(block, "name") == ANSWER => {
                said.text.push_str(&block.get("input")?.to_string());
                said.finish = Finish::Stop;
            }
            "tool_use" => said.tool_calls.push(ToolCall {
                id: text(block, "id").to_owned(),
                name: text(block, "name").to_owned(),
                arguments: block.get("input")?.to_string(),
                signature: None,
            }),
            _ => {}
        }
    }
    Some(said)
}

fn finish(reason: &str) -> Finish {
    match reason {
        "max_tokens" | "model_context_window_exceeded" => Finish::Length,
        "tool_use" => Finish::Tools,
        "refusal" => Finish::Filtered,
        _ => Finish::Stop,
    }
}

/// What was used, by what is told anew and what was told before.
fn usage(used: &Value, before: Usage) -> Usage {
    let told = |name: &str| used.get(name).and_then(Value::as_u64);
    let read = told("cache_read_input_tokens");
    // What is read from or written to their cache does not count among the tokens of the input.
    let prompt = told("input_tokens")
        .map(|input| input + read.unwrap_or_default() + told("cache_creation_input_tokens").unwrap_or_default());
    Usage {
        prompt: prompt.filter(|prompt| *prompt > 0).unwrap_or(before.prompt),
        completion: told("output_tokens").unwrap_or(before.completion),
        cached: read.unwrap_or(before.cached),
        reasoning: before.reasoning,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_answer_is_read_and_that_of_a_schema_is_its_text() {
        let answer = json!({
            "content": [
                { "type": "thinking", "thinking": "hm" }, { "type": "text", "text": "Let me see." },
                { "type": "tool_use", "id": "t1", "name": "find", "input": { "q": 1 } },
            ],
            "stop_reason": "tool_use",
            "usage": { "input_tokens": 5, "cache_read_input_tokens": 20, "cache_creation_input_tokens": 1, "output_tokens": 9 },
        });
        let said = reply(&answer).unwrap();
        assert_eq!((said.text.as_str(), said.reasoning.as_str(), said.finish), ("Let me see.", "hm", Finish::Tools));
        assert_eq!(said.tool_calls[0].arguments, r#"{"q":1}"#);
        assert_eq!(said.usage, Some(Usage { prompt: 26, completion: 9, cached: 20, reasoning: 0 }));
        let answer = json!({
            "content": [{ "type": "tool_use", "id": "t1", "name": "answer", "input": { "a": true } }], "stop_reason": "tool_use",
        });
        let said = reply(&answer).unwrap();
        assert_eq!((said.text.as_str(), said.finish, said.usage), (r#"{"a":true}"#, Finish::Stop, None));
        assert!(reply(&json!({ "content": "x" })).is_none());
    }
}
