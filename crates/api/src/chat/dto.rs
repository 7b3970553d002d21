//! Conversations as JSON.

use chrono::{DateTime, Utc};
use domain::{
    assistant::{
        Usage,
        conversation::{Conversation, ConversationInput, ConversationPatch, Message, MessageState, Speaker},
    },
    clock::Timestamp,
    id::ConversationMessageId,
};
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;
use uuid::Uuid;

use super::told;
use crate::{
    body::{Fields, Given},
    prompts::render::{Asked, asked},
};

/// What is asked, as `useChat` sends it.
#[derive(Debug, ToSchema)]
#[schema(as = ChatQuestion)]
#[serde(rename_all = "camelCase")]
pub struct ChatBody {
    /// The conversation: its id, or what the client calls it.
    #[schema(example = "chat-1", min_length = 1, max_length = 100, pattern = "^[A-Za-z0-9_-]+$")]
    pub id: String,
    /// The messages as the client has them, in the form of `UIMessage`. The last one of the user is taken and no other.
    #[schema(value_type = Option<Vec<Object>>, example = json!([{ "id": "m1", "role": "user", "parts": [{ "type": "text", "text": "Which lamp fits my desk?" }] }]))]
    pub messages: Option<Vec<Value>>,
    /// That message alone, in place of all.
    #[schema(value_type = Option<Object>)]
    pub message: Option<Value>,
    /// Why an answer is wanted; `submit-message` when absent.
    #[schema(example = "submit-message")]
    pub trigger: Option<TriggerName>,
    /// The message whose place is taken: of a question that was changed, or of an answer that is wanted anew.
    pub message_id: Option<String>,
    /// Another model than that of the conversation.
    #[schema(min_length = 1, max_length = 100, format = "name")]
    pub model: Option<String>,
    /// Other words for the model than those of the conversation.
    #[schema(max_length = 8000, format = "paragraph")]
    pub system: Option<String>,
    /// Whether the answer goes on when its reader goes away, so that it can be resumed.
    #[schema(example = false)]
    pub resumable: Option<bool>,
}

/// Why an answer is wanted.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[schema(as = ChatTrigger)]
#[serde(rename_all = "kebab-case")]
pub enum TriggerName {
    /// The user said something.
    SubmitMessage,
    /// Another answer is wanted.
    RegenerateMessage,
}

/// A new conversation.
#[derive(Debug, ToSchema)]
#[schema(as = NewConversation)]
#[serde(rename_all = "camelCase")]
pub struct ConversationBody {
    /// Its title; made of the first question when absent.
    #[schema(example = "A lamp for my desk", min_length = 1, max_length = 100, format = "name")]
    pub title: Option<String>,
    /// The model that answers; the usual one when absent.
    #[schema(example = "gpt", min_length = 1, max_length = 100, format = "name")]
    pub model: Option<String>,
    /// How the model is to behave.
    #[schema(example = "Answer in one sentence.", max_length = 8000, format = "paragraph")]
    pub system: Option<String>,
    /// A prompt that says how the model is to behave, in place of `system`: its words are made once, and kept.
    pub prompt: Option<ConversationPromptBody>,
}

/// A prompt that says how a model is to behave. Its version has messages of the role system alone.
#[derive(Debug, ToSchema)]
#[schema(as = NewConversationPrompt)]
#[serde(rename_all = "camelCase")]
pub struct ConversationPromptBody {
    /// Its name.
    #[schema(example = "be-kind", pattern = "^[a-z0-9_-]{1,64}$")]
    pub name: String,
    /// The value of each variable, by its name.
    #[schema(value_type = Option<Object>, example = json!({ "language": "English" }))]
    pub variables: Option<Map<String, Value>>,
    /// The version; the one that serves the subject when absent.
    #[schema(example = 1, minimum = 1, maximum = 2_147_483_647)]
    pub version: Option<i64>,
    /// For whom it is; whoever asks when absent.
    #[schema(example = "customer-7", min_length = 1, max_length = 200, format = "name")]
    pub subject: Option<String>,
}

/// Reads a [`ConversationBody`]: what is said of the conversation, and the prompt with its name.
pub fn new_conversation(fields: &mut Fields<'_>) -> (ConversationInput, Option<(String, Asked)>) {
    let (title, model, system) = (fields.text("title"), fields.text("model"), fields.text("system"));
    let prompt = fields.nested("prompt", |fields| {
        let name = match fields.text("name") {
            None if fields.violations.is_empty() => fields.violations.missing("/name"),
            name => name,
        };
        let asked = asked(fields);
        name.map(|name| (name, asked))
    });
    if prompt.is_some() && system.is_some() {
        fields.violations.add(
            "/prompt",
            "consistent",
            "says how the model is to behave, and so does system; leave one out",
        );
    }
    (ConversationInput { title, model, system }, prompt)
}

