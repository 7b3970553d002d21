//! Conversations in memory.

use std::{cmp::Reverse, collections::BTreeMap};

use async_trait::async_trait;

use super::{MemoryStore, MemoryTx};
use crate::{
    assistant::conversation::{
        Conversation, Memory, Message, MessageState, Node, likeness,
        ports::{ConversationQueries, ConversationRepo, Listed, Memories, Place},
    },
    clock::Timestamp,
    error::Result,
    id::{ConversationId, ConversationMessageId, UserId},
    page::{Limit, Slice},
    text,
};

/// Conversations and their messages.
#[derive(Debug, Clone, Default)]
pub(super) struct Conversations {
    all: BTreeMap<ConversationId, Conversation>,
    messages: BTreeMap<ConversationMessageId, Message>,
}

impl Conversations {
    fn remove(&mut self, id: ConversationId) {
        self.all.remove(&id);
        self.messages.retain(|_, message| message.conversation != id);
    }

    pub(super) fn forget(&mut self, user: UserId) {
        let own: Vec<_> = self.all.values().filter(|one| one.owner == user).map(|one| one.id).collect();
        for id in own {
            self.remove(id);
        }
    }

    fn of(&self, id: ConversationId) -> impl Iterator<Item = &Message> {
        self.messages.values().filter(move |message| message.conversation == id)
    }

    fn called(&self, owner: UserId, name: &str) -> Option<&Conversation> {
        self.all.values().find(|one| one.owner == owner && one.client_id.as_deref() == Some(name))
    }
}

#[async_trait]
impl ConversationRepo for MemoryTx {
    async fn insert(&mut self, conversation: &Conversation) -> Result<bool> {
        let taken = conversation.client_id.as_deref();
        if taken.is_some_and(|name| self.state.conversations.called(conversation.owner, name).is_some()) {
            return Ok(false);
        }
        self.write().conversations.all.insert(conversation.id, conversation.clone());
        Ok(true)
    }

    async fn find(&mut self, id: ConversationId) -> Result<Option<Conversation>> {
        Ok(self.state.conversations.all.get(&id).cloned())
    }

    async fn update(&mut self, conversation: &Conversation) -> Result<()> {
        if let Some(stored) = self.write().conversations.all.get_mut(&conversation.id) {
            let (owner, client_id) = (stored.owner, stored.client_id.clone());
            *stored = Conversation { owner, client_id, ..conversation.clone() };
        }
        Ok(())
    }

    async fn delete(&mut self, id: ConversationId) -> Result<()> {
        self.write().conversations.remove(id);
        Ok(())
    }

    async fn count(&mut self, id: ConversationId) -> Result<u64> {
        Ok(u64::try_from(self.state.conversations.of(id).count()).unwrap_or(u64::MAX))
    }

    async fn add(&mut self, message: &Message) -> Result<()> {
        self.write().conversations.messages.insert(message.id, message.clone());
        Ok(())
    }

    async fn message(&mut self, id: ConversationId, message: ConversationMessageId) -> Result<Option<Message>> {
        Ok(self.state.conversations.of(id).find(|one| one.id == message).cloned())
    }

    async fn keep(&mut self, message: &Message) -> Result<Option<MessageState>> {
        let open = [MessageState::Streaming, MessageState::Cut];
        let Some(before) = self.state.conversations.messages.get(&message.id) else { return Ok(None) };
        if !open.contains(&before.state) {
            return Ok(None);
        }
        let Some(stored) = self.write().conversations.messages.get_mut(&message.id) else { return Ok(None) };
        let state = if stored.state == MessageState::Cut { MessageState::Cut } else { message.state };
        stored.parts.clone_from(&message.parts);
        stored.fault.clone_from(&message.fault);
        stored.model.clone_from(&message.model);
        (stored.usage, stored.written_at, stored.state) = (message.usage, message.written_at, state);
        Ok(Some(state))
    }

    async fn cut(&mut self, id: ConversationId) -> Result<u64> {
        let messages = &mut self.write().conversations.messages;
        let open = messages
            .values_mut()
            .filter(|message| message.conversation == id && message.state == MessageState::Streaming);
        let mut cut = 0;
        for message in open {
            message.state = MessageState::Cut;
            cut += 1;
        }
        Ok(cut)
    }

    async fn pin(&mut self, id: ConversationId, message: ConversationMessageId, is_pinned: bool) -> Result<bool> {
        if self.state.conversations.of(id).all(|one| one.id != message) {
            return Ok(false);
        }
        if let Some(stored) = self.write().conversations.messages.get_mut(&message) {
            stored.is_pinned = is_pinned;
        }
        Ok(true)
    }
}

