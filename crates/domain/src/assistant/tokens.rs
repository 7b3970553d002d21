//! How many tokens a question has, without asking its provider.

use super::{ChatRequest, Part, Usage};

/// What each message costs beside its words.
pub(super) const MESSAGE: u64 = 8;
/// What a picture costs at most, by the tables of the providers: a large one in all its tiles.
const PICTURE: u64 = 3_000;
/// About how many bytes a token has.
const BYTES: u64 = 4;

/// The bytes, the messages and the pictures of a question.
struct Size {
    bytes: u64,
    messages: u64,
    pictures: u64,
}

fn long(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}

fn size(request: &ChatRequest) -> Size {
    let mut size = Size { bytes: 0, messages: long(request.messages.len()), pictures: 0 };
    for message in &request.messages {
        for part in &message.parts {
            match part {
                Part::Text(text) => size.bytes += long(text.len()),
                Part::Image(_) => size.pictures += 1,
            }
        }
        for call in &message.tool_calls {
            size.bytes += long(call.name.len() + call.arguments.len() + call.id.len());
        }
    }
    for tool in &request.tools {
        size.messages += 1;
        size.bytes += long(tool.name.len() + tool.description.len() + tool.parameters.to_string().len());
    }
    if let super::ResponseFormat::Schema { schema, .. } = &request.format {
        size.bytes += long(schema.to_string().len());
    }
    size
}

/// The most tokens that a question can have: none has less than a byte. What a tokenizer counts is no such bound: what a provider puts around
/// messages, tools and schemas is its own, and so is the tokenizer it has by now behind a name.
pub fn bound(request: &ChatRequest) -> u64 {
    let Size { bytes, messages, pictures } = size(request);
    bytes + MESSAGE * (messages + 1) + PICTURE * pictures
}

/// About how many tokens a question has.
pub fn estimate(request: &ChatRequest) -> u64 {
    let Size { bytes, messages, .. } = size(request);
    bytes.div_ceil(BYTES) + MESSAGE / 2 * messages
}

/// About what was used by somebody who does not say: so many tokens were asked, so many bytes were answered.
pub(super) fn guess(prompt: u64, answered: usize) -> Usage {
    Usage { prompt, completion: long(answered).div_ceil(BYTES), ..Usage::default() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::assistant::{Image, Message, Role};

    #[test]
    fn the_bound_is_no_less_than_the_estimate_and_counts_all_there_is() {
        let mut request =
            ChatRequest { messages: vec![Message::text(Role::User, "How long?")], ..ChatRequest::default() };
        let short = (bound(&request), estimate(&request));
        assert!(short.0 >= 9 && short.0 >= short.1, "{short:?}");
        request.messages[0].parts.push(Part::Image(Image::Url("https://a.example/b.png".to_owned())));
        assert_eq!(bound(&request), short.0 + PICTURE);
        request.messages.push(Message::text(Role::Assistant, "\u{1f600}".repeat(1000)));
        assert!(bound(&request) > 4000 && estimate(&request) > 1000);
    }
}
