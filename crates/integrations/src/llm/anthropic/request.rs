//! A question in the words of Anthropic.

use domain::assistant::{
    ChatRequest, Effort, Fault, FaultClass, Image, Message, Part, ResponseFormat, Role, Tool, ToolChoice,
};
use serde_json::{Map, Value, json};

use super::ANSWER;

/// The most tokens of an answer where nobody said.
const USUAL: u32 = 4096;

/// The body of a call.
pub(super) fn body(request: &ChatRequest, model: &str, streams: bool) -> Result<Value, Fault> {
    if request.choices > 1 {
        return Err(Fault::new(FaultClass::Refused, "This model gives one answer at a time: n must be 1"));
    }
    let most = request.max_tokens.unwrap_or(USUAL);
    let mut body = Map::new();
    let mut set = |name: &str, value: Value| {
        body.insert(name.to_owned(), value);
    };
    set("model", model.into());
    set("max_tokens", most.into());
    set("stream", streams.into());
    let mut system = said_by_system(request);
    if request.format == ResponseFormat::Json {
        system.push("Answer with one JSON object and nothing else.".to_owned());
    }
    if !system.is_empty() {
        set("system", system.join("\n\n").into());
    }
    set("messages", messages(request)?.into());
    let (tools, choice) = tools(request);
    if !tools.is_empty() {
        set("tools", tools.into());
        set("tool_choice", choice);
    }
    if !request.stop.is_empty() {
        set("stop_sequences", request.stop.clone().into());
    }
    let thinks = request.effort.map(budget).filter(|budget| *budget < most);
    if let Some(budget) = thinks {
        // Thoughts have their own temperature.
        set("thinking", json!({ "type": "enabled", "budget_tokens": budget }));
    } else {
        let given = [("temperature", request.temperature.map(|warm| warm.clamp(0.0, 1.0))), ("top_p", request.top_p)];
        for (name, value) in given {
            if let Some(value) = value {
                set(name, value.into());
            }
        }
    }
    Ok(Value::Object(body))
}

fn budget(effort: Effort) -> u32 {
    match effort {
        Effort::Low => 1024,
        Effort::Medium => 4096,
        Effort::High => 16_384,
    }
}

fn said_by_system(request: &ChatRequest) -> Vec<String> {
    let system = request.messages.iter().filter(|message| message.role == Role::System);
    system.flat_map(Message::texts).map(str::to_owned).collect()
}

/// Messages, those of one side after the other as one.
fn messages(request: &ChatRequest) -> Result<Vec<Value>, Fault> {
    let mut sides: Vec<(&str, Vec<Value>)> = Vec::new();
    for message in request.messages.iter().filter(|message| message.role != Role::System) {
        let side = if message.role == Role::Assistant { "assistant" } else { "user" };
        let blocks = blocks(message)?;
        match sides.last_mut().filter(|(last, _)| *last == side) {
            Some((_, before)) => before.extend(blocks),
            None => sides.push((side, blocks)),
        }
    }
    let said = sides.into_iter().filter(|(_, blocks)| !blocks.is_empty());
    Ok(said.map(|(role, content)| json!({ "role": role, "content": content })).collect())
}

fn blocks(message: &Message) -> Result<Vec<Value>, Fault> {
    if let Some(answers) = &message.answers {
        let text: String = message.texts().collect();
        return Ok(vec![json!({ "type": "tool_result", "tool_use_id": answers, "content": text })]);
    }
    let parts = message.parts.iter().filter(|part| !matches!(part, Part::Text(text) if text.is_empty()));
    let mut blocks: Vec<Value> = parts.map(part).collect();
    for call in &message.tool_calls {
        let input: Value = if call.arguments.is_empty() {
            json!({})
        } else {
            serde_json::from_str(&call.arguments)
                .map_err(|_| Fault::new(FaultClass::Refused, "The arguments of a tool call must be JSON"))?
        };
        blocks.push(json!({ "type": "tool_use", "id": call.id, "name": call.name, "input": input }));
    }
    Ok(blocks)
}

