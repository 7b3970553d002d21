//! Conversations as their owners meet them.

use std::{fmt::Write as _, sync::Arc};

use async_trait::async_trait;
use domain::{
    Result,
    assistant::conversation::{
        Conversation, Message, Node,
        ports::{ConversationQueries, Listed, Place},
    },
    clock::Timestamp,
    id::{ConversationId, ConversationMessageId, UserId},
    page::{Limit, Slice},
    text::Search,
};
use sea_orm::Value;
use uuid::Uuid;

use super::row::{self, CONVERSATION, MESSAGE};
use crate::{
    bulk,
    database::Database,
    engine::Engine,
    statement::{all, at, one, statement},
};

impl Database {
    /// The read side of conversations.
    pub fn conversations(&self) -> Arc<dyn ConversationQueries> {
        Arc::new(self.clone())
    }
}

/// Whether the words of a column are those of a search. A person has said so little that reading all of it by their own index costs
/// less than another index would; words are between spaces, so they are found by their bytes, alike on both engines.
fn matching(engine: Engine, search: &Search, column: &str, values: &mut Vec<Value>) -> String {
    let Some((prefix, whole)) = search.tokens().split_last() else { return "1 = 0".to_owned() };
    let find = engine.pick("instr", "strpos");
    let mut sql = String::new();
    let words = whole.iter().map(|word| format!(" {word} ")).chain([format!(" {prefix}")]);
    for (n, word) in words.enumerate() {
        values.push(word.into());
        let and = if n > 0 { " AND " } else { "" };
        let _ = write!(sql, "{and}{find}(' ' || {column} || ' ', ${}) > 0", values.len());
    }
    sql
}

#[async_trait]
impl ConversationQueries for Database {
    async fn get(&self, id: ConversationId) -> Result<Option<Conversation>> {
        let sql = format!("SELECT {CONVERSATION} FROM conversations c WHERE c.id = $1");
        let found = one(&self.reader, statement(self.engine, sql, [id.0.into()])).await?;
        found.as_ref().map(row::conversation).transpose()
    }

    async fn called(&self, owner: UserId, client_id: &str) -> Result<Option<Conversation>> {
        let sql = format!("SELECT {CONVERSATION} FROM conversations c WHERE c.user_id = $1 AND c.client_id = $2");
        let found = one(&self.reader, statement(self.engine, sql, [owner.0.into(), client_id.into()])).await?;
        found.as_ref().map(row::conversation).transpose()
    }

    async fn list(
        &self,
        owner: UserId,
        listed: &Listed,
        after: Option<Place>,
        limit: Limit,
    ) -> Result<Slice<Conversation, Place>> {
        let most = usize::try_from(limit.get()).unwrap_or(usize::MAX);
        let mut values: Vec<Value> =
            vec![owner.0.into(), listed.archived.into(), i64::from(limit.get()).saturating_add(1).into()];
        let mut these = String::new();
        if let Some(after) = after {
            values.extend([after.updated_at.into(), after.id.0.into()]);
            these.push_str(" AND (c.updated_at, c.id) < ($4, $5)");
        }
        if let Some(search) = &listed.search {
            let title = matching(self.engine, search, "c.search_text", &mut values);
            let said = matching(self.engine, search, "m.search_text", &mut values);
            let _ = write!(
                these,
                " AND (({title}) OR EXISTS (SELECT 1 FROM conversation_messages m WHERE m.conversation_id = c.id AND {said}))"
            );
        }
        let sql = format!(
            "SELECT {CONVERSATION} FROM conversations c WHERE c.user_id = $1 AND c.archived = $2{these} \
             ORDER BY c.updated_at DESC, c.id DESC LIMIT $3"
        );
        let rows = all(&self.reader, statement(self.engine, sql, values)).await?;
        let items = rows.iter().take(most).map(row::conversation).collect::<Result<Vec<_>>>()?;
        let last = items.last().filter(|_| rows.len() > most);
        let next = last.map(|one| Place { updated_at: one.updated_at, id: one.id });
        Ok(Slice { items, next })
    }

    async fn nodes(&self, id: ConversationId) -> Result<Vec<Node>> {
        let sql = "SELECT id, parent_id, client_id, speaker FROM conversation_messages WHERE conversation_id = $1";
        let rows = all(&self.reader, statement(self.engine, sql, [id.0.into()])).await?;
        let node = |row| {
            Ok(Node {
                id: ConversationMessageId(at(row, 0)?),
                parent: at::<Option<Uuid>>(row, 1)?.map(ConversationMessageId),
                client_id: at(row, 2)?,
                speaker: row::speaker(&at::<String>(row, 3)?)?,
            })
        };
        rows.iter().map(node).collect()
    }

    async fn messages(&self, id: ConversationId, messages: &[ConversationMessageId]) -> Result<Vec<Message>> {
        let ids: Vec<_> = messages.iter().map(|message| bulk::hex(*message)).collect();
        let wanted = bulk::ids(self.engine, 2);
        let sql = format!(
            "SELECT {MESSAGE} FROM {wanted} JOIN conversation_messages m ON m.id = wanted.v WHERE m.conversation_id = $1"
        );
        let rows = all(&self.reader, statement(self.engine, sql, [id.0.into(), bulk::json(&ids)?])).await?;
        rows.iter().map(row::message).collect()
    }

    async fn streaming(&self, id: ConversationId) -> Result<Option<Message>> {
        let sql = format!(
            "SELECT {MESSAGE} FROM conversation_messages m WHERE m.conversation_id = $1 AND m.state = 'streaming' \
             ORDER BY m.id DESC LIMIT 1"
        );
        let found = one(&self.reader, statement(self.engine, sql, [id.0.into()])).await?;
        found.as_ref().map(row::message).transpose()
    }

    async fn untouched(&self, before: Timestamp, limit: u32) -> Result<Vec<ConversationId>> {
        let sql = "SELECT id FROM conversations WHERE updated_at < $1 ORDER BY updated_at, id LIMIT $2";
        let values = [before.into(), i64::from(limit).into()];
        let rows = all(&self.reader, statement(self.engine, sql, values)).await?;
        rows.iter().map(|row| Ok(ConversationId(at(row, 0)?))).collect()
    }
}
