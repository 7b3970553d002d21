//! What `useChat` sends: the conversation, why an answer is wanted, and what was said. What is stored here is the truth, so of all messages
//! that are sent the last one of the user is taken and no other.

use domain::{
    Violations,
    assistant::conversation::{Ask, Said, Trigger, UserMessage},
};
use serde_json::Value;

use crate::body::Fields;

/// The most characters of a picture that stands in a message itself.
const INLINE_MOST: usize = 6 * 1024 * 1024;

/// What is asked, and whether the answer goes on when nobody reads it.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) ask: Ask,
    pub(super) outlasts: bool,
}

/// Reads a [`super::dto::ChatBody`]. `origin` stands before the addresses of the shop's own pictures.
pub(super) fn read(fields: &mut Fields<'_>, origin: &str) -> Option<Asked> {
    let id = fields.text("id");
    let trigger = fields.choice(
        "trigger",
        |name| match name {
            "submit-message" => Some(false),
            "regenerate-message" => Some(true),
            _ => None,
        },
        "submit-message, regenerate-message",
    );
    let named = fields.text("messageId");
    let message = fields.object("message").map(Value::Object);
    let messages = fields.values("messages");
    let (model, system) = (fields.text("model"), fields.text("system"));
    let outlasts = fields.boolean("resumable").unwrap_or_default();
    let last = message.or_else(|| messages.and_then(|all| all.into_iter().rev().find(is_of_user)));
    let said = last.map(|message| user_message(&message, origin, &mut fields.violations));
    let again = trigger.unwrap_or_default();
    if id.is_none() && fields.violations.is_empty() {
        fields.violations.missing::<()>("/id");
    }
    let trigger = if again {
        Trigger::Again { of: named, message: said }
    } else {
        let Some(message) = said else {
            fields.violations.add("/messages", "consistent", "must have a message of the user; or send it as message");
            return None;
        };
        Trigger::Said { message, instead_of: named }
    };
    let ask = Ask { conversation: id?, trigger, model, system };
    Some(Asked { ask: ask.check(&mut fields.violations)?, outlasts })
}

fn is_of_user(message: &Value) -> bool {
    message["role"] == "user"
}

/// Parts that are not known here pass.
fn user_message(message: &Value, origin: &str, violations: &mut Violations) -> UserMessage {
    let text = |value: &Value| value.as_str().map(|text| Said::Text { text: text.to_owned() });
    let parts = match &message["parts"] {
        Value::Array(parts) => parts.iter().filter_map(|part| self::part(part, origin, violations)).collect(),
        _ => text(&message["content"]).into_iter().collect(),
    };
    UserMessage { client_id: message["id"].as_str().map(str::to_owned), parts }
}

fn part(part: &Value, origin: &str, violations: &mut Violations) -> Option<Said> {
    match part["type"].as_str() {
        Some("text") => part["text"].as_str().map(|text| Said::Text { text: text.to_owned() }),
        Some("file") => {
            let (url, media_type) = (part["url"].as_str()?, part["mediaType"].as_str().unwrap_or_default());
            let is_picture = media_type.is_empty() || media_type.starts_with("image/");
            let url = picture(url, origin).filter(|_| is_picture);
            if url.is_none() {
                violations.add(
                    "/messages",
                    "picture",
                    "must have files that are pictures, by an http address, an address of this shop, or in base64 of at most 6 MiB",
                );
            }
            Some(Said::Picture { url: url?, media_type: media_type.to_owned() })
        }
        _ => None,
    }
}

fn picture(url: &str, origin: &str) -> Option<String> {
    if url.contains(|c: char| c.is_control() || c.is_whitespace()) || url.len() > INLINE_MOST {
        return None;
    }
    if url.starts_with("https://") || url.starts_with("http://") {
        return Some(url.to_owned());
    }
    // Those who fetch it must find it.
    if url.starts_with("/content/") && !origin.is_empty() {
        return Some(format!("{}{url}", origin.trim_end_matches('/')));
    }
    let (media_type, base64) = url.strip_prefix("data:")?.split_once(";base64,")?;
    (media_type.starts_with("image/") && !base64.is_empty()).then(|| url.to_owned())
}

