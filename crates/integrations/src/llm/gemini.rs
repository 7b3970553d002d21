//! Gemini, by Google's own protocol.

mod request;

use async_trait::async_trait;
use domain::assistant::{
    ChatEvent, ChatRequest, Fault, FaultClass, Finish, Gathered, Usage,
    ports::{ChatStream, Completed, Frame, LanguageModel},
};
use serde_json::Value;

use super::{
    endpoint::{Endpoint, Events},
    errors::{cut, unreadable},
};

/// Why an answer ends that is withheld.
const WITHHELD: [&str; 6] = ["SAFETY", "RECITATION", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII", "IMAGE_SAFETY"];

/// A model of Google.
#[derive(Debug)]
pub(super) struct Gemini {
    at: Endpoint,
    model: String,
}

impl Gemini {
    pub(super) fn new(at: Endpoint, model: &str) -> Self {
        Self { at, model: model.to_owned() }
    }
}

#[async_trait]
impl LanguageModel for Gemini {
    async fn complete(&self, request: &ChatRequest) -> Result<Completed, Fault> {
        let body = request::body(request)?;
        let method = format!("{}:generateContent", self.model);
        let bytes = self.at.whole(&["models", &method], &body).await?;
        let answer: Value = serde_json::from_slice(&bytes).map_err(|_| unreadable())?;
        let mut heard = Heard::default();
        let mut gathered = Gathered::default();
        heard.piece(&answer)?.iter().for_each(|event| gathered.take(event));
        if !heard.is_over {
            return Err(unreadable());
        }
        Ok(Completed { reply: gathered.reply(), raw: None })
    }

    async fn stream(&self, request: &ChatRequest) -> Result<Box<dyn ChatStream>, Fault> {
        let body = request::body(request)?;
        let method = format!("{}:streamGenerateContent", self.model);
        let events = self.at.events(&["models", &method], &[("alt", "sse")], &body).await?;
        Ok(Box::new(Stream { events, heard: Heard::default() }))
    }
}

struct Stream {
    events: Events,
    heard: Heard,
}

#[async_trait]
impl ChatStream for Stream {
    async fn next(&mut self) -> Result<Option<Frame>, Fault> {
        let Some(event) = self.events.next().await? else {
            // There is no mark of the end but why it ended.
            return if self.heard.is_over { Ok(None) } else { Err(cut()) };
        };
        let piece: Value = serde_json::from_slice(&event.data).map_err(|_| unreadable())?;
        Ok(Some(Frame { events: self.heard.piece(&piece)?, raw: None }))
    }
}

/// What came so far.
#[derive(Debug, Default)]
struct Heard {
    tools: u32,
    is_over: bool,
}

impl Heard {
    fn piece(&mut self, piece: &Value) -> Result<Vec<ChatEvent>, Fault> {
        if let Some(error) = piece.get("error") {
            let said = error.get("message").and_then(Value::as_str).unwrap_or("The provider failed");
            return Err(Fault { class: FaultClass::Cut, message: said.to_owned(), ..cut() });
        }
        if let Some(reason) = piece.pointer("/promptFeedback/blockReason").and_then(Value::as_str) {
            let message = format!("The provider will not answer that: {reason}");
            return Err(Fault::new(FaultClass::ContentPolicy, message).costly());
        }
        let mut events = Vec::new();
        let parts = piece.pointer("/candidates/0/content/parts").and_then(Value::as_array);
        for part in parts.into_iter().flatten() {
            events.extend(self.part(part));
        }
        if let Some(reason) = piece.pointer("/candidates/0/finishReason").and_then(Value::as_str) {
            self.is_over = true;
            events.push(ChatEvent::Finish(match reason {
                "MAX_TOKENS" => Finish::Length,
                withheld if WITHHELD.contains(&withheld) => Finish::Filtered,
                _ if self.tools > 0 => Finish::Tools,
                _ => Finish::Stop,
            }));
        }
        events.extend(piece.get("usageMetadata").map(|used| ChatEvent::Usage(usage(used))));
        Ok(events)
    }

    fn part(&mut self, part: &Value) -> Option<ChatEvent> {
        if let Some(call) = part.get("functionCall") {
            let text = |name: &str| call.get(name).and_then(Value::as_str);
            let index = self.tools;
            self.tools += 1;
            let name = text("name")?;
            return Some(ChatEvent::Tool {
                index,
                id: Some(text("id").map_or_else(|| format!("call_{index}_{name}"), str::to_owned)),
                name: Some(name.to_owned()),
                arguments: call.get("args").map_or_else(|| "{}".to_owned(), Value::to_string),
                signature: part.get("thoughtSignature").and_then(Value::as_str).map(str::to_owned),
            });
        }
        let text = part.get("text")?.as_str().filter(|text| !text.is_empty())?.to_owned();
        let thinks = part.get("thought").and_then(Value::as_bool).unwrap_or_default();
        Some(if thinks { ChatEvent::Reasoning(text) } else { ChatEvent::Text(text) })
    }
}

fn usage(used: &Value) -> Usage {
    let told = |name: &str| used.get(name).and_then(Value::as_u64).unwrap_or_default();
    Usage {
        prompt: told("promptTokenCount") + told("toolUsePromptTokenCount"),
        // Thoughts are counted beside what was said.
        completion: told("candidatesTokenCount") + told("thoughtsTokenCount"),
        cached: told("cachedContentTokenCount"),
        reasoning: told("thoughtsTokenCount"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn pieces_are_read_and_their_end_is_known_by_its_reason() {
        let (mut heard, mut gathered) = (Heard::default(), Gathered::default());
        for piece in [
            json!({ "candidates": [{ "content": { "parts": [{ "text": "hm", "thought": true }, { "text": "Hi" }] } }] }),
            json!({
                "candidates": [{ "content": { "parts": [
                    { "functionCall": { "name": "find", "args": { "q": 1 } }, "thoughtSignature": "s" },
                ] }, "finishReason": "STOP" }],
                "usageMetadata": { "promptTokenCount": 4, "candidatesTokenCount": 3, "thoughtsTokenCount": 2, "cachedContentTokenCount": 1 },
            }),
        ] {
            assert!(!heard.is_over);
            heard.piece(&piece).unwrap().iter().for_each(|event| gathered.take(event));
        }
        assert!(heard.is_over);
        let reply = gathered.reply();
        assert_eq!((reply.text.as_str(), reply.reasoning.as_str(), reply.finish), ("Hi", "hm", Finish::Tools));
        let call = &reply.tool_calls[0];
        assert_eq!((call.id.as_str(), call.arguments.as_str()), ("call_0_find", r#"{"q":1}"#));
        assert_eq!(call.signature.as_deref(), Some("s"));
        assert_eq!(reply.usage, Some(Usage { prompt: 4, completion: 5, cached: 1, reasoning: 2 }));
        let blocked = json!({ "promptFeedback": { "blockReason": "SAFETY" } });
        assert_eq!(heard.piece(&blocked).unwrap_err().class, FaultClass::ContentPolicy);
    }
}
