//! One request, and the redirects it is led through.

use std::time::{Duration, Instant};

use bytes::Bytes;
use reqwest::{
    Method,
    header::{AUTHORIZATION, COOKIE, HeaderMap, HeaderName, HeaderValue, LOCATION},
};
use serde::Serialize;

use super::{Answer, CallError, Flow, HttpClient, Target};

/// A request to be sent.
#[derive(Debug)]
#[must_use = "it is not sent yet"]
pub struct Request {
    client: HttpClient,
    pub(super) method: Method,
    to: Target,
    headers: HeaderMap,
    body: Bytes,
    pub(super) whole: Duration,
    body_limit: usize,
    fault: Option<CallError>,
}

impl Request {
    pub(super) fn new(client: HttpClient, method: Method, to: Target) -> Self {
        let (whole, body_limit) = (client.0.settings.whole, client.0.settings.body_limit);
        Self { client, method, to, headers: HeaderMap::new(), body: Bytes::new(), whole, body_limit, fault: None }
    }

    /// With this header.
    pub fn header(mut self, name: HeaderName, value: &str) -> Self {
        match HeaderValue::from_str(value) {
            Ok(mut value) => {
                value.set_sensitive(name == AUTHORIZATION || name == COOKIE);
                self.headers.insert(name, value);
            }
            Err(fault) => self.fault = Some(CallError::Request(Box::new(fault))),
        }
        self
    }

    /// With these bytes as its body, of this type.
    pub fn body(self, content_type: &str, bytes: impl Into<Bytes>) -> Self {
        Self { body: bytes.into(), ..self.header(reqwest::header::CONTENT_TYPE, content_type) }
    }

    /// With this as its body, in JSON.
    pub fn json(mut self, value: &impl Serialize) -> Self {
        match serde_json::to_vec(value) {
            Ok(bytes) => self.body("application/json", bytes),
            Err(fault) => {
                self.fault = Some(CallError::Request(Box::new(fault)));
                self
            }
        }
    }

    /// It may take this long as a whole.
    pub fn within(self, whole: Duration) -> Self {
        Self { whole, ..self }
    }

    /// Its answer may have this many bytes.
    pub fn at_most(self, body_limit: usize) -> Self {
        Self { body_limit, ..self }
    }

    /// The same once more. One that cannot be sent says so each time.
    pub(super) fn again(&self) -> Self {
        let fault = self.fault.as_ref().map(|fault| CallError::Request(fault.to_string().into()));
        let Self { client, method, to, headers, body, whole, body_limit, .. } = self;
        let (client, method, to) = (client.clone(), method.clone(), to.clone());
        let (headers, body) = (headers.clone(), body.clone());
        Self { client, method, to, headers, body, whole: *whole, body_limit: *body_limit, fault }
    }

    /// Sends it, once, and reads the answer to its end. Every status is an answer.
    ///
    /// # Errors
    /// Why there is none.
    pub async fn send(self) -> Result<Answer, CallError> {
        let (whole, limit) = (self.whole, self.body_limit);
        let read = async {
            let response = self.head().await?;
            Answer::read(response, limit).await
        };
        tokio::time::timeout(whole, read).await.map_err(|_| CallError::TimedOut(whole))?
    }

    /// Sends it, and gives the answer as it comes, which may go on for as long as it never pauses for longer than a whole call
    /// may take.
    ///
    /// # Errors
    /// Why there is none.
    pub async fn flow(self) -> Result<Flow, CallError> {
        let (whole, limit) = (self.whole, self.body_limit);
        Ok(Flow::new(self.head().await?, whole, limit))
    }

    /// The head of the answer, where redirects end. Only what asks and changes nothing is led on; the answer to anything else
    /// is the redirect itself.
    async fn head(self) -> Result<reqwest::Response, CallError> {
        if let Some(fault) = self.fault {
            return Err(fault);
        }
        let settings = &self.client.0.settings;
        let until = Instant::now() + settings.head;
        let (mut to, mut headers) = (self.to, self.headers);
        let asks = self.method == Method::GET || self.method == Method::HEAD;
        for _ in 0..=settings.redirects {
            to.vet(&self.client.0.guard)?;
            let (method, url, body) = (self.method.clone(), to.url.clone(), self.body.clone());
            let sent =
                self.client.send(to.trusted, |client| client.request(method, url).headers(headers.clone()).body(body));
            let left = until.saturating_duration_since(Instant::now());
            let response = tokio::time::timeout(left, sent).await.map_err(|_| CallError::TimedOut(settings.head))??;
            let location = response.headers().get(LOCATION).and_then(|value| value.to_str().ok());
            let Some(location) = location.filter(|_| asks && response.status().is_redirection()) else {
                return Ok(response);
            };
            let next = to.led_to(location)?;
            if next.url.origin() != to.url.origin() {
                // What is for one is not for another.
                headers.remove(AUTHORIZATION);
                headers.remove(COOKIE);
            }
            to = next;
        }
        Err(CallError::Redirect)
    }
}
