//! Conversations, write side.

use async_trait::async_trait;
use domain::{
    Result,
    assistant::conversation::{Conversation, Message, MessageState, ports::ConversationRepo},
    id::{ConversationId, ConversationMessageId},
    text,
};
use sea_orm::Value;

use super::row::{self, CONVERSATION, MESSAGE};
use crate::{
    statement::{at, count, execute, one, statement},
    tx::SeaTx,
};

const INSERT: &str = "INSERT INTO conversations (id, user_id, client_id, title, search_text, model, system, archived, active_id, \
    summary, summary_to, version, updated_at, prompt_id, prompt_version, created_at) \
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16) ON CONFLICT DO NOTHING";
const UPDATE: &str = "UPDATE conversations SET title = $2, search_text = $3, model = $4, system = $5, archived = $6, active_id = $7, \
    summary = $8, summary_to = $9, version = $10, updated_at = $11, prompt_id = $12, prompt_version = $13 WHERE id = $1";
const ADD: &str = "INSERT INTO conversation_messages (id, conversation_id, parent_id, client_id, speaker, parts, search_text, state, \
    fault, model, prompt_tokens, completion_tokens, cached_tokens, reasoning_tokens, pinned, created_at, written_at) \
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)";
/// What was cut meanwhile stays so.
const KEEP: &str = "UPDATE conversation_messages SET parts = $2, search_text = $3, fault = $4, model = $5, prompt_tokens = $6, \
    completion_tokens = $7, cached_tokens = $8, reasoning_tokens = $9, written_at = $10, \
    state = CASE WHEN state = 'cut' THEN 'cut' ELSE $11 END WHERE id = $1 AND state IN ('streaming', 'cut') RETURNING state";

#[async_trait]
impl ConversationRepo for SeaTx {
    async fn insert(&mut self, conversation: &Conversation) -> Result<bool> {
        let own = [conversation.id.0.into(), conversation.owner.0.into(), conversation.client_id.clone().into()];
        let values = own.into_iter().chain(columns(conversation)).chain([conversation.created_at.into()]);
        Ok(execute(&self.tx, statement(self.engine, INSERT, values)).await? > 0)
    }

    async fn find(&mut self, id: ConversationId) -> Result<Option<Conversation>> {
        // SQLite has one writer.
        let lock = self.engine.pick("", " FOR NO KEY UPDATE");
        let sql = format!("SELECT {CONVERSATION} FROM conversations c WHERE c.id = $1{lock}");
        let found = one(&self.tx, statement(self.engine, sql, [id.0.into()])).await?;
        found.as_ref().map(row::conversation).transpose()
    }

    async fn update(&mut self, conversation: &Conversation) -> Result<()> {
        let values = std::iter::once(conversation.id.0.into()).chain(columns(conversation));
        execute(&self.tx, statement(self.engine, UPDATE, values)).await.map(|_| ())
    }

    async fn delete(&mut self, id: ConversationId) -> Result<()> {
        let sql = "DELETE FROM conversations WHERE id = $1";
        execute(&self.tx, statement(self.engine, sql, [id.0.into()])).await.map(|_| ())
    }

    async fn count(&mut self, id: ConversationId) -> Result<u64> {
        let sql = "SELECT count(*) FROM conversation_messages WHERE conversation_id = $1";
        let found = one(&self.tx, statement(self.engine, sql, [id.0.into()])).await?;
        found.map_or(Ok(0), |row| count(&row, 0))
    }

    async fn add(&mut self, message: &Message) -> Result<()> {
        let [prompt, completion, cached, reasoning] = row::usage(message);
        let values = [
            message.id.0.into(),
            message.conversation.0.into(),
            message.parent.map(|parent| parent.0).into(),
            message.client_id.clone().into(),
            message.speaker.name().into(),
            row::parts(message)?,
            message.search_text().into(),
            message.state.name().into(),
            message.fault.clone().into(),
            message.model.clone().into(),
            prompt,
            completion,
            cached,
            reasoning,
            message.is_pinned.into(),
            message.created_at.into(),
            message.written_at.into(),
        ];
        execute(&self.tx, statement(self.engine, ADD, values)).await.map(|_| ())
    }

    async fn message(&mut self, id: ConversationId, message: ConversationMessageId) -> Result<Option<Message>> {
        let sql = format!("SELECT {MESSAGE} FROM conversation_messages m WHERE m.conversation_id = $1 AND m.id = $2");
        let found = one(&self.tx, statement(self.engine, sql, [id.0.into(), message.0.into()])).await?;
        found.as_ref().map(row::message).transpose()
    }

    async fn keep(&mut self, message: &Message) -> Result<Option<MessageState>> {
        let [prompt, completion, cached, reasoning] = row::usage(message);
        let values = [
            message.id.0.into(),
            row::parts(message)?,
            message.search_text().into(),
            message.fault.clone().into(),
            message.model.clone().into(),
            prompt,
            completion,
            cached,
            reasoning,
            message.written_at.into(),
            message.state.name().into(),
        ];
        let kept = one(&self.tx, statement(self.engine, KEEP, values)).await?;
        kept.map(|row| row::state(&at::<String>(&row, 0)?)).transpose()
    }

    async fn cut(&mut self, id: ConversationId) -> Result<u64> {
        let sql = "UPDATE conversation_messages SET state = 'cut' WHERE conversation_id = $1 AND state = 'streaming'";
        execute(&self.tx, statement(self.engine, sql, [id.0.into()])).await
    }

    async fn pin(&mut self, id: ConversationId, message: ConversationMessageId, is_pinned: bool) -> Result<bool> {
        let sql = "UPDATE conversation_messages SET pinned = $3 WHERE conversation_id = $1 AND id = $2";
        let values = [id.0.into(), message.0.into(), is_pinned.into()];
        Ok(execute(&self.tx, statement(self.engine, sql, values)).await? > 0)
    }
}

/// What of a conversation may change, in the order of [`UPDATE`].
fn columns(conversation: &Conversation) -> [Value; 12] {
    let summary = conversation.summary.as_ref();
    [
        conversation.title.as_str().into(),
        text::search_text(&[&conversation.title]).into(),
        conversation.model.clone().into(),
        conversation.system.clone().into(),
        conversation.is_archived.into(),
        conversation.active.map(|message| message.0).into(),
        summary.map(|summary| summary.text.clone()).into(),
        summary.map(|summary| summary.to.0).into(),
        conversation.version.0.into(),
        conversation.updated_at.into(),
        conversation.prompt.map(|by| by.prompt.0).into(),
        conversation.prompt.map(|by| by.version.0).into(),
    ]
}
