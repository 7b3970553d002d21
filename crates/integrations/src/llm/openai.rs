//! `OpenAI`, and whoever speaks its protocol.

mod reply;
mod request;

use async_trait::async_trait;
use domain::assistant::{
    ChatRequest, Fault,
    ports::{ChatStream, Completed, Frame, LanguageModel},
};

use super::{
    endpoint::{Endpoint, Events},
    errors::{cut, unreadable},
};

const PATH: &[&str] = &["chat", "completions"];

/// A model that is asked by the chat protocol of `OpenAI`.
#[derive(Debug)]
pub(super) struct OpenAi {
    at: Endpoint,
    model: String,
    /// The field by which answers are bounded.
    bound: &'static str,
}

impl OpenAi {
    pub(super) fn new(at: Endpoint, model: &str, bound: &'static str) -> Self {
        Self { at, model: model.to_owned(), bound }
    }
}

#[async_trait]
impl LanguageModel for OpenAi {
    async fn complete(&self, request: &ChatRequest) -> Result<Completed, Fault> {
        let body = request::body(request, &self.model, self.bound, false);
        let bytes = self.at.whole(PATH, &body).await?;
        let reply = reply::whole(&bytes).ok_or_else(unreadable)?;
        Ok(Completed { reply, raw: Some(bytes) })
    }

    async fn stream(&self, request: &ChatRequest) -> Result<Box<dyn ChatStream>, Fault> {
        let body = request::body(request, &self.model, self.bound, true);
        Ok(Box::new(Stream(self.at.events(PATH, &[], &body).await?)))
    }
}

struct Stream(Events);

#[async_trait]
impl ChatStream for Stream {
    async fn next(&mut self) -> Result<Option<Frame>, Fault> {
        let event = self.0.next().await?.ok_or_else(cut)?;
        if &event.data[..] == b"[DONE]" {
            return Ok(None);
        }
        Ok(Some(Frame { events: reply::piece(&event.data)?, raw: Some(event.data) }))
    }
}
