//! An answer of Anthropic, piece by piece.

use async_trait::async_trait;
use domain::assistant::{
    ChatEvent, Fault, FaultClass, Finish, Usage,
    ports::{ChatStream, Frame},
};
use serde_json::Value;

use super::{ANSWER, finish, text, usage};
use crate::llm::{
    endpoint::Events,
    errors::{cut, unreadable},
};

/// What came so far.
#[derive(Debug, Default)]
pub(super) struct Heard {
    usage: Usage,
    /// How many tools are wanted.
    tools: u32,
    /// Whether the block that comes is the answer that keeps a schema.
    is_answer: bool,
    /// Whether there was one.
    answered: bool,
}

pub(super) struct Stream {
    events: Events,
    heard: Heard,
}

impl Stream {
    pub(super) fn new(events: Events) -> Self {
        Self { events, heard: Heard::default() }
    }
}

#[async_trait]
impl ChatStream for Stream {
    async fn next(&mut self) -> Result<Option<Frame>, Fault> {
        loop {
            let event = self.events.next().await?.ok_or_else(cut)?;
            let event: Value = serde_json::from_slice(&event.data).map_err(|_| unreadable())?;
            match self.heard.event(&event)? {
                None => return Ok(None),
                Some(events) if events.is_empty() => {}
                Some(events) => return Ok(Some(Frame { events, raw: None })),
            }
        }
    }
}

impl Heard {
    /// What an event says; `None` for the end.
    fn event(&mut self, event: &Value) -> Result<Option<Vec<ChatEvent>>, Fault> {
        let nothing = Value::Null;
        let part = |name: &str| event.get(name).unwrap_or(&nothing);
        Ok(Some(match text(event, "type") {
            "message_stop" => return Ok(None),
            "message_start" => self.used(part("message")),
            "content_block_start" => self.begun(part("content_block")),
            "content_block_delta" => self.more(part("delta")),
            "message_delta" => {
                let mut events = self.used(event);
                let reason = text(part("delta"), "stop_reason");
                if !reason.is_empty() {
                    let only_answer = self.answered && self.tools == 0;
                    events.push(ChatEvent::Finish(if only_answer { Finish::Stop } else { finish(reason) }));
                }
                events
            }
            "error" => {
                let said = text(part("error"), "message");
                return Err(Fault { class: FaultClass::Cut, message: said.to_owned(), ..cut() });
            }
            _ => Vec::new(),
        }))
    }

    fn used(&mut self, of: &Value) -> Vec<ChatEvent> {
        let Some(used) = of.get("usage") else { return Vec::new() };
        self.usage = usage(used, self.usage);
        vec![ChatEvent::Usage(self.usage)]
    }

    fn begun(&mut self, block: &Value) -> Vec<ChatEvent> {
        let is_tool = text(block, "type") == "tool_use";
        self.is_answer = is_tool && text(block, "name") == ANSWER;
        self.answered |= self.is_answer;
        if !is_tool || self.is_answer {
            return Vec::new();
        }
        self.tools += 1;
        vec![ChatEvent::Tool {
            index: self.tools - 1,
            id: Some(text(block, "id").to_owned()),
            name: Some(text(block, "name").to_owned()),
            arguments: String::new(),
            signature: None,
        }]
    }

    fn more(&self, delta: &Value) -> Vec<ChatEvent> {
        let more = |name: &str| text(delta, name).to_owned();
        match text(delta, "type") {
            "text_delta" => vec![ChatEvent::Text(more("text"))],
            "thinking_delta" => vec![ChatEvent::Reasoning(more("thinking"))],
            "input_json_delta" if self.is_answer => vec![ChatEvent::Text(more("partial_json"))],
            "input_json_delta" => vec![ChatEvent::Tool {
                index: self.tools.saturating_sub(1),
                id: None,
                name: None,
                arguments: more("partial_json"),
                signature: None,
            }],
            _ => Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use domain::assistant::Gathered;
    use serde_json::json;

    use super::*;

    #[test]
    fn events_make_an_answer_with_tools_and_the_last_usage() {
        let (mut heard, mut gathered) = (Heard::default(), Gathered::default());
        for event in [
            json!({ "type": "message_start", "message": { "usage": { "input_tokens": 10, "output_tokens": 1 } } }),
            json!({ "type": "ping" }),
            json!({ "type": "content_block_start", "index": 0, "content_block": { "type": "text", "text": "" } }),
            json!({ "type": "content_block_delta", "index": 0, "delta": { "type": "text_delta", "text": "Hi" } }),
            json!({ "type": "content_block_stop", "index": 0 }),
            json!({ "type": "content_block_start", "index": 1, "content_block": { "type": "tool_use", "id": "t", "name": "find", "input": {} } }),
            json!({ "type": "content_block_delta", "index": 1, "delta": { "type": "input_json_delta", "partial_json": "{}" } }),
            json!({ "type": "message_delta", "delta": { "stop_reason": "tool_use" }, "usage": { "output_tokens": 7 } }),
        ] {
            heard.event(&event).unwrap().unwrap().iter().for_each(|event| gathered.take(event));
        }
        assert!(heard.event(&json!({ "type": "message_stop" })).unwrap().is_none());
        let reply = gathered.reply();
        assert_eq!((reply.text.as_str(), reply.finish, reply.tool_calls.len()), ("Hi", Finish::Tools, 1));
        assert_eq!(reply.usage, Some(Usage { prompt: 10, completion: 7, cached: 0, reasoning: 0 }));
        let overloaded = json!({ "type": "error", "error": { "type": "overloaded_error", "message": "Overloaded" } });
        assert_eq!(heard.event(&overloaded).unwrap_err().class, FaultClass::Cut);
    }
}
