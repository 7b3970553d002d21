//! A question in the words of Gemini.

use domain::assistant::{
    ChatRequest, Effort, Fault, FaultClass, Image, Message, Part, ResponseFormat, Role, Tool, ToolCall, ToolChoice,
};
use serde_json::{Map, Value, json};

/// The body of a call.
pub(super) fn body(request: &ChatRequest) -> Result<Value, Fault> {
    if request.choices > 1 {
        return Err(Fault::new(FaultClass::Refused, "This model gives one answer at a time: n must be 1"));
    }
    let mut body = Map::new();
    let system: Vec<&str> =
        request.messages.iter().filter(|message| message.role == Role::System).flat_map(Message::texts).collect();
    if !system.is_empty() {
        body.insert("systemInstruction".to_owned(), json!({ "parts": [{ "text": system.join("\n\n") }] }));
    }
    body.insert("contents".to_owned(), contents(request)?.into());
    if !request.tools.is_empty() {
        let tool = |tool: &Tool| json!({ "name": tool.name, "description": tool.description, "parametersJsonSchema": tool.parameters });
        let declared: Vec<Value> = request.tools.iter().map(tool).collect();
        body.insert("tools".to_owned(), json!([{ "functionDeclarations": declared }]));
        let choice = match &request.tool_choice {
            ToolChoice::Auto => json!({ "mode": "AUTO" }),
            ToolChoice::None => json!({ "mode": "NONE" }),
            ToolChoice::Required => json!({ "mode": "ANY" }),
            ToolChoice::Named(name) => json!({ "mode": "ANY", "allowedFunctionNames": [name] }),
        };
        body.insert("toolConfig".to_owned(), json!({ "functionCallingConfig": choice }));
    }
    body.insert("generationConfig".to_owned(), settings(request));
    Ok(Value::Object(body))
}

fn settings(request: &ChatRequest) -> Value {
    let mut settings = Map::new();
    let mut set = |name: &str, value: Option<Value>| {
        if let Some(value) = value {
            settings.insert(name.to_owned(), value);
        }
    };
    set("maxOutputTokens", request.max_tokens.map(Value::from));
    set("temperature", request.temperature.map(Value::from));
    set("topP", request.top_p.map(Value::from));
    set("seed", request.seed.map(Value::from));
    set("stopSequences", (!request.stop.is_empty()).then(|| request.stop.clone().into()));
    let budget = request.effort.map(|effort| match effort {
        Effort::Low => 1024,
        Effort::Medium => 8192,
        Effort::High => 24_576,
    });
    set("thinkingConfig", budget.map(|budget| json!({ "thinkingBudget": budget, "includeThoughts": true })));
    match &request.format {
        ResponseFormat::Text => {}
        ResponseFormat::Json => set("responseMimeType", Some("application/json".into())),
        ResponseFormat::Schema { schema, .. } => {
            set("responseMimeType", Some("application/json".into()));
            set("responseJsonSchema", Some(schema.clone()));
        }
    }
    Value::Object(settings)
}

/// Messages, those of one side after the other as one.
fn contents(request: &ChatRequest) -> Result<Vec<Value>, Fault> {
    let mut sides: Vec<(&str, Vec<Value>)> = Vec::new();
    for message in request.messages.iter().filter(|message| message.role != Role::System) {
        let side = if message.role == Role::Assistant { "model" } else { "user" };
        let parts = parts(request, message)?;
        match sides.last_mut().filter(|(last, _)| *last == side) {
            Some((_, before)) => before.extend(parts),
            None => sides.push((side, parts)),
        }
    }
    let said = sides.into_iter().filter(|(_, parts)| !parts.is_empty());
    Ok(said.map(|(role, parts)| json!({ "role": role, "parts": parts })).collect())
}

fn parts(request: &ChatRequest, message: &Message) -> Result<Vec<Value>, Fault> {
    if let Some(answers) = &message.answers {
        let text: String = message.texts().collect();
        let mut calls = request.messages.iter().flat_map(|message| &message.tool_calls);
        let name = calls.find(|call| call.id == *answers).map(|call| call.name.clone());
        let name = name.ok_or_else(|| Fault::new(FaultClass::Refused, "A tool answers a call that nobody made"))?;
        let found = json!({ "name": name, "response": { "result": text } });
        return Ok(vec![json!({ "functionResponse": found })]);
    }
    let said = message.parts.iter().filter(|part| !matches!(part, Part::Text(text) if text.is_empty()));
    let calls = message.tool_calls.iter().map(call);
    said.map(|one| Ok(part(one))).chain(calls).collect()
}

fn part(part: &Part) -> Value {
    match part {
        Part::Text(text) => json!({ "text": text }),
        Part::Image(Image::Url(url)) => json!({ "fileData": { "fileUri": url } }),
        Part::Image(Image::Inline { media_type, base64 }) => {
            json!({ "inlineData": { "mimeType": media_type, "data": base64 } })
        }
    }
}

fn call(call: &ToolCall) -> Result<Value, Fault> {
    let arguments = if call.arguments.is_empty() { "{}" } else { &call.arguments };
    let arguments: Value = serde_json::from_str(arguments)
        .map_err(|_| Fault::new(FaultClass::Refused, "The arguments of a tool call must be JSON"))?;
    let made = json!({ "name": call.name, "args": arguments });
    Ok(match &call.signature {
        Some(signature) => json!({ "functionCall": made, "thoughtSignature": signature }),
        None => json!({ "functionCall": made }),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_conversation_with_tools_is_said_in_these_words() {
        let call = ToolCall {
            id: "c".to_owned(),
            name: "find".to_owned(),
            arguments: "{\"q\":1}".to_owned(),
            signature: Some("s".to_owned()),
        };
        let said = Message { role: Role::Assistant, parts: Vec::new(), tool_calls: vec![call], answers: None };
        let request = ChatRequest {
            messages: vec![
                Message::text(Role::System, "Be brief."),
                Message::text(Role::User, "Find it."),
                said,
                Message::found("c", "one"),
            ],
            max_tokens: Some(50),
            format: ResponseFormat::Json,
            ..ChatRequest::default()
        };
        assert_eq!(
            body(&request).unwrap(),
            json!({
                "systemInstruction": { "parts": [{ "text": "Be brief." }] },
                "contents": [
                    { "role": "user", "parts": [{ "text": "Find it." }] },
                    { "role": "model", "parts": [{ "functionCall": { "name": "find", "args": { "q": 1 } }, "thoughtSignature": "s" }] },
                    { "role": "user", "parts": [{ "functionResponse": { "name": "find", "response": { "result": "one" } } }] },
                ],
                "generationConfig": { "maxOutputTokens": 50, "responseMimeType": "application/json" },
            })
        );
        let orphan = ChatRequest { messages: vec![Message::found("x", "one")], ..ChatRequest::default() };
        assert_eq!(body(&orphan).unwrap_err().class, FaultClass::Refused);
    }
}
