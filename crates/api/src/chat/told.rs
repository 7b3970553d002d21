//! A message in the words of the UI message stream protocol: as it is shown, and what leads from what a reader knows to what there is.

use domain::assistant::{
    Usage,
    conversation::{Message, MessageState, Outcome, Said, ToolUse},
};
use serde_json::{Value, json};

/// What is told of an answer that is not whole and says nothing itself.
const STOPPED: &str = "This answer was stopped";

/// The parts of a message as `useChat` has them.
pub fn parts(message: &Message) -> Vec<Value> {
    let state = if message.state == MessageState::Streaming { "streaming" } else { "done" };
    let part = |part: &Said| match part {
        Said::Text { text } => json!({ "type": "text", "text": text, "state": state }),
        Said::Thought { text } => json!({ "type": "reasoning", "text": text, "state": state }),
        Said::Picture { url, media_type } => json!({ "type": "file", "mediaType": media_type, "url": url }),
        Said::Step => json!({ "type": "step-start" }),
        Said::Tool(used) => tool(used),
    };
    message.parts.iter().map(part).collect()
}

fn tool(used: &ToolUse) -> Value {
    let kind = format!("tool-{}", used.name);
    let id = &used.id;
    match (&used.outcome, input(used)) {
        (Some(Outcome::Found(output)), Ok(input)) => {
            json!({ "type": kind, "toolCallId": id, "state": "output-available", "input": input, "output": output })
        }
        (Some(Outcome::Refused(why)), Ok(input)) => {
            json!({ "type": kind, "toolCallId": id, "state": "output-error", "input": input, "errorText": why })
        }
        (_, Err(why)) if used.is_asked => {
            json!({ "type": kind, "toolCallId": id, "state": "output-error", "rawInput": used.arguments, "errorText": why })
        }
        (None, Ok(input)) if used.is_asked => {
            json!({ "type": kind, "toolCallId": id, "state": "input-available", "input": input })
        }
        _ => json!({ "type": kind, "toolCallId": id, "state": "input-streaming", "input": null }),
    }
}

/// The arguments of a tool, or why they are none.
fn input(used: &ToolUse) -> Result<Value, &'static str> {
    if used.arguments.trim().is_empty() {
        return Ok(json!({}));
    }
    serde_json::from_str(&used.arguments).map_err(|_| "The arguments are not JSON")
}

/// What was used, for the metadata of a message.
pub fn usage(usage: &Usage) -> Value {
    json!({
        "inputTokens": usage.prompt, "outputTokens": usage.completion, "totalTokens": usage.total(),
        "cachedInputTokens": usage.cached, "reasoningTokens": usage.reasoning,
    })
}

/// How far a reader was told of one part.
#[derive(Debug, Clone, Copy, Default)]
struct Progress {
    has_begun: bool,
    bytes: usize,
    was_asked: bool,
    is_over: bool,
}

/// Who reads an answer, and what they know of it.
#[derive(Debug, Default)]
pub struct Reader {
    has_begun: bool,
    in_step: bool,
    is_over: bool,
    parts: Vec<Progress>,
}

impl Reader {
    /// Whether they were told its end.
    pub fn is_over(&self) -> bool {
        self.is_over
    }

    /// What leads from what they know to this, as events of the stream; empty when they know it.
    pub fn catch_up(&mut self, message: &Message, state: MessageState) -> String {
        let mut out = String::new();
        if self.is_over {
            return out;
        }
        if !self.has_begun {
            self.has_begun = true;
            let metadata = json!({ "conversationId": message.conversation, "model": message.model });
            tell(&mut out, &json!({ "type": "start", "messageId": message.id, "messageMetadata": metadata }));
        }
        let goes_on = state == MessageState::Streaming;
        self.parts.resize(message.parts.len(), Progress::default());
        let last = message.parts.len().saturating_sub(1);
        for (n, (part, told)) in message.parts.iter().zip(&mut self.parts).enumerate() {
            if told.is_over {
                continue;
            }
            let is_whole = n < last || !goes_on;
            match part {
                Said::Step => {
                    if self.in_step {
                        tell(&mut out, &json!({ "type": "finish-step" }));
                    }
                    tell(&mut out, &json!({ "type": "start-step" }));
                    (self.in_step, told.is_over) = (true, true);
                }
                Said::Text { text } => words(&mut out, "text", (n, text), told, is_whole),
                Said::Thought { text } => words(&mut out, "reasoning", (n, text), told, is_whole),
                Said::Picture { .. } => told.is_over = true,
                Said::Tool(used) => tool_told(&mut out, used, told),
            }
        }
        if !goes_on {
            self.is_over = true;
            self.end(&mut out, message, state);
        }
        out
    }

