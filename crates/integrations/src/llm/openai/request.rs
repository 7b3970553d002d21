//! A question in the words of this protocol.

use domain::assistant::{ChatRequest, Effort, Image, Message, Part, ResponseFormat, Role, Tool, ToolCall, ToolChoice};
use serde_json::{Map, Value, json};

/// The fields by which answers are bounded: one is meant, the other goes.
const BOUNDS: [&str; 2] = ["max_tokens", "max_completion_tokens"];

/// The body of a call. What came through the door of this protocol goes on with every field it has.
pub(super) fn body(request: &ChatRequest, model: &str, bound: &str, streams: bool) -> Value {
    let mut body = match &request.original {
        Some(original) => Map::clone(original),
        None => made(request),
    };
    body.insert("model".to_owned(), model.into());
    for other in BOUNDS {
        body.remove(other);
    }
    if let Some(most) = request.max_tokens {
        body.insert(bound.to_owned(), most.into());
    }
    body.remove("stream_options");
    body.insert("stream".to_owned(), streams.into());
    if streams {
        body.insert("stream_options".to_owned(), json!({ "include_usage": true }));
    }
    Value::Object(body)
}

fn made(request: &ChatRequest) -> Map<String, Value> {
    let mut body = Map::new();
    let mut set = |name: &str, value: Value| {
        body.insert(name.to_owned(), value);
    };
    set("messages", request.messages.iter().map(message).collect());
    if !request.tools.is_empty() {
        set("tools", request.tools.iter().map(tool).collect());
        set("tool_choice", choice(&request.tool_choice));
    }
    match &request.format {
        ResponseFormat::Text => {}
        ResponseFormat::Json => set("response_format", json!({ "type": "json_object" })),
        ResponseFormat::Schema { name, schema, strict } => {
            let schema = json!({ "name": name, "schema": schema, "strict": strict });
            set("response_format", json!({ "type": "json_schema", "json_schema": schema }));
        }
    }
    let effort = request.effort.map(|effort| match effort {
        Effort::Low => "low",
        Effort::Medium => "medium",
        Effort::High => "high",
    });
    let given: [(&str, Option<Value>); 6] = [
        ("parallel_tool_calls", request.parallel_tools.map(Value::from)),
        ("temperature", request.temperature.map(Value::from)),
        ("top_p", request.top_p.map(Value::from)),
        ("stop", (!request.stop.is_empty()).then(|| request.stop.clone().into())),
        ("seed", request.seed.map(Value::from)),
        ("reasoning_effort", effort.map(Value::from)),
    ];
    for (name, value) in given {
        if let Some(value) = value {
            set(name, value);
        }
    }
    if request.choices > 1 {
        set("n", request.choices.into());
    }
    body
}

fn message(message: &Message) -> Value {
    let content = match message.parts.as_slice() {
        [] => Value::Null,
        [Part::Text(text)] => text.as_str().into(),
        parts => parts.iter().map(part).collect(),
    };
    let role = match message.role {
        Role::System => "system",
        Role::User => "user",
        Role::Assistant => "assistant",
        Role::Tool => "tool",
    };
    let mut said = json!({ "role": role, "content": content });
    if let Some(said) = said.as_object_mut() {
        if !message.tool_calls.is_empty() {
            said.insert("tool_calls".to_owned(), message.tool_calls.iter().map(call).collect());
        }
        if let Some(answers) = &message.answers {
            said.insert("tool_call_id".to_owned(), answers.as_str().into());
        }
    }
    said
}

fn part(part: &Part) -> Value {
    match part {
        Part::Text(text) => json!({ "type": "text", "text": text }),
        Part::Image(Image::Url(url)) => json!({ "type": "image_url", "image_url": { "url": url } }),
        Part::Image(Image::Inline { media_type, base64 }) => {
            json!({ "type": "image_url", "image_url": { "url": format!("data:{media_type};base64,{base64}") } })
        }
    }
}

fn call(call: &ToolCall) -> Value {
    let function = json!({ "name": call.name, "arguments": call.arguments });
    json!({ "id": call.id, "type": "function", "function": function })
}

fn tool(tool: &Tool) -> Value {
    let Tool { name, description, parameters, strict } = tool;
    let function = json!({ "name": name, "description": description, "parameters": parameters, "strict": strict });
    json!({ "type": "function", "function": function })
}

fn choice(choice: &ToolChoice) -> Value {
    match choice {
        ToolChoice::Auto => "auto".into(),
        ToolChoice::None => "none".into(),
        ToolChoice::Required => "required".into(),
        ToolChoice::Named(name) => json!({ "type": "function", "function": { "name": name } }),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[test]
    fn unknown_fields_go_on_and_what_bounds_an_answer_is_ours() {
        let original = json!({
            "model": "small", "messages": [], "max_tokens": 9000, "logit_bias": { "1": 2 }, "stream_options": { "x": 1 },
        });
        let original = original.as_object().cloned().map(Arc::new);
        let request = ChatRequest { original, max_tokens: Some(100), ..ChatRequest::default() };
        assert_eq!(
            body(&request, "gpt", "max_completion_tokens", true),
            json!({
                "model": "gpt", "messages": [], "max_completion_tokens": 100, "logit_bias": { "1": 2 }, "stream": true,
                "stream_options": { "include_usage": true },
            })
        );
    }

    #[test]
    fn what_comes_another_way_is_said_in_these_words() {
        let mut asked = Message::text(Role::User, "What is this?");
        asked.parts.push(Part::Image(Image::Inline { media_type: "image/png".to_owned(), base64: "AA==".to_owned() }));
        let wants =
            ToolCall { id: "c1".to_owned(), name: "find".to_owned(), arguments: "{}".to_owned(), signature: None };
        let said = Message { role: Role::Assistant, parts: Vec::new(), tool_calls: vec![wants], answers: None };
        let request = ChatRequest {
            messages: vec![Message::text(Role::System, "Be brief."), asked, said, Message::found("c1", "nothing")],
            format: ResponseFormat::Json,
            temperature: Some(0.5),
            ..ChatRequest::default()
        };
        assert_eq!(
            body(&request, "gpt", "max_tokens", false),
            json!({
                "model": "gpt", "stream": false, "temperature": 0.5, "response_format": { "type": "json_object" },
                "messages": [
                    { "role": "system", "content": "Be brief." },
                    { "role": "user", "content": [
                        { "type": "text", "text": "What is this?" },
                        { "type": "image_url", "image_url": { "url": "data:image/png;base64,AA==" } },
                    ] },
                    { "role": "assistant", "content": null, "tool_calls": [
                        { "id": "c1", "type": "function", "function": { "name": "find", "arguments": "{}" } },
                    ] },
                    { "role": "tool", "content": "nothing", "tool_call_id": "c1" },
                ],
            })
        );
    }
}
