//! Conversations and their messages as rows.

use domain::{
    Error, Result,
    assistant::{
        Usage,
        conversation::{Conversation, Message, MessageState, Speaker, Summary},
        prompts::{PromptUse, VersionNumber},
    },
    catalog::Version,
    id::{ConversationId, ConversationMessageId, PromptId, UserId},
};
use sea_orm::{QueryResult, Value};
use uuid::Uuid;

use crate::statement::at;

/// The columns of a conversation under the alias `c`, as [`conversation`] reads them.
pub(super) const CONVERSATION: &str = "c.id, c.user_id, c.client_id, c.title, c.model, c.system, c.archived, c.active_id, c.summary, \
    c.summary_to, c.version, c.created_at, c.updated_at, c.prompt_id, c.prompt_version";
/// The columns of a message under the alias `m`, as [`message`] reads them.
pub(super) const MESSAGE: &str = "m.id, m.conversation_id, m.parent_id, m.client_id, m.speaker, m.parts, m.state, m.fault, m.model, \
    m.prompt_tokens, m.completion_tokens, m.cached_tokens, m.reasoning_tokens, m.pinned, m.created_at, m.written_at";

pub(super) fn conversation(row: &QueryResult) -> Result<Conversation> {
    let summary: (Option<String>, Option<Uuid>) = (at(row, 8)?, at(row, 9)?);
    let prompt: (Option<Uuid>, Option<i64>) = (at(row, 13)?, at(row, 14)?);
    let by_prompt = |(prompt, version)| PromptUse { prompt: PromptId(prompt), version: VersionNumber(version) };
    Ok(Conversation {
        id: ConversationId(at(row, 0)?),
        owner: UserId(at(row, 1)?),
        client_id: at(row, 2)?,
        title: at(row, 3)?,
        model: at(row, 4)?,
        system: at(row, 5)?,
        prompt: prompt.0.zip(prompt.1).map(by_prompt),
        is_archived: at(row, 6)?,
        active: at::<Option<Uuid>>(row, 7)?.map(ConversationMessageId),
        summary: summary.0.zip(summary.1).map(|(text, to)| Summary { text, to: ConversationMessageId(to) }),
        version: Version(at(row, 10)?),
        created_at: at(row, 11)?,
        updated_at: at(row, 12)?,
    })
}

pub(super) fn message(row: &QueryResult) -> Result<Message> {
    let parts: String = at(row, 5)?;
    let number = |index| at::<Option<i64>>(row, index).map(|n| n.map(|n| u64::try_from(n).unwrap_or_default()));
    let usage = match (number(9)?, number(10)?) {
        (Some(prompt), Some(completion)) => Some(Usage {
            prompt,
            completion,
            cached: number(11)?.unwrap_or_default(),
            reasoning: number(12)?.unwrap_or_default(),
        }),
        _ => None,
    };
    Ok(Message {
        id: ConversationMessageId(at(row, 0)?),
        conversation: ConversationId(at(row, 1)?),
        parent: at::<Option<Uuid>>(row, 2)?.map(ConversationMessageId),
        client_id: at(row, 3)?,
        speaker: speaker(&at::<String>(row, 4)?)?,
        parts: serde_json::from_str(&parts).map_err(Error::internal)?,
        state: state(&at::<String>(row, 6)?)?,
        fault: at(row, 7)?,
        model: at(row, 8)?,
        usage,
        is_pinned: at(row, 13)?,
        created_at: at(row, 14)?,
        written_at: at(row, 15)?,
    })
}

pub(super) fn speaker(name: &str) -> Result<Speaker> {
    Speaker::named(name).ok_or_else(|| Error::internal(format!("somebody who speaks is {name:?}")))
}

pub(super) fn state(name: &str) -> Result<MessageState> {
    MessageState::named(name).ok_or_else(|| Error::internal(format!("a message is {name:?}")))
}

pub(super) fn parts(message: &Message) -> Result<Value> {
    Ok(serde_json::to_string(&message.parts).map_err(Error::internal)?.into())
}

/// What was used, column by column.
pub(super) fn usage(message: &Message) -> [Value; 4] {
    let number = |of: fn(&Usage) -> u64| {
        let number = message.usage.as_ref().map(|usage| i64::try_from(of(usage)).unwrap_or(i64::MAX));
        Value::from(number)
    };
    [number(|one| one.prompt), number(|one| one.completion), number(|one| one.cached), number(|one| one.reasoning)]
}
