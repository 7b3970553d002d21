//! What was said in other conversations, found by its words.

use std::sync::Arc;

use async_trait::async_trait;
use domain::{
    Result,
    assistant::conversation::{
        Memory,
        ports::{ConversationQueries as _, Memories},
    },
    id::{ConversationId, UserId},
};

use crate::{
    bulk,
    database::Database,
    statement::{all, at, statement},
};

impl Database {
    /// What was said in conversations.
    pub fn memories(&self) -> Arc<dyn Memories> {
        Arc::new(self.clone())
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
            "SELECT a.conversation_id, a.id, a.created_at FROM (\
             SELECT m.id, m.conversation_id, m.created_at, {common} AS likeness FROM conversations c \
             JOIN conversation_messages m ON m.conversation_id = c.id \
             WHERE c.user_id = $1 AND c.id <> $2 AND m.state = 'done') a \
             WHERE a.likeness >= $4 ORDER BY a.likeness DESC, a.created_at DESC, a.id DESC LIMIT $5"
        );
        let least = i64::try_from(words.len().clamp(1, 2)).unwrap_or(1);
        // Nothing has the id of zeros.
        let but = but.map_or(uuid::Uuid::nil(), |id| id.0);
        let values = [owner.0.into(), but.into(), bulk::json(words)?, least.into(), i64::from(limit).into()];
        let rows = all(&self.reader, statement(self.engine, sql, values)).await?;
        let mut memories = Vec::with_capacity(rows.len());
        for row in &rows {
            let (conversation, id) = (ConversationId(at(row, 0)?), at::<uuid::Uuid>(row, 1)?);
            let found = self.messages(conversation, &[id.into()]).await?;
            memories.extend(found.into_iter().map(|message| Memory {
                conversation,
                text: message.text(),
                at: message.created_at,
            }));
        }
        Ok(memories)
    }
}