    fn end(&mut self, out: &mut String, message: &Message, state: MessageState) {
        if state == MessageState::Done {
            if self.in_step {
                tell(out, &json!({ "type": "finish-step" }));
            }
            let metadata = json!({ "usage": message.usage.as_ref().map(usage) });
            tell(out, &json!({ "type": "finish", "messageMetadata": metadata }));
        } else {
            let why = message.fault.as_deref().unwrap_or(STOPPED);
            tell(out, &json!({ "type": "error", "errorText": why }));
        }
        out.push_str("data: [DONE]\n\n");
    }
}

fn words(out: &mut String, kind: &str, (n, text): (usize, &str), told: &mut Progress, is_whole: bool) {
    let id = n.to_string();
    if !told.has_begun {
        told.has_begun = true;
        tell(out, &json!({ "type": format!("{kind}-start"), "id": id }));
    }
    if let Some(more) = text.get(told.bytes..).filter(|more| !more.is_empty()) {
        tell(out, &json!({ "type": format!("{kind}-delta"), "id": id, "delta": more }));
        told.bytes = text.len();
    }
    if is_whole {
        told.is_over = true;
        tell(out, &json!({ "type": format!("{kind}-end"), "id": id }));
    }
}

fn tool_told(out: &mut String, used: &ToolUse, told: &mut Progress) {
    let (id, name) = (&used.id, &used.name);
    if name.is_empty() {
        return;
    }
    if !told.has_begun {
        told.has_begun = true;
        tell(out, &json!({ "type": "tool-input-start", "toolCallId": id, "toolName": name }));
    }
    if let Some(more) = used.arguments.get(told.bytes..).filter(|more| !more.is_empty()) {
        tell(out, &json!({ "type": "tool-input-delta", "toolCallId": id, "inputTextDelta": more }));
        told.bytes = used.arguments.len();
    }
    if used.is_asked && !told.was_asked {
        told.was_asked = true;
        match input(used) {
            Ok(input) => {
                tell(
                    out,
                    &json!({ "type": "tool-input-available", "toolCallId": id, "toolName": name, "input": input }),
                );
            }
            Err(why) => {
                told.is_over = true;
                let raw = &used.arguments;
                tell(
                    out,
                    &json!({ "type": "tool-input-error", "toolCallId": id, "toolName": name, "input": raw, "errorText": why }),
                );
                return;
            }
        }
    }
    match &used.outcome {
        None => return,
        Some(Outcome::Found(output)) => {
            tell(out, &json!({ "type": "tool-output-available", "toolCallId": id, "output": output }));
        }
        Some(Outcome::Refused(why)) => {
            tell(out, &json!({ "type": "tool-output-error", "toolCallId": id, "errorText": why }));
        }
    }
    told.is_over = true;
}

fn tell(out: &mut String, chunk: &Value) {
    out.extend(["data: ", &chunk.to_string(), "\n\n"]);
}

#[cfg(test)]
mod tests {
    use domain::{
        assistant::conversation::Speaker,
        clock::Timestamp,
        id::{ConversationId, ConversationMessageId},
    };
    use uuid::Uuid;

    use super::*;

    fn message(parts: Vec<Said>) -> Message {
        let at = Timestamp::UNIX_EPOCH;
        Message {
            id: ConversationMessageId(Uuid::nil()),
            conversation: ConversationId(Uuid::nil()),
            parent: None,
            client_id: None,
            speaker: Speaker::Assistant,
            parts,
            state: MessageState::Streaming,
            fault: None,
            model: Some("small".to_owned()),
            usage: None,
            is_pinned: false,
            created_at: at,
            written_at: at,
        }
    }