#[async_trait]
impl ConversationQueries for MemoryStore {
    async fn get(&self, id: ConversationId) -> Result<Option<Conversation>> {
        Ok(self.state().conversations.all.get(&id).cloned())
    }

    async fn called(&self, owner: UserId, client_id: &str) -> Result<Option<Conversation>> {
        Ok(self.state().conversations.called(owner, client_id).cloned())
    }

    async fn list(
        &self,
        owner: UserId,
        listed: &Listed,
        after: Option<Place>,
        limit: Limit,
    ) -> Result<Slice<Conversation, Place>> {
        let state = self.state();
        let stored = &state.conversations;
        let found = |conversation: &&Conversation| {
            let Some(search) = &listed.search else { return true };
            search.matches(&text::search_text(&[&conversation.title]))
                || stored.of(conversation.id).any(|message| search.matches(&message.search_text()))
        };
        let key = |one: &Conversation| (one.updated_at, one.id);
        let mut own: Vec<Conversation> = stored
            .all
            .values()
            .filter(|one| one.owner == owner && one.is_archived == listed.archived)
            .filter(|one| after.is_none_or(|after| key(one) < (after.updated_at, after.id)))
            .filter(found)
            .cloned()
            .collect();
        own.sort_by_key(|one| Reverse(key(one)));
        let most = usize::try_from(limit.get()).unwrap_or(usize::MAX);
        let has_more = own.len() > most;
        own.truncate(most);
        let next = own.last().filter(|_| has_more).map(|one| Place { updated_at: one.updated_at, id: one.id });
        Ok(Slice { items: own, next })
    }

    async fn nodes(&self, id: ConversationId) -> Result<Vec<Node>> {
        let state = self.state();
        let node = |message: &Message| Node {
            id: message.id,
            parent: message.parent,
            client_id: message.client_id.clone(),
            speaker: message.speaker,
        };
        Ok(state.conversations.of(id).map(node).collect())
    }

    async fn messages(&self, id: ConversationId, messages: &[ConversationMessageId]) -> Result<Vec<Message>> {
        Ok(self.state().conversations.of(id).filter(|message| messages.contains(&message.id)).cloned().collect())
    }

    async fn streaming(&self, id: ConversationId) -> Result<Option<Message>> {
        let state = self.state();
        let open = state.conversations.of(id).filter(|message| message.state == MessageState::Streaming);
        Ok(open.last().cloned())
    }

    async fn untouched(&self, before: Timestamp, limit: u32) -> Result<Vec<ConversationId>> {
        let state = self.state();
        let mut old: Vec<_> = state.conversations.all.values().filter(|one| one.updated_at < before).collect();
        old.sort_by_key(|one| (one.updated_at, one.id));
        Ok(old.into_iter().take(usize::try_from(limit).unwrap_or(usize::MAX)).map(|one| one.id).collect())
    }
}

#[async_trait]
impl Memories for MemoryStore {
    async fn related(
        &self,
        owner: UserId,
        but: Option<ConversationId>,
        words: &[String],
        limit: u32,
    ) -> Result<Vec<Memory>> {
        let state = self.state();
        let stored = &state.conversations;
        let others = stored.all.values().filter(|one| one.owner == owner && Some(one.id) != but);
        let mut alike: Vec<_> = others
            .flat_map(|one| stored.of(one.id))
            .filter(|message| message.state == MessageState::Done)
            .map(|message| (likeness(words, &message.search_text()), message))
            .filter(|(likeness, _)| *likeness > 0)
            .collect();
        alike.sort_by_key(|(likeness, message)| Reverse((*likeness, message.created_at, message.id)));
        alike.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
        Ok(alike.into_iter().map(|(_, message)| memory(message)).collect())
    }

    async fn latest(&self, owner: UserId, but: Option<ConversationId>, limit: u32) -> Result<Vec<Memory>> {
        let state = self.state();
        let stored = &state.conversations;
        let others = stored.all.values().filter(|one| one.owner == owner && Some(one.id) != but);
        let whole = |message: &&Message| message.state == MessageState::Done && !message.search_text().is_empty();
        let mut all: Vec<_> = others.flat_map(|one| stored.of(one.id)).filter(whole).collect();
        all.sort_by_key(|message| Reverse((message.created_at, message.id)));
        Ok(all.into_iter().take(usize::try_from(limit).unwrap_or(usize::MAX)).map(memory).collect())
    }
}

fn memory(message: &Message) -> Memory {
    Memory { conversation: message.conversation, text: message.text(), at: message.created_at }
}
