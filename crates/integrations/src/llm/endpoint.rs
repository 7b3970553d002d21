//! Where a model is asked: one call, within its times, on the terms of who is called.

use std::{collections::VecDeque, time::Duration};

use bytes::Bytes;
use domain::assistant::{Fault, FaultClass};
use reqwest::header::{ACCEPT, AUTHORIZATION, HeaderName, RETRY_AFTER};
use serde_json::Value;
use tokio::time::{Instant, timeout, timeout_at};

use super::{
    Protocol, ProviderSettings,
    errors::{class, cut, failed, left_alone, refused, unreadable},
    keys::LiveKey,
    sse::{Event, Parser},
};
use crate::{
    client::{CallError, Flow, HttpClient, Method, Request, Target, after},
    resilience::{Class, Dependency, Repeat},
};

/// The most bytes of an answer.
const LONGEST: usize = 64 * 1024 * 1024;
/// The most bytes of a refusal that are read.
const REFUSAL: usize = 64 * 1024;

/// Where a model is asked.
#[derive(Debug)]
pub(super) struct Endpoint {
    client: HttpClient,
    at: Dependency,
    base: Target,
    protocol: Protocol,
    key: LiveKey,
    first: Duration,
    whole: Duration,
}

impl Endpoint {
    pub(super) fn new(
        client: HttpClient,
        at: Dependency,
        base: Target,
        provider: &ProviderSettings,
        key: LiveKey,
    ) -> Self {
        let ProviderSettings { protocol, first, whole, .. } = *provider;
        Self { client, at, base, protocol, key, first, whole }
    }

    /// By what the provider knows us.
    fn headers(&self) -> Vec<(HeaderName, String)> {
        let key = self.key.now();
        let mut headers = Vec::new();
        match self.protocol {
            _ if key.is_empty() => {}
            Protocol::OpenAi | Protocol::Compatible | Protocol::Ollama => {
                headers.push((AUTHORIZATION, format!("Bearer {key}")));
            }
            Protocol::Anthropic => headers.push((HeaderName::from_static("x-api-key"), key.to_string())),
            Protocol::Gemini => headers.push((HeaderName::from_static("x-goog-api-key"), key.to_string())),
        }
        if self.protocol == Protocol::Anthropic {
            headers.push((HeaderName::from_static("anthropic-version"), "2023-06-01".to_owned()));
        }
        headers
    }

    fn request(&self, path: &[&str], query: &[(&str, &str)], body: Bytes) -> Request {
        let to = query.iter().fold(self.base.below(path), |to, (name, value)| to.with(name, value));
        let request = self.client.request(Method::POST, &to).within(self.whole).at_most(LONGEST);
        let headers = self.headers().into_iter();
        let request = headers.fold(request, |request, (name, value)| request.header(name, &value));
        request.body("application/json", body)
    }

    /// Asks for a whole answer.
    pub(super) async fn whole(&self, path: &[&str], body: &Value) -> Result<Bytes, Fault> {
        let body = Bytes::from(serde_json::to_vec(body).map_err(|_| unreadable())?);
        let attempt = async |body: Bytes| {
            let answer = self.request(path, &[], body).send().await.map_err(|error| failed(&error))?;
            if answer.status.is_success() {
                return Ok(answer.body);
            }
            Err(refused(answer.status, after(answer.headers.get(RETRY_AFTER)), &answer.body))
        };
        let body = &body;
        let called = self.at.call(Repeat::Unsent, |left| async move {
            let brought = timeout(left, attempt(body.clone())).await;
            classed(brought.unwrap_or_else(|_| Err(failed(&CallError::TimedOut(left)))))
        });
        called.await.map_err(left_alone)?
    }

    /// Asks for an answer piece by piece, and waits for its first piece.
    pub(super) async fn events(&self, path: &[&str], query: &[(&str, &str)], body: &Value) -> Result<Events, Fault> {
        let body = Bytes::from(serde_json::to_vec(body).map_err(|_| unreadable())?);
        let until = Instant::now() + self.whole;
        let begin = async |body: Bytes| {
            let (accepts, parser) = match self.protocol {
                Protocol::Ollama => ("application/x-ndjson", Parser::of_lines()),
                _ => ("text/event-stream", Parser::default()),
            };
            let request = self.request(path, query, body).header(ACCEPT, accepts).within(self.first);
            let mut flow = request.flow().await.map_err(|error| failed(&error))?;
            if flow.status().is_success() {
                let mut events = Events { flow, parser, waiting: VecDeque::new(), until };
                let first = events.next().await?.ok_or_else(cut)?;
                events.waiting.push_back(first);
                return Ok(events);
            }
            let (status, wait) = (flow.status(), after(flow.headers().get(RETRY_AFTER)));
            let mut said = Vec::new();
            while let Ok(Some(piece)) = flow.next().await {
                said.extend_from_slice(&piece);
                if said.len() > REFUSAL {
                    break;
                }
            }
            Err(refused(status, wait, &said))
        };
        let (body, first) = (&body, self.first);
        let called = self.at.call(Repeat::Unsent, |left| async move {
            let left = left.min(first);
            let brought = timeout(left, begin(body.clone())).await;
            classed(brought.unwrap_or_else(|_| Err(failed(&CallError::TimedOut(left)))))
        });
        called.await.map_err(left_alone)?
    }
}

fn classed<T>(brought: Result<T, Fault>) -> (Result<T, Fault>, Class) {
    let class = brought.as_ref().map_or_else(class, |_| Class::Answered);
    (brought, class)
}

/// The events of an answer.
#[derive(Debug)]
pub(super) struct Events {
    flow: Flow,
    parser: Parser,
    waiting: VecDeque<Event>,
    until: Instant,
}

impl Events {
    /// The next event; `None` when nothing more comes, which says nothing of whether that is the end.
    pub(super) async fn next(&mut self) -> Result<Option<Event>, Fault> {
        if let Some(event) = self.waiting.pop_front() {
            return Ok(Some(event));
        }
        loop {
            if let Some(event) = self.parser.next().map_err(|_| unreadable())? {
                return Ok(Some(event));
            }
            let late = |_| Fault::new(FaultClass::Timeout, "The provider's answer took too long").costly();
            match timeout_at(self.until, self.flow.next()).await.map_err(late)? {
                Ok(Some(piece)) => self.parser.push(&piece),
                Ok(None) => return Ok(None),
                Err(CallError::TimedOut(_)) => {
                    return Err(Fault::new(FaultClass::Timeout, "The provider paused for too long").costly());
                }
                Err(CallError::Away(_)) => return Err(cut()),
                Err(error) => return Err(failed(&error)),
            }
        }
    }
}