fn part(part: &Part) -> Value {
    match part {
        Part::Text(text) => json!({ "type": "text", "text": text }),
        Part::Image(Image::Url(url)) => json!({ "type": "image", "source": { "type": "url", "url": url } }),
        Part::Image(Image::Inline { media_type, base64 }) => {
            json!({ "type": "image", "source": { "type": "base64", "media_type": media_type, "data": base64 } })
        }
    }
}

fn tools(request: &ChatRequest) -> (Vec<Value>, Value) {
    let tool =
        |tool: &Tool| json!({ "name": tool.name, "description": tool.description, "input_schema": tool.parameters });
    let mut tools: Vec<Value> = request.tools.iter().map(tool).collect();
    let single = request.parallel_tools == Some(false);
    let mut choice = match &request.tool_choice {
        ToolChoice::Auto => json!({ "type": "auto", "disable_parallel_tool_use": single }),
        ToolChoice::None => json!({ "type": "none" }),
        ToolChoice::Required => json!({ "type": "any", "disable_parallel_tool_use": single }),
        ToolChoice::Named(name) => json!({ "type": "tool", "name": name, "disable_parallel_tool_use": single }),
    };
    if let ResponseFormat::Schema { schema, .. } = &request.format {
        tools.push(json!({ "name": ANSWER, "description": "The answer.", "input_schema": schema }));
        // With tools of its own the model may use those first.
        let forced =
            if request.tools.is_empty() { json!({ "type": "tool", "name": ANSWER }) } else { json!({ "type": "any" }) };
        choice = forced;
    }
    (tools, choice)
}

#[cfg(test)]
mod tests {
    use domain::assistant::ToolCall;

    use super::*;

    #[test]
    fn a_conversation_with_tools_is_said_in_these_words() {
        let call = |id: &str| ToolCall {
            id: id.to_owned(),
            name: "find".to_owned(),
            arguments: "{\"q\":1}".to_owned(),
            signature: None,
        };
        let said = Message {
            role: Role::Assistant,
            parts: vec![Part::Text("Let me see.".to_owned())],
            tool_calls: vec![call("a"), call("b")],
            answers: None,
        };
        let find = Tool {
            name: "find".to_owned(),
            description: "Finds.".to_owned(),
            parameters: json!({ "type": "object" }),
            strict: false,
        };
        let request = ChatRequest {
            messages: vec![
                Message::text(Role::System, "Be brief."),
                Message::text(Role::User, "Find it."),
                said,
                Message::found("a", "one"),
                Message::found("b", "two"),
                Message::text(Role::User, "And?"),
            ],
            tools: vec![find],
            parallel_tools: Some(false),
            temperature: Some(1.7),
            max_tokens: Some(50),
            ..ChatRequest::default()
        };
        let body = body(&request, "claude", true).unwrap();
        assert_eq!(
            body,
            json!({
                "model": "claude", "max_tokens": 50, "stream": true, "system": "Be brief.", "temperature": 1.0,
                "tools": [{ "name": "find", "description": "Finds.", "input_schema": { "type": "object" } }],
                "tool_choice": { "type": "auto", "disable_parallel_tool_use": true },
                "messages": [
                    { "role": "user", "content": [{ "type": "text", "text": "Find it." }] },
                    { "role": "assistant", "content": [
                        { "type": "text", "text": "Let me see." },
                        { "type": "tool_use", "id": "a", "name": "find", "input": { "q": 1 } },
                        { "type": "tool_use", "id": "b", "name": "find", "input": { "q": 1 } },
                    ] },
                    { "role": "user", "content": [
                        { "type": "tool_result", "tool_use_id": "a", "content": "one" },
                        { "type": "tool_result", "tool_use_id": "b", "content": "two" },
                        { "type": "text", "text": "And?" },
                    ] },
                ],
            })
        );
    }

    #[test]
    fn a_schema_is_a_tool_that_must_be_used() {
        let format = ResponseFormat::Schema { name: "x".to_owned(), schema: json!({ "type": "object" }), strict: true };
        let request = ChatRequest { format, effort: Some(Effort::Low), ..ChatRequest::default() };
        let body = body(&request, "claude", false).unwrap();
        assert_eq!(body["tool_choice"], json!({ "type": "tool", "name": "answer" }));
        assert_eq!(body["thinking"]["budget_tokens"], 1024);
    }
}