/// A change of a conversation: what is absent stays.
#[derive(Debug, ToSchema)]
#[schema(as = ConversationPatch)]
#[serde(rename_all = "camelCase")]
pub struct ConversationPatchBody {
    /// Another title.
    #[schema(example = "A lamp for my desk", min_length = 1, max_length = 100, format = "name", nullable = false)]
    pub title: Option<String>,
    /// Another model; null for the usual one.
    #[schema(example = "gpt", min_length = 1, max_length = 100, format = "name")]
    pub model: Option<String>,
    /// Other words for the model; null for none.
    #[schema(example = "Answer in one sentence.", max_length = 8000, format = "paragraph")]
    pub system: Option<String>,
    /// Whether it is put away.
    #[schema(example = false, nullable = false)]
    pub archived: Option<bool>,
    /// The branch that is shown: the latest that goes through this message.
    #[schema(nullable = false)]
    pub active_message_id: Option<Uuid>,
}

/// Reads a [`ConversationPatchBody`].
pub fn conversation_patch(fields: &mut Fields<'_>) -> ConversationPatch {
    fields.of_a_change();
    let given = |given: Given<String>| match given {
        Given::Absent => None,
        Given::Null => Some(None),
        Given::Value(value) => Some(Some(value)),
    };
    ConversationPatch {
        title: fields.text("title"),
        model: given(fields.text_or_null("model")),
        system: given(fields.text_or_null("system")),
        is_archived: fields.boolean("archived"),
        active: fields.uuid("activeMessageId").map(ConversationMessageId),
    }
}

/// A version of a prompt.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ConversationPrompt)]
pub struct PromptUseView {
    /// The id of the prompt.
    pub id: Uuid,
    /// The number of the version.
    #[schema(example = 1, minimum = 1)]
    pub version: i64,
}

/// A conversation.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Conversation)]
#[serde(rename_all = "camelCase")]
pub struct ConversationView {
    /// Its id.
    pub id: Uuid,
    /// What the client calls it, if it began it.
    #[schema(example = "chat-1")]
    pub client_id: Option<String>,
    /// Its title; empty until the first question.
    #[schema(example = "A lamp for my desk")]
    pub title: String,
    /// The model that answers; null for the usual one.
    #[schema(example = "gpt")]
    pub model: Option<String>,
    /// How the model is to behave.
    #[schema(example = "Answer in one sentence.")]
    pub system: Option<String>,
    /// The version of a prompt that says so, unless it was changed since.
    pub prompt: Option<PromptUseView>,
    /// Whether it is put away.
    #[schema(example = false)]
    pub archived: bool,
    /// The last message of the branch that is shown.
    pub active_message_id: Option<Uuid>,
    /// How often it was changed, from 1.
    #[schema(example = 1, minimum = 1)]
    pub version: i64,
    /// When it was begun.
    pub created_at: DateTime<Utc>,
    /// When it was last changed, or something was said in it.
    pub updated_at: DateTime<Utc>,
}

impl From<&Conversation> for ConversationView {
    fn from(one: &Conversation) -> Self {
        Self {
            id: one.id.0,
            client_id: one.client_id.clone(),
            title: one.title.clone(),
            model: one.model.clone(),
            system: one.system.clone(),
            prompt: one.prompt.map(|by| PromptUseView { id: by.prompt.0, version: by.version.0 }),
            archived: one.is_archived,
            active_message_id: one.active.map(|message| message.0),
            version: one.version.0,
            created_at: one.created_at,
            updated_at: one.updated_at,
        }
    }
}

/// Conversations, the ones changed last first.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Conversations)]
#[serde(rename_all = "camelCase")]
pub struct ConversationsView {
    /// The conversations.
    pub items: Vec<ConversationView>,
    /// Where to go on; null at the end.
    #[schema(example = "AAZHdd8AAAAZ9fAAAAdwAIAAASNFZ4kA")]
    pub next_cursor: Option<String>,
}

/// Who speaks.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[schema(as = ConversationRole, example = "user")]
#[serde(rename_all = "lowercase")]
pub enum RoleName {
    /// The person.
    User,
    /// The model.
    Assistant,
}

