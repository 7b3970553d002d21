//! Answers: read to their end within bounds, or as they come.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use reqwest::{Response, StatusCode, header::HeaderMap};
use serde::de::DeserializeOwned;

use super::CallError;

/// The most bytes that are held ready because an answer announces them.
const AT_FIRST: usize = 64 * 1024;

/// An answer, read to its end.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
}

impl Answer {
    pub(super) async fn read(mut response: Response, limit: usize) -> Result<Self, CallError> {
        let announced = response.content_length().and_then(|length| usize::try_from(length).ok());
        if announced.is_some_and(|length| length > limit) {
            return Err(CallError::TooLarge(limit));
        }
        let mut body = BytesMut::with_capacity(announced.unwrap_or_default().min(AT_FIRST));
        while let Some(chunk) = response.chunk().await.map_err(CallError::of)? {
            if body.len() + chunk.len() > limit {
                return Err(CallError::TooLarge(limit));
            }
            body.extend_from_slice(&chunk);
        }
        let headers = std::mem::take(response.headers_mut());
        Ok(Self { status: response.status(), headers, body: body.freeze() })
    }

    /// The body as JSON.
    ///
    /// # Errors
    /// [`CallError::Away`] when it is none: whoever is there is not who we meant.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, CallError> {
        serde_json::from_slice(&self.body).map_err(|fault| CallError::Away(Box::new(fault)))
    }
}

/// An answer as it comes.
#[derive(Debug)]
pub struct Flow {
    response: Response,
    pause: Duration,
    left: usize,
    limit: usize,
}

impl Flow {
    pub(super) fn new(response: Response, pause: Duration, limit: usize) -> Self {
        Self { response, pause, left: limit, limit }
    }

    /// The status.
    pub fn status(&self) -> StatusCode {
        self.response.status()
    }

    /// The headers.
    pub fn headers(&self) -> &HeaderMap {
        self.response.headers()
    }

    /// What comes next; `None` at its end.
    ///
    /// # Errors
    /// When it pauses for too long, grows too large, or breaks off.
    pub async fn next(&mut self) -> Result<Option<Bytes>, CallError> {
        let next = tokio::time::timeout(self.pause, self.response.chunk()).await;
        let next = next.map_err(|_| CallError::TimedOut(self.pause))?.map_err(CallError::of)?;
        if let Some(chunk) = &next {
            self.left = self.left.checked_sub(chunk.len()).ok_or(CallError::TooLarge(self.limit))?;
        }
        Ok(next)
    }
}