#[cfg(test)]
mod tests {
    use actix_web::web::Bytes;
    use serde_json::json;

    use super::*;
    use crate::body::JsonBody;

    fn read_body(body: &Value) -> Result<Asked, String> {
        let body = JsonBody::standing_for(Bytes::from(body.to_string()).to_vec());
        let read = body.read(|fields| read(fields, "https://shop.example"));
        read.map_err(|problem| String::from_utf8(problem.body("r")).unwrap())
    }

    fn said(text: &str) -> UserMessage {
        UserMessage { client_id: Some("m2".to_owned()), parts: vec![Said::Text { text: text.to_owned() }] }
    }

    fn user(text: &str) -> Value {
        json!({ "id": "m2", "role": "user", "parts": [{ "type": "text", "text": text }, { "type": "data-odd", "data": 1 }] })
    }

    #[test]
    fn of_all_messages_the_last_of_the_user_is_taken() {
        let old = json!({ "id": "m1", "role": "user", "parts": [{ "type": "text", "text": "Old" }] });
        let answer = json!({ "id": "a", "role": "assistant", "parts": [{ "type": "step-start" }] });
        let body = json!({ "id": "c", "trigger": "submit-message", "messages": [old, user("New"), answer] });
        let asked = read_body(&body).unwrap();
        assert_eq!(asked.ask.trigger, Trigger::Said { message: said("New"), instead_of: None });
        let body = json!({ "id": "c", "message": user("New"), "messageId": "m1", "resumable": true, "model": "small" });
        let asked = read_body(&body).unwrap();
        assert_eq!(asked.ask.trigger, Trigger::Said { message: said("New"), instead_of: Some("m1".to_owned()) });
        assert!(asked.outlasts && asked.ask.model.as_deref() == Some("small"));
        let again = read_body(&json!({ "id": "c", "trigger": "regenerate-message", "messageId": "a" })).unwrap();
        assert_eq!(again.ask.trigger, Trigger::Again { of: Some("a".to_owned()), message: None });
    }

    #[test]
    fn every_fault_of_a_question_names_its_field() {
        for (body, field) in [
            (json!({ "id": "c", "messages": [] }), "/messages"),
            (json!({ "id": "c", "messages": [{ "role": "assistant" }] }), "/messages"),
            (json!({ "messages": [user("Hello")] }), "/id"),
            (json!({ "id": "a b", "messages": [user("Hello")] }), "/id"),
            (json!({ "id": "c", "messages": [user(" ")] }), "/messages"),
            (json!({ "id": "c", "messages": [user("a\u{0}")] }), "/messages"),
            (json!({ "id": "c", "messages": "Hello" }), "/messages"),
            (json!({ "id": "c", "trigger": "resume-stream", "messages": [user("Hello")] }), "/trigger"),
            (json!({ "id": "c", "messages": [user("Hello")], "colour": "red" }), "/colour"),
            (json!({ "id": "c", "messages": [user("Hello")], "model": "" }), "/model"),
        ] {
            let refused = read_body(&body).unwrap_err();
            assert!(refused.contains(&format!("\"field\":\"{field}\"")), "{refused}");
        }
    }

    #[test]
    fn pictures_are_addresses_or_stand_there_themselves() {
        for (url, expected) in [
            ("https://a.example/b.png", Some("https://a.example/b.png")),
            ("/content/abc.png", Some("https://shop.example/content/abc.png")),
            ("data:image/png;base64,AAAA", Some("data:image/png;base64,AAAA")),
            ("data:text/html;base64,AAAA", None),
            ("file:///etc/passwd", None),
            ("/etc/passwd", None),
            ("https://a.example/\nb", None),
        ] {
            assert_eq!(picture(url, "https://shop.example").as_deref(), expected, "{url}");
        }
        assert_eq!(picture("/content/abc.png", ""), None);
    }
}
