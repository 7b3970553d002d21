//! An answer in the words of this protocol.

use domain::assistant::{ChatEvent, ChatReply, Fault, FaultClass, Finish, ToolCall, Usage};
use serde::Deserialize;
use serde_json::Value;

use crate::llm::errors::{cut, unreadable};

#[derive(Deserialize)]
struct Body {
    #[serde(default)]
    choices: Vec<Choice>,
    usage: Option<Used>,
    error: Option<Value>,
}

#[derive(Deserialize)]
struct Choice {
    #[serde(default)]
    index: u32,
    #[serde(alias = "delta")]
    message: Option<Said>,
    finish_reason: Option<String>,
}

#[derive(Default, Deserialize)]
struct Said {
    content: Option<String>,
    reasoning_content: Option<String>,
    /// The same, as some call it; others put more than a text there.
    reasoning: Option<Value>,
    refusal: Option<String>,
    tool_calls: Option<Vec<Wanted>>,
}

impl Said {
    fn thoughts(&mut self) -> Option<String> {
        self.reasoning_content.take().or_else(|| self.reasoning.as_ref()?.as_str().map(str::to_owned))
    }
}

#[derive(Deserialize)]
struct Wanted {
    index: Option<u32>,
    id: Option<String>,
    function: Option<Function>,
}

#[derive(Default, Deserialize)]
struct Function {
    name: Option<String>,
    arguments: Option<String>,
}

#[derive(Deserialize)]
struct Used {
    #[serde(default)]
    prompt_tokens: u64,
    #[serde(default)]
    completion_tokens: u64,
    prompt_tokens_details: Option<Details>,
    completion_tokens_details: Option<Details>,
}

#[derive(Deserialize)]
struct Details {
    cached_tokens: Option<u64>,
    reasoning_tokens: Option<u64>,
}

impl From<Used> for Usage {
    fn from(used: Used) -> Self {
        Self {
            prompt: used.prompt_tokens,
            completion: used.completion_tokens,
            cached: used.prompt_tokens_details.and_then(|details| details.cached_tokens).unwrap_or_default(),
            reasoning: used.completion_tokens_details.and_then(|details| details.reasoning_tokens).unwrap_or_default(),
        }
    }
}

fn finish(reason: &str) -> Finish {
    match reason {
        "length" => Finish::Length,
        "tool_calls" | "function_call" => Finish::Tools,
        "content_filter" => Finish::Filtered,
        _ => Finish::Stop,
    }
}

/// A whole answer; `None` when it is none.
pub(super) fn whole(bytes: &[u8]) -> Option<ChatReply> {
    let body: Body = serde_json::from_slice(bytes).ok()?;
    // What further choices say counts in the usage; the first one is the answer.
    let first = body.choices.into_iter().next()?;
    let mut said = first.message.unwrap_or_default();
    let reasoning = said.thoughts().unwrap_or_default();
    let calls = said.tool_calls.unwrap_or_default().into_iter().map(|wanted| {
        let function = wanted.function.unwrap_or_default();
        ToolCall {
            id: wanted.id.unwrap_or_default(),
            name: function.name.unwrap_or_default(),
            arguments: function.arguments.unwrap_or_default(),
            signature: None,
        }
    });
    Some(ChatReply {
        text: said.content.or(said.refusal).unwrap_or_default(),
        reasoning,
        tool_calls: calls.collect(),
        finish: first.finish_reason.as_deref().map_or(Finish::Stop, finish),
        usage: body.usage.map(Usage::from),
    })
}

/// What a piece says.
pub(super) fn piece(bytes: &[u8]) -> Result<Vec<ChatEvent>, Fault> {
    let body: Body = serde_json::from_slice(bytes).map_err(|_| unreadable())?;
    if let Some(error) = body.error {
        let message = error.get("message").and_then(Value::as_str).unwrap_or("The provider failed").to_owned();
        return Err(Fault { class: FaultClass::Cut, message, ..cut() });
    }
    let mut events = Vec::new();
    for choice in body.choices {
        let mut said = choice.message.unwrap_or_default();
        let thoughts = said.thoughts();
        let texts = [said.content, said.refusal].into_iter().flatten();
        events.extend(texts.filter(|text| !text.is_empty()).map(ChatEvent::Text));
        events.extend(thoughts.filter(|text| !text.is_empty()).map(ChatEvent::Reasoning));
        for (place, wanted) in said.tool_calls.unwrap_or_default().into_iter().enumerate() {
            let function = wanted.function.unwrap_or_default();
            events.push(ChatEvent::Tool {
                index: wanted.index.unwrap_or_else(|| u32::try_from(place).unwrap_or_default()),
                id: wanted.id.filter(|id| !id.is_empty()),
                name: function.name.filter(|name| !name.is_empty()),
                arguments: function.arguments.unwrap_or_default(),
                signature: None,
            });
        }
        if choice.index == 0 {
            events.extend(choice.finish_reason.as_deref().map(|reason| ChatEvent::Finish(finish(reason))));
        }
    }
    events.extend(body.usage.map(|used| ChatEvent::Usage(used.into())));
    Ok(events)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_read_with_all_it_used() {
        let reply = whole(
            br#"{"id":"x","choices":[{"index":0,"message":{"role":"assistant","content":"Hi","reasoning_content":"hm","new":1},
            "finish_reason":"length"}],"usage":{"prompt_tokens":7,"completion_tokens":5,"total_tokens":12,
            "prompt_tokens_details":{"cached_tokens":3},"completion_tokens_details":{"reasoning_tokens":2}}}"#,
        )
        .unwrap();
        assert_eq!((reply.text.as_str(), reply.reasoning.as_str(), reply.finish), ("Hi", "hm", Finish::Length));
        assert_eq!(reply.usage, Some(Usage { prompt: 7, completion: 5, cached: 3, reasoning: 2 }));
        assert!(whole(b"{}").is_none() && whole(b"<html>").is_none() && whole(br#"{"choices":[]}"#).is_none());
    }

    #[test]
    fn pieces_are_read_and_an_error_among_them_is_a_cut() {
        let events = piece(
            br#"{"choices":[{"index":0,"delta":{"tool_calls":[{"index":1,"id":"c","function":{"name":"f","arguments":"{"}}]}}]}"#,
        );
        let tool = ChatEvent::Tool {
            index: 1,
            id: Some("c".to_owned()),
            name: Some("f".to_owned()),
            arguments: "{".to_owned(),
            signature: None,
        };
        assert_eq!(events.unwrap(), [tool]);
        assert!(piece(br#"{"choices":[],"usage":null}"#).unwrap().is_empty());
        assert_eq!(piece(br#"{"error":{"message":"overloaded"}}"#).unwrap_err().class, FaultClass::Cut);
        assert_eq!(piece(b"{\"choices\":").unwrap_err().class, FaultClass::InvalidAnswer);
    }
}
