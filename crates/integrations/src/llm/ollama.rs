//! Models that Ollama runs, by its own protocol: lines of JSON, the last of which says that it is done.

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

const PATH: &[&str] = &["chat"];

/// A model of Ollama.
#[derive(Debug)]
pub(super) struct Ollama {
    at: Endpoint,
    model: String,
}

impl Ollama {
    pub(super) fn new(at: Endpoint, model: &str) -> Self {
        Self { at, model: model.to_owned() }
    }
}

#[async_trait]
impl LanguageModel for Ollama {
    async fn complete(&self, request: &ChatRequest) -> Result<Completed, Fault> {
        let body = request::body(request, &self.model, false)?;
        let bytes = self.at.whole(PATH, &body).await?;
        let answer: Value = serde_json::from_slice(&bytes).map_err(|_| unreadable())?;
        let (mut heard, mut gathered) = (Heard::default(), Gathered::default());
        heard.line(&answer)?.iter().for_each(|event| gathered.take(event));
        if !heard.is_over {
            return Err(unreadable());
        }
        Ok(Completed { reply: gathered.reply(), raw: None })
    }

    async fn stream(&self, request: &ChatRequest) -> Result<Box<dyn ChatStream>, Fault> {
        let body = request::body(request, &self.model, true)?;
        Ok(Box::new(Stream { events: self.at.events(PATH, &[], &body).await?, heard: Heard::default() }))
    }
}

struct Stream {
    events: Events,
    heard: Heard,
}

#[async_trait]
impl ChatStream for Stream {
    async fn next(&mut self) -> Result<Option<Frame>, Fault> {
        if self.heard.is_over {
            return Ok(None);
        }
        let line = self.events.next().await?.ok_or_else(cut)?;
        let line: Value = serde_json::from_slice(&line.data).map_err(|_| unreadable())?;
        Ok(Some(Frame { events: self.heard.line(&line)?, raw: None }))
    }
}

/// What came so far.
#[derive(Debug, Default)]
struct Heard {
    tools: u32,
    is_over: bool,
}

impl Heard {
    fn line(&mut self, line: &Value) -> Result<Vec<ChatEvent>, Fault> {
        if let Some(error) = line.get("error") {
            let said = error.as_str().unwrap_or("The provider failed");
            return Err(Fault { class: FaultClass::Cut, message: said.to_owned(), ..cut() });
        }
        let text = |name: &str| {
            let said = line.pointer(&format!("/message/{name}")).and_then(Value::as_str);
            said.filter(|text| !text.is_empty()).map(str::to_owned)
        };
        let thoughts = text("thinking").or_else(|| text("reasoning_content"));
        let mut events: Vec<ChatEvent> = thoughts.map(ChatEvent::Reasoning).into_iter().collect();
        events.extend(text("content").map(ChatEvent::Text));
        let calls = line.pointer("/message/tool_calls").and_then(Value::as_array);
        for call in calls.into_iter().flatten() {
            events.push(self.call(call).ok_or_else(unreadable)?);
        }
        if line.get("done").and_then(Value::as_bool) == Some(true) {
            self.is_over = true;
            events.push(ChatEvent::Finish(match line.get("done_reason").and_then(Value::as_str) {
                Some("length") => Finish::Length,
                _ if self.tools > 0 => Finish::Tools,
                _ => Finish::Stop,
            }));
            events.extend(usage(line).map(ChatEvent::Usage));
        }
        Ok(events)
    }

    /// A tool that is wanted; some versions give its call no id.
    fn call(&mut self, call: &Value) -> Option<ChatEvent> {
        let index = self.tools;
        self.tools += 1;
        let name = call.pointer("/function/name")?.as_str()?;
        let id = call.get("id").and_then(Value::as_str).filter(|id| !id.is_empty());
        Some(ChatEvent::Tool {
            index,
            id: Some(id.map_or_else(|| format!("call_{index}_{name}"), str::to_owned)),
            name: Some(name.to_owned()),
            arguments: call.pointer("/function/arguments").map_or_else(|| "{}".to_owned(), Value::to_string),
            signature: None,
        })
    }
}

/// What was used. What was asked is left out when it was read before: then nothing is known of it.
fn usage(line: &Value) -> Option<Usage> {
    let told = |name: &str| line.get(name).and_then(Value::as_u64);
    let (prompt, completion) = told("prompt_eval_count").zip(told("eval_count"))?;
    Some(Usage { prompt, completion, ..Usage::default() })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn lines_make_an_answer_and_the_last_one_says_so() {
        let (mut heard, mut gathered) = (Heard::default(), Gathered::default());
        for line in [
            json!({ "model": "m", "message": { "role": "assistant", "content": "", "thinking": "hm" }, "done": false }),
            json!({ "message": { "content": "Hel" }, "done": false }),
            json!({ "message": { "content": "lo" }, "done": false }),
            json!({ "message": { "content": "", "tool_calls": [
                { "function": { "name": "find", "arguments": { "q": 1 } } }, { "id": "c7", "function": { "name": "look" } },
            ] }, "done": false }),
            json!({
                "message": { "content": "" }, "done": true, "done_reason": "stop", "prompt_eval_count": 26, "eval_count": 9,
            }),
        ] {
            assert!(!heard.is_over);
            heard.line(&line).unwrap().iter().for_each(|event| gathered.take(event));
        }
        assert!(heard.is_over);
        let reply = gathered.reply();
        assert_eq!((reply.text.as_str(), reply.reasoning.as_str(), reply.finish), ("Hello", "hm", Finish::Tools));
        assert_eq!(reply.usage, Some(Usage { prompt: 26, completion: 9, cached: 0, reasoning: 0 }));
        let calls: Vec<_> = reply.tool_calls.iter().map(|call| (call.id.as_str(), call.arguments.as_str())).collect();
        assert_eq!(calls, [("call_0_find", r#"{"q":1}"#), ("c7", "{}")]);
    }

    #[test]
    fn an_error_among_the_lines_is_a_cut_and_half_of_what_was_used_is_nothing() {
        let mut heard = Heard::default();
        let error = heard.line(&json!({ "error": "model runner has unexpectedly stopped" })).unwrap_err();
        assert_eq!((error.class, error.may_cost), (FaultClass::Cut, true));
        let last = json!({ "message": { "content": "x" }, "done": true, "done_reason": "length", "eval_count": 9 });
        let events = heard.line(&last).unwrap();
        assert_eq!(events, [ChatEvent::Text("x".to_owned()), ChatEvent::Finish(Finish::Length)]);
        let nameless = json!({ "message": { "tool_calls": [{ "function": {} }] } });
        assert_eq!(heard.line(&nameless).unwrap_err().class, FaultClass::InvalidAnswer);
    }
}
