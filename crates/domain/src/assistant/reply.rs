//! What a language model answers: as a whole, or word by word.

use std::collections::BTreeMap;

/// What a call used, by the provider's own figures.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    /// Tokens of what was asked, cached ones included.
    pub prompt: u64,
    /// Tokens of the answer, thoughts included.
    pub completion: u64,
    /// Of the prompt, those that the provider had read before.
    pub cached: u64,
    /// Of the answer, those that were thoughts.
    pub reasoning: u64,
}

impl Usage {
    /// Both together.
    pub fn total(&self) -> u64 {
        self.prompt.saturating_add(self.completion)
    }
}

/// Why an answer ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Finish {
    /// The model had said what it wanted.
    Stop,
    /// The most tokens were reached.
    Length,
    /// It wants tools used.
    Tools,
    /// The provider withheld the rest.
    Filtered,
}

/// A tool that the model wants used. `Debug` does not show with what.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct ToolCall {
    /// Its id, which the answer names.
    pub id: String,
    /// The name of the tool.
    pub name: String,
    /// The arguments as the model wrote them: JSON, if it kept its word.
    pub arguments: String,
    /// What the provider wants back with the call, unread.
    pub signature: Option<String>,
}

impl std::fmt::Debug for ToolCall {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ToolCall").field("id", &self.id).field("name", &self.name).finish_non_exhaustive()
    }
}

/// A piece of an answer.
#[derive(Clone, PartialEq, Eq)]
pub enum ChatEvent {
    /// More text.
    Text(String),
    /// More thoughts.
    Reasoning(String),
    /// A tool is wanted, or more of its arguments is there. `id` and `name` come with the first piece of one.
    Tool {
        /// Which of the calls of this answer, from 0.
        index: u32,
        /// Its id.
        id: Option<String>,
        /// The tool.
        name: Option<String>,
        /// More of the arguments.
        arguments: String,
        /// What the provider wants back with the call.
        signature: Option<String>,
    },
    /// Why it ended.
    Finish(Finish),
    /// What was used, so far or in all: the last one counts.
    Usage(Usage),
}

impl std::fmt::Debug for ChatEvent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Text(text) => write!(f, "Text({} bytes)", text.len()),
            Self::Reasoning(text) => write!(f, "Reasoning({} bytes)", text.len()),
            Self::Tool { index, name, .. } => write!(f, "Tool({index}, {name:?})"),
            Self::Finish(finish) => write!(f, "Finish({finish:?})"),
            Self::Usage(usage) => usage.fmt(f),
        }
    }
}

/// A whole answer. `Debug` shows how much, never what.
#[derive(Clone, PartialEq, Eq)]
pub struct ChatReply {
    /// What was said.
    pub text: String,
    /// What was thought, where the provider tells.
    pub reasoning: String,
    /// The tools that are wanted.
    pub tool_calls: Vec<ToolCall>,
    /// Why it ended.
    pub finish: Finish,
    /// What was used; `None` when the provider did not say.
    pub usage: Option<Usage>,
}

impl std::fmt::Debug for ChatReply {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ChatReply")
            .field("text", &self.text.len())
            .field("tool_calls", &self.tool_calls)
            .field("finish", &self.finish)
            .field("usage", &self.usage)
            .finish_non_exhaustive()
    }
}

/// Gathers the pieces of an answer.
#[derive(Debug, Default)]
pub struct Gathered {
    text: String,
    reasoning: String,
    tools: BTreeMap<u32, ToolCall>,
    finish: Option<Finish>,
    usage: Option<Usage>,
}

impl Gathered {
    /// Takes a piece.
    pub fn take(&mut self, event: &ChatEvent) {
        match event {
            ChatEvent::Text(more) => self.text.push_str(more),
            ChatEvent::Reasoning(more) => self.reasoning.push_str(more),
            ChatEvent::Tool { index, id, name, arguments, signature } => {
                let call = self.tools.entry(*index).or_default();
                if let Some(id) = id {
                    call.id.clone_from(id);
                }
                if let Some(name) = name {
                    call.name.clone_from(name);
                }
                if signature.is_some() {
                    call.signature.clone_from(signature);
                }
                call.arguments.push_str(arguments);
            }
            ChatEvent::Finish(finish) => self.finish = Some(*finish),
            ChatEvent::Usage(usage) => self.usage = Some(*usage),
        }
    }

    /// The answer, as far as it came; one without an end ended by itself.
    pub fn reply(self) -> ChatReply {
        let Self { text, reasoning, tools, finish, usage } = self;
        let tool_calls: Vec<ToolCall> = tools.into_values().collect();
        let usual = if tool_calls.is_empty() { Finish::Stop } else { Finish::Tools };
        ChatReply { text, reasoning, tool_calls, finish: finish.unwrap_or(usual), usage }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_make_the_whole_and_the_last_usage_counts() {
        let piece = |id: Option<&str>, arguments: &str| ChatEvent::Tool {
            index: 1,
            id: id.map(str::to_owned),
            name: id.map(|_| "search".to_owned()),
            arguments: arguments.to_owned(),
            signature: None,
        };
        let mut gathered = Gathered::default();
        for event in [
            ChatEvent::Text("Hel".to_owned()),
            ChatEvent::Usage(Usage { prompt: 3, ..Usage::default() }),
            ChatEvent::Text("lo".to_owned()),
            piece(Some("a"), "{\"q\":"),
            piece(None, "1}"),
            ChatEvent::Usage(Usage { prompt: 3, completion: 5, ..Usage::default() }),
        ] {
            gathered.take(&event);
        }
        let reply = gathered.reply();
        assert_eq!((reply.text.as_str(), reply.finish), ("Hello", Finish::Tools));
        assert_eq!(reply.usage.map(|usage| usage.total()), Some(8));
        let call = &reply.tool_calls[0];
        assert_eq!((call.id.as_str(), call.name.as_str(), call.arguments.as_str()), ("a", "search", "{\"q\":1}"));
    }

    #[test]
    fn what_was_said_stands_in_no_log() {
        let event = ChatEvent::Text("my secret".to_owned());
        let reply = ChatReply {
            text: "my secret".to_owned(),
            reasoning: "my secret".to_owned(),
            tool_calls: vec![ToolCall { arguments: "my secret".to_owned(), ..ToolCall::default() }],
            finish: Finish::Stop,
            usage: None,
        };
        assert!(!format!("{event:?} {reply:?}").contains("my secret"));
    }
}
