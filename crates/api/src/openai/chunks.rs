//! An answer in the words of this protocol, made from what another one said.

use domain::assistant::{ChatEvent, ChatReply, Finish, ToolCall, Usage};
use serde_json::{Map, Value, json};

/// What an answer is known by.
#[derive(Debug, Clone)]
pub(super) struct Head {
    pub(super) id: String,
    pub(super) created: i64,
    pub(super) model: String,
}

impl Head {
    fn chunk(&self, delta: &Value, finish: Option<&str>) -> Value {
        json!({
            "id": self.id, "object": "chat.completion.chunk", "created": self.created, "model": self.model,
            "choices": [{ "index": 0, "delta": delta, "logprobs": null, "finish_reason": finish }],
        })
    }

    /// What a piece says. What was used is told by [`Head::used`].
    pub(super) fn piece(&self, event: &ChatEvent, is_first: bool) -> Option<Value> {
        let delta = match event {
            ChatEvent::Text(text) => json!({ "content": text }),
            ChatEvent::Reasoning(text) => json!({ "reasoning_content": text }),
            ChatEvent::Tool { index, id, name, arguments, .. } => {
                let mut function = Map::from_iter([("arguments".to_owned(), arguments.as_str().into())]);
                function.extend(name.as_ref().map(|name| ("name".to_owned(), name.as_str().into())));
                let mut call = Map::from_iter([("index".to_owned(), (*index).into())]);
                if let Some(id) = id {
                    call.insert("id".to_owned(), id.as_str().into());
                    call.insert("type".to_owned(), "function".into());
                }
                call.insert("function".to_owned(), function.into());
                json!({ "tool_calls": [call] })
            }
            ChatEvent::Finish(finish) => return Some(self.chunk(&json!({}), Some(reason(*finish)))),
            ChatEvent::Usage(_) => return None,
        };
        let Value::Object(mut delta) = delta else { return None };
        if is_first {
            delta.insert("role".to_owned(), "assistant".into());
        }
        Some(self.chunk(&delta.into(), None))
    }

    /// The last piece, which says what was used; a guess is marked as such.
    pub(super) fn used(&self, usage: Usage, is_estimate: bool) -> Value {
        let mut usage = used(usage);
        if let (true, Some(usage)) = (is_estimate, usage.as_object_mut()) {
            usage.insert("estimated".to_owned(), true.into());
        }
        json!({
            "id": self.id, "object": "chat.completion.chunk", "created": self.created, "model": self.model,
            "choices": [], "usage": usage,
        })
    }

    /// A whole answer.
    pub(super) fn whole(&self, reply: &ChatReply) -> Value {
        let content = if reply.text.is_empty() && !reply.tool_calls.is_empty() {
            Value::Null
        } else {
            reply.text.as_str().into()
        };
        let mut message = Map::from_iter([
            ("role".to_owned(), "assistant".into()),
            ("content".to_owned(), content),
            ("refusal".to_owned(), Value::Null),
        ]);
        if !reply.reasoning.is_empty() {
            message.insert("reasoning_content".to_owned(), reply.reasoning.as_str().into());
        }
        if !reply.tool_calls.is_empty() {
            message.insert("tool_calls".to_owned(), reply.tool_calls.iter().map(call).collect());
        }
        let choice = json!({ "index": 0, "message": message, "logprobs": null, "finish_reason": reason(reply.finish) });
        json!({
            "id": self.id, "object": "chat.completion", "created": self.created, "model": self.model, "choices": [choice],
            "usage": reply.usage.map(used),
        })
    }
}

fn call(call: &ToolCall) -> Value {
    json!({ "id": call.id, "type": "function", "function": { "name": call.name, "arguments": call.arguments } })
}

fn reason(finish: Finish) -> &'static str {
    match finish {
        Finish::Stop => "stop",
        Finish::Length => "length",
        Finish::Tools => "tool_calls",
        Finish::Filtered => "content_filter",
    }
}

fn used(usage: Usage) -> Value {
    json!({
        "prompt_tokens": usage.prompt, "completion_tokens": usage.completion, "total_tokens": usage.total(),
        "prompt_tokens_details": { "cached_tokens": usage.cached },
        "completion_tokens_details": { "reasoning_tokens": usage.reasoning },
    })
}