    /// Type and text of what is told.
    fn chunks(text: &str) -> Vec<String> {
        let told = text.split("\n\n").filter_map(|one| one.strip_prefix("data: "));
        let chunk = |data: &str| {
            let Ok(chunk) = serde_json::from_str::<Value>(data) else { return data.to_owned() };
            let said = ["delta", "inputTextDelta", "errorText"].iter().find_map(|name| chunk[*name].as_str());
            format!("{} {}", chunk["type"].as_str().unwrap(), said.unwrap_or_default()).trim_end().to_owned()
        };
        told.map(chunk).collect()
    }

    fn text(text: &str) -> Said {
        Said::Text { text: text.to_owned() }
    }

    #[test]
    fn a_reader_is_told_what_they_do_not_know_yet() {
        let mut reader = Reader::default();
        let mut answer = message(vec![Said::Step]);
        let told = |reader: &mut Reader, answer: &Message| chunks(&reader.catch_up(answer, answer.state));
        assert_eq!(told(&mut reader, &answer), ["start", "start-step"]);
        assert!(told(&mut reader, &answer).is_empty());
        answer.parts.push(Said::Thought { text: "Hm".to_owned() });
        assert_eq!(told(&mut reader, &answer), ["reasoning-start", "reasoning-delta Hm"]);
        answer.parts.push(text("A wal"));
        assert_eq!(told(&mut reader, &answer), ["reasoning-end", "text-start", "text-delta A wal"]);
        answer.parts[2] = text("A walnut lamp ✓");
        assert_eq!(told(&mut reader, &answer), ["text-delta nut lamp ✓"]);
        answer.state = MessageState::Done;
        assert_eq!(told(&mut reader, &answer), ["text-end", "finish-step", "finish", "[DONE]"]);
        assert!(reader.is_over() && told(&mut reader, &answer).is_empty());
        // Who comes later is told all of it at once.
        let whole = told(&mut Reader::default(), &answer);
        let expected = [
            "start",
            "start-step",
            "reasoning-start",
            "reasoning-delta Hm",
            "reasoning-end",
            "text-start",
            "text-delta A walnut lamp ✓",
            "text-end",
            "finish-step",
            "finish",
            "[DONE]",
        ];
        assert_eq!(whole, expected);
    }

    #[test]
    fn tools_are_told_from_their_first_argument_to_what_came_of_them() {
        let mut reader = Reader::default();
        let mut used = ToolUse { id: "a".to_owned(), name: "search".to_owned(), ..ToolUse::default() };
        let mut told =
            |used: &ToolUse, state| chunks(&reader.catch_up(&message(vec![Said::Tool(used.clone())]), state));
        let goes_on = MessageState::Streaming;
        assert_eq!(told(&used, goes_on), ["start", "tool-input-start"]);
        used.arguments = "{\"q\":".to_owned();
        assert_eq!(told(&used, goes_on), ["tool-input-delta {\"q\":"]);
        used.arguments.push_str("1}");
        used.is_asked = true;
        assert_eq!(told(&used, goes_on), ["tool-input-delta 1}", "tool-input-available"]);
        used.outcome = Some(Outcome::Found(json!([])));
        assert_eq!(told(&used, goes_on), ["tool-output-available"]);
        assert_eq!(told(&used, MessageState::Done), ["finish", "[DONE]"]);
        let broken =
            ToolUse { arguments: "{\"q\"".to_owned(), outcome: Some(Outcome::Refused("no".to_owned())), ..used };
        let told = chunks(&Reader::default().catch_up(&message(vec![Said::Tool(broken.clone())]), goes_on));
        assert_eq!(told.last().unwrap(), "tool-input-error The arguments are not JSON");
        assert_eq!(tool(&broken)["state"], "output-error");
    }

    #[test]
    fn what_is_not_whole_ends_with_an_error() {
        for (fault, expected) in [(Some("It broke off"), "error It broke off"), (None, "error This answer was stopped")]
        {
            let answer = Message { fault: fault.map(str::to_owned), ..message(vec![text("Half")]) };
            let told = chunks(&Reader::default().catch_up(&answer, MessageState::Cut));
            assert_eq!(told, ["start", "text-start", "text-delta Half", "text-end", expected, "[DONE]"]);
        }
    }
}