/// What became of a message.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[schema(as = ConversationMessageState, example = "done")]
#[serde(rename_all = "lowercase")]
pub enum StateName {
    /// It is being said.
    Streaming,
    /// It is whole.
    Done,
    /// It broke off, or was stopped.
    Cut,
    /// It failed.
    Failed,
}

impl From<MessageState> for StateName {
    fn from(state: MessageState) -> Self {
        match state {
            MessageState::Streaming => Self::Streaming,
            MessageState::Done => Self::Done,
            MessageState::Cut => Self::Cut,
            MessageState::Failed => Self::Failed,
        }
    }
}

/// What an answer used.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ConversationUsage)]
#[serde(rename_all = "camelCase")]
pub struct UsageView {
    /// Tokens of what was told to the model.
    #[schema(example = 21, minimum = 0)]
    pub input_tokens: u64,
    /// Tokens of the answer, thoughts included.
    #[schema(example = 13, minimum = 0)]
    pub output_tokens: u64,
    /// Of the first, those that the provider had read before.
    #[schema(example = 0, minimum = 0)]
    pub cached_input_tokens: u64,
    /// Of the second, those that were thoughts.
    #[schema(example = 0, minimum = 0)]
    pub reasoning_tokens: u64,
}

impl From<&Usage> for UsageView {
    fn from(usage: &Usage) -> Self {
        Self {
            input_tokens: usage.prompt,
            output_tokens: usage.completion,
            cached_input_tokens: usage.cached,
            reasoning_tokens: usage.reasoning,
        }
    }
}

/// A message of a conversation.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ConversationMessage)]
#[serde(rename_all = "camelCase")]
pub struct MessageView {
    /// Its id.
    pub id: Uuid,
    /// The message it follows; null at the beginning.
    pub parent_id: Option<Uuid>,
    /// Who said it.
    pub role: RoleName,
    /// What was said, in the form that `useChat` has it.
    #[schema(value_type = Vec<Object>, example = json!([{ "type": "text", "text": "Which lamp fits my desk?", "state": "done" }]))]
    pub parts: Vec<Value>,
    /// What became of it.
    pub state: StateName,
    /// Why it is not whole.
    #[schema(example = "The provider broke off")]
    pub fault: Option<String>,
    /// The model that answered.
    #[schema(example = "gpt")]
    pub model: Option<String>,
    /// What it used.
    pub usage: Option<UsageView>,
    /// Whether a model is to be told of it for ever.
    #[schema(example = false)]
    pub pinned: bool,
    /// The messages at the same place, oldest first, itself among them: each is a branch.
    pub branches: Vec<Uuid>,
    /// When it was begun.
    pub created_at: DateTime<Utc>,
}

impl MessageView {
    /// A message at this moment, with those at its place.
    pub fn new(message: &Message, branches: &[ConversationMessageId], now: Timestamp) -> Self {
        Self {
            id: message.id.0,
            parent_id: message.parent.map(|parent| parent.0),
            role: match message.speaker {
                Speaker::User => RoleName::User,
                Speaker::Assistant => RoleName::Assistant,
            },
            parts: told::parts(message),
            state: message.state_at(now).into(),
            fault: message.fault.clone(),
            model: message.model.clone(),
            usage: message.usage.as_ref().map(UsageView::from),
            pinned: message.is_pinned,
            branches: branches.iter().map(|branch| branch.0).collect(),
            created_at: message.created_at,
        }
    }
}

/// Messages of the branch that is shown, in order.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ConversationMessages)]
#[serde(rename_all = "camelCase")]
pub struct MessagesView {
    /// The messages.
    pub items: Vec<MessageView>,
    /// Of which message those before are asked for; null at the beginning.
    pub next_before: Option<Uuid>,
}

/// A change of a message.
#[derive(Debug, ToSchema)]
#[schema(as = ConversationMessagePatch)]
#[serde(rename_all = "camelCase")]
pub struct MessagePatchBody {
    /// Whether a model is to be told of it however long ago it was said.
    #[schema(example = true)]
    pub pinned: bool,
}

/// Reads a [`MessagePatchBody`].
pub fn message_patch(fields: &mut Fields<'_>) -> Option<bool> {
    fields.of_a_change();
    match fields.boolean("pinned") {
        None if fields.violations.is_empty() => fields.violations.missing("/pinned"),
        given => given,
    }
}

/// A whole conversation, branches included.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ConversationExport)]
#[serde(rename_all = "camelCase")]
pub struct ExportView {
    /// The conversation.
    pub conversation: ConversationView,
    /// All its messages, the oldest first.
    pub messages: Vec<MessageView>,
}
