//! A question in the words of Ollama.

use domain::assistant::{
    ChatRequest, Effort, Fault, FaultClass, Image, Message, Part, ResponseFormat, Role, Tool, ToolCall, ToolChoice,
};
use serde_json::{Map, Value, json};

fn refused(message: &str) -> Fault {
    Fault::new(FaultClass::Refused, message)
}

/// The body of a call.
pub(super) fn body(request: &ChatRequest, model: &str, streams: bool) -> Result<Value, Fault> {
    if request.choices > 1 {
        return Err(refused("This model gives one answer at a time: n must be 1"));
    }
    let messages = request.messages.iter().map(|one| message(request, one)).collect::<Result<Vec<Value>, Fault>>()?;
    let mut body = Map::new();
    let mut set = |name: &str, value: Value| {
        body.insert(name.to_owned(), value);
    };
    set("model", model.into());
    set("stream", streams.into());
    set("messages", messages.into());
    // What is too long is to be refused: it would leave out the beginning without a word.
    set("truncate", false.into());
    set("shift", false.into());
    match request.tool_choice {
        _ if request.tools.is_empty() => {}
        ToolChoice::Auto => set("tools", request.tools.iter().map(tool).collect()),
        ToolChoice::None => {}
        ToolChoice::Required | ToolChoice::Named(_) => {
            return Err(refused("This model uses tools as it sees fit: tool_choice must be auto or none"));
        }
    }
    match &request.format {
        ResponseFormat::Text => {}
        ResponseFormat::Json => set("format", "json".into()),
        ResponseFormat::Schema { schema, .. } => set("format", schema.clone()),
    }
    if let Some(effort) = request.effort {
        let word = match effort {
            Effort::Low => "low",
            Effort::Medium => "medium",
            Effort::High => "high",
        };
        set("think", word.into());
    }
    set("options", options(request));
    Ok(Value::Object(body))
}

fn options(request: &ChatRequest) -> Value {
    let given: [(&str, Option<Value>); 5] = [
        ("num_predict", request.max_tokens.map(Value::from)),
        ("temperature", request.temperature.map(Value::from)),
        ("top_p", request.top_p.map(Value::from)),
        ("seed", request.seed.map(Value::from)),
        ("stop", (!request.stop.is_empty()).then(|| request.stop.clone().into())),
    ];
    given.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect::<Map<_, _>>().into()
}

fn message(request: &ChatRequest, message: &Message) -> Result<Value, Fault> {
    let role = match message.role {
        Role::System => "system",
        Role::User => "user",
        Role::Assistant => "assistant",
        Role::Tool => "tool",
    };
    let text = message.texts().collect::<Vec<_>>().join("\n");
    let mut said = Map::from_iter([("role".to_owned(), role.into()), ("content".to_owned(), text.into())]);
    let images = message.parts.iter().filter_map(|part| match part {
        Part::Text(_) => None,
        Part::Image(image) => Some(image),
    });
    let images = images
        .map(|image| match image {
            Image::Inline { base64, .. } => Ok(base64.as_str().into()),
            Image::Url(_) => Err(refused("This model fetches no pictures: they must come as data in base64")),
        })
        .collect::<Result<Vec<Value>, Fault>>()?;
    if !images.is_empty() {
        said.insert("images".to_owned(), images.into());
    }
    if !message.tool_calls.is_empty() {
        let calls = message.tool_calls.iter().map(call).collect::<Result<Vec<Value>, Fault>>()?;
        said.insert("tool_calls".to_owned(), calls.into());
    }
    if let Some(answers) = &message.answers {
        let mut calls = request.messages.iter().flat_map(|message| &message.tool_calls);
        let call = calls.find(|call| call.id == *answers);
        let call = call.ok_or_else(|| refused("A tool answers a call that nobody made"))?;
        said.insert("tool_name".to_owned(), call.name.as_str().into());
    }
    Ok(said.into())
}

fn call(call: &ToolCall) -> Result<Value, Fault> {
    let arguments = if call.arguments.is_empty() { "{}" } else { &call.arguments };
    let arguments: Value =
        serde_json::from_str(arguments).map_err(|_| refused("The arguments of a tool call must be JSON"))?;
    Ok(json!({ "function": { "name": call.name, "arguments": arguments } }))
}

fn tool(tool: &Tool) -> Value {
    let Tool { name, description, parameters, .. } = tool;
    json!({ "type": "function", "function": { "name": name, "description": description, "parameters": parameters } })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find() -> ChatRequest {
        let tool = Tool {
            name: "find".to_owned(),
            description: "Finds.".to_owned(),
            parameters: json!({ "type": "object" }),
            strict: false,
        };
        ChatRequest { tools: vec![tool], ..ChatRequest::default() }
    }

    #[test]
    fn a_conversation_with_tools_and_pictures_is_said_in_these_words() {
        let call = ToolCall {
            id: "c".to_owned(),
            name: "find".to_owned(),
            arguments: "{\"q\":1}".to_owned(),
            signature: None,
        };
        let said = Message { role: Role::Assistant, parts: Vec::new(), tool_calls: vec![call], answers: None };
        let mut asked = Message::text(Role::User, "Find it.");
        asked.parts.push(Part::Image(Image::Inline { media_type: "image/png".to_owned(), base64: "AA==".to_owned() }));
        let request = ChatRequest {
            messages: vec![Message::text(Role::System, "Be brief."), asked, said, Message::found("c", "one")],
            max_tokens: Some(50),
            temperature: Some(0.5),
            stop: vec!["END".to_owned()],
            effort: Some(Effort::Low),
            format: ResponseFormat::Schema { name: "x".to_owned(), schema: json!({ "type": "object" }), strict: true },
            ..find()
        };
        assert_eq!(
            body(&request, "llama", true).unwrap(),
            json!({
                "model": "llama", "stream": true, "truncate": false, "shift": false, "think": "low", "format": { "type": "object" },
                "options": { "num_predict": 50, "temperature": 0.5, "stop": ["END"] },
                "tools": [{ "type": "function", "function": {
                    "name": "find", "description": "Finds.", "parameters": { "type": "object" },
                } }],
                "messages": [
                    { "role": "system", "content": "Be brief." },
                    { "role": "user", "content": "Find it.", "images": ["AA=="] },
                    { "role": "assistant", "content": "", "tool_calls": [{ "function": { "name": "find", "arguments": { "q": 1 } } }] },
                    { "role": "tool", "content": "one", "tool_name": "find" },
                ],
            })
        );
        let none = ChatRequest { tool_choice: ToolChoice::None, ..find() };
        assert_eq!(body(&none, "llama", false).unwrap().get("tools"), None);
    }

    #[test]
    fn what_it_cannot_do_is_refused_and_not_left_out() {
        let mut pictured = Message::text(Role::User, "What is this?");
        pictured.parts.push(Part::Image(Image::Url("https://a.example/b.png".to_owned())));
        for request in [
            ChatRequest { choices: 2, ..ChatRequest::default() },
            ChatRequest { tool_choice: ToolChoice::Required, ..find() },
            ChatRequest { messages: vec![pictured], ..ChatRequest::default() },
            ChatRequest { messages: vec![Message::found("x", "one")], ..ChatRequest::default() },
        ] {
            assert_eq!(body(&request, "llama", false).unwrap_err().class, FaultClass::Refused);
        }
    }
}
