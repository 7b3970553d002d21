//! A request to somebody we know by name, on the terms they are called on.

use std::time::Duration;

use reqwest::{Method, StatusCode, header::RETRY_AFTER};

use super::{Answer, CallError, Request};
use crate::resilience::{Class, Dependency, Repeat};

impl Request {
    /// Sends it to this dependency: within its time, again where that may help, or not at all while it is to be left alone. What
    /// changes something over there is sent again only when nothing of it went out.
    ///
    /// # Errors
    /// Why there is no answer.
    pub async fn send_through(self, to: &Dependency) -> Result<Answer, CallError> {
        let asks = matches!(self.method, Method::GET | Method::HEAD);
        let repeat = if asks { Repeat::Always } else { Repeat::Unsent };
        let sent = to.call(repeat, |left| {
            let attempt = self.again().within(left.min(self.whole));
            async move {
                let brought = attempt.send().await;
                let class = class(&brought);
                (brought, class)
            }
        });
        sent.await?
    }
}

fn class(brought: &Result<Answer, CallError>) -> Class {
    match brought {
        Ok(answer) => class_of(answer.status, retry_after(answer)),
        Err(error) if error.is_unsent() => Class::Unsent,
        Err(error) if error.may_pass() => Class::Failed,
        // It is there, and not what it should be.
        Err(CallError::TooLarge(_) | CallError::Redirect) => Class::Answered,
        Err(_) => Class::Ours,
    }
}

/// What a status says of who gave it.
pub(crate) fn class_of(status: StatusCode, after: Option<Duration>) -> Class {
    match status {
        StatusCode::TOO_MANY_REQUESTS => Class::TooMuch { after, failed: false },
        StatusCode::SERVICE_UNAVAILABLE if after.is_some() => Class::TooMuch { after, failed: true },
        // 501 and 505 are answers to what was asked.
        StatusCode::NOT_IMPLEMENTED | StatusCode::HTTP_VERSION_NOT_SUPPORTED => Class::Answered,
        status if status.is_server_error() => Class::Failed,
        _ => Class::Answered,
    }
}

/// Whole seconds; a date is by the clock of somebody else, and counts as not said.
fn retry_after(answer: &Answer) -> Option<Duration> {
    after(answer.headers.get(RETRY_AFTER))
}

/// As it stands in a header.
pub(crate) fn after(header: Option<&reqwest::header::HeaderValue>) -> Option<Duration> {
    header?.to_str().ok()?.trim().parse().ok().map(Duration::from_secs)
}
