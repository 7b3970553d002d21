//! What was said in other conversations: found by its words, and the latest.

use std::sync::Arc;

use async_trait::async_trait;
use domain::{
    Result,
    assistant::conversation::{Memory, ports::Memories},
    id::{ConversationId, UserId},
};
use sea_orm::{Statement, Value};
use uuid::Uuid;

use super::row::{self, MESSAGE};
use crate::{
    bulk,
    database::Database,
    statement::{all, statement},
};

impl Database {
    /// What was said in conversations.
    pub fn memories(&self) -> Arc<dyn Memories> {
        Arc::new(self.clone())
    }

    /// The messages that a statement gives.
    async fn remembered(&self, statement: Statement) -> Result<Vec<Memory>> {
        let rows = all(&self.reader, statement).await?;
        let memory = |row| {
            let message = row::message(row)?;
            Ok(Memory { conversation: message.conversation, text: message.text(), at: message.created_at })
        };
        rows.iter().map(memory).collect()
    }
}

#[async_trait]
impl Memories for Database {
    async fn related(
        &self,
        owner: UserId,
        but: Option<ConversationId>,
        words: &[String],
        limit: u32,
    ) -> Result<Vec<Memory>> {
        if words.is_empty() {
            return Ok(Vec::new());
        }
        let common = self.engine.pick(
            "(SELECT count(*) FROM json_each($3) w WHERE instr(' ' || m.search_text || ' ', ' ' || w.value || ' ') > 0)",
            "(SELECT count(*) FROM jsonb_array_elements_text($3::jsonb) w \
             WHERE strpos(' ' || m.search_text || ' ', ' ' || w || ' ') > 0)",
        );
        // As `domain::assistant::conversation::likeness` says.
        let sql = format!(
            "SELECT {MESSAGE} FROM (SELECT m.id, {common} AS likeness FROM conversations c \
             JOIN conversation_messages m ON m.conversation_id = c.id \
             WHERE c.user_id = $1 AND c.id <> $2 AND m.state = 'done') a \
             JOIN conversation_messages m ON m.id = a.id \
             WHERE a.likeness >= $4 ORDER BY a.likeness DESC, m.created_at DESC, m.id DESC LIMIT $5"
        );
        let least = i64::try_from(words.len().clamp(1, 2)).unwrap_or(1);
        let values = [owner.0.into(), all_but(but), bulk::json(words)?, least.into(), i64::from(limit).into()];
        self.remembered(statement(self.engine, sql, values)).await
    }

    async fn latest(&self, owner: UserId, but: Option<ConversationId>, limit: u32) -> Result<Vec<Memory>> {
        let sql = format!(
            "SELECT {MESSAGE} FROM conversations c JOIN conversation_messages m ON m.conversation_id = c.id \
             WHERE c.user_id = $1 AND c.id <> $2 AND m.state = 'done' AND m.search_text <> '' \
             ORDER BY m.created_at DESC, m.id DESC LIMIT $3"
        );
        let values = [owner.0.into(), all_but(but), i64::from(limit).into()];
        self.remembered(statement(self.engine, sql, values)).await
    }
}

/// Nothing has the id of zeros.
fn all_but(but: Option<ConversationId>) -> Value {
    but.map_or(Uuid::nil(), |id| id.0).into()
}
