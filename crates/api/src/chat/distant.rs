//! Reading an answer that is made on another node: as far as it was written down, again and again until its end.

use std::time::Duration;

use domain::{
    assistant::conversation::{Message, keep_answer},
    bus::Subscription,
    id::{ConversationId, ConversationMessageId},
};

use tokio::time::{Instant, sleep_until};

use super::{running::topic, told};
use crate::Shared;

/// How often is looked when nothing is told.
const LOOK: Duration = Duration::from_secs(2);
/// What is told of an answer whose node ended.
const GIVEN_UP: &str = "The server that made this answer ended";

/// Somebody who reads an answer that is made elsewhere.
pub(super) struct Reading {
    services: Shared,
    conversation: ConversationId,
    id: ConversationMessageId,
    hints: Subscription,
    told: told::Reader,
    has_looked: bool,
    /// When is looked again though nothing is told. It outlasts a wait that is dropped.
    look_at: Instant,
}

impl Reading {
    /// Begins to read it.
    pub(super) async fn begin(services: &Shared, message: &Message) -> Self {
        let hints = services.bus.subscribe(&[&topic(message.id)]).await;
        Self {
            services: services.clone(),
            conversation: message.conversation,
            id: message.id,
            hints,
            told: told::Reader::default(),
            has_looked: false,
            look_at: Instant::now(),
        }
    }

    /// What is said next; `None` at the end. Nothing is lost when this is dropped before it answers.
    pub(super) async fn next(&mut self) -> Option<String> {
        loop {
            if self.told.is_over() {
                return None;
            }
            if self.has_looked {
                tokio::select! {
                    _ = self.hints.next() => {}
                    () = sleep_until(self.look_at) => {}
                }
                self.has_looked = false;
            }
            // Who cannot be asked just now is asked again.
            let found = self.services.chat.talks.queries.messages(self.conversation, &[self.id]).await;
            (self.has_looked, self.look_at) = (true, Instant::now() + LOOK);
            let Ok(mut found) = found else { continue };
            let message = found.pop()?;
            let more = self.catch_up(message).await;
            if !more.is_empty() {
                return Some(more);
            }
        }
    }

    async fn catch_up(&mut self, mut message: Message) -> String {
        let state = message.state_at(self.services.shop.now());
        if state != message.state {
            message = Message { state, fault: Some(GIVEN_UP.to_owned()), ..message };
            if let Err(error) = keep_answer(&self.services.shop, &message).await {
                tracing::warn!(%error, "an answer was not given up");
            }
        }
        self.told.catch_up(&message, state)
    }
}
