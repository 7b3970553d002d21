//! Sends webhooks: one call each, through the one client, to addresses that somebody else gave (ruling R37).

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use domain::{
    clock::{Clock, Timestamp},
    webhooks::{
        Answered, Fault, Outcome, TIMEOUT,
        ports::{Addresses, Courier, Parcel},
    },
};
use reqwest::header::{HeaderMap, HeaderName, RETRY_AFTER};

use crate::client::{CallError, CallSettings, Flow, HttpClient, Method, Target};

/// How much of an answer is kept, in bytes.
const KEPT: usize = 1024;
/// What is read of it, so that the connection serves again; of a longer one the rest is left.
const READ: usize = 16 * 1024;
/// The most time that the body of an answer may take once its head is there.
const BODY: Duration = Duration::from_secs(2);

const ID: HeaderName = HeaderName::from_static("webhook-id");
const TIMESTAMP: HeaderName = HeaderName::from_static("webhook-timestamp");
const SIGNATURE: HeaderName = HeaderName::from_static("webhook-signature");
const DELIVERY: HeaderName = HeaderName::from_static("webhook-delivery");

/// Sends webhooks.
#[derive(Clone)]
pub struct WebhookCourier {
    client: HttpClient,
    /// Says what a date in `Retry-After` means.
    clock: Arc<dyn Clock>,
}

impl std::fmt::Debug for WebhookCourier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("WebhookCourier(..)")
    }
}

impl WebhookCourier {
    /// A courier whose calls behave as these settings say, but for their time, and never follow a redirect. It keeps up to `idle`
    /// connections to a receiver for the next message.
    ///
    /// # Errors
    /// For certificates that cannot be read.
    pub fn new(settings: CallSettings, timeout: Duration, idle: usize, clock: Arc<dyn Clock>) -> domain::Result<Self> {
        let timeout = timeout.min(TIMEOUT);
        let settings = CallSettings { head: timeout, whole: timeout, redirects: 0, idle, ..settings };
        Ok(Self { client: HttpClient::new(settings)?, clock })
    }

    async fn answered(&self, parcel: Parcel<'_>) -> Result<Answered, CallError> {
        let to = Target::of_user(parcel.url)?;
        let request = self.client.request(Method::POST, &to);
        let request = request.header(ID, parcel.id).header(TIMESTAMP, &parcel.timestamp.to_string());
        let request = request.header(SIGNATURE, parcel.signature);
        let mut flow = request.body("application/json", parcel.body.as_bytes().to_vec()).at_most(READ).flow().await?;
        let headers = flow.headers();
        let mut answered = Answered {
            status: flow.status().as_u16(),
            retry_after: retry_after(headers, self.clock.now()),
            abort: headers.get(DELIVERY).is_some_and(|value| value == "abort-message"),
            body: String::new(),
        };
        // What it says beside its status decides nothing, so that it may break off or never end.
        answered.body = tokio::time::timeout(BODY, beginning(&mut flow)).await.unwrap_or_default();
        Ok(answered)
    }
}

#[async_trait]
impl Courier for WebhookCourier {
    async fn send(&self, parcel: Parcel<'_>) -> Outcome {
        match self.answered(parcel).await {
            Ok(answered) => Outcome::Answered(answered),
            Err(error) => {
                tracing::debug!(id = parcel.id, %error, "a webhook did not arrive");
                Outcome::Failed(match error {
                    CallError::Address(_) | CallError::Host => Fault::Blocked,
                    CallError::Redirect => Fault::Redirect,
                    CallError::TimedOut(_) => Fault::Timeout,
                    CallError::TooLarge(_) | CallError::Away(_) | CallError::Refused(_) => Fault::Connection,
                    CallError::Request(_) => Fault::Unsendable,
                })
            }
        }
    }
}

impl Addresses for WebhookCourier {
    fn check(&self, url: &str) -> Result<(), &'static str> {
        let target = Target::of_user(url).map_err(|error| reason(&error))?;
        self.client.vet(&target).map_err(|error| reason(&error))
    }
}

fn reason(error: &CallError) -> &'static str {
    match error {
        CallError::Address(reason) => reason,
        _ => "must not lead inside: to this machine, a private network or the services of a cloud",
    }
}

/// The beginning of an answer, as text.
async fn beginning(flow: &mut Flow) -> String {
    let mut kept = Vec::new();
    while let Ok(Some(chunk)) = flow.next().await {
        let room = KEPT.saturating_sub(kept.len());
        kept.extend(chunk.iter().take(room));
    }
    let text = String::from_utf8_lossy(&kept);
    // A character that was cut in two.
    text.trim_end_matches('\u{fffd}').to_owned()
}

/// How long the receiver wants to be left alone: seconds, or a date.
fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let until = chrono::DateTime::parse_from_rfc2822(text).ok()?;
    Some((until.to_utc() - now).to_std().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_and_dates_are_read_and_the_past_is_now() {
        let now = Timestamp::UNIX_EPOCH + Duration::from_secs(784_111_777);
        let read = |text: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(RETRY_AFTER, text.parse().unwrap());
            retry_after(&headers, now)
        };
        assert_eq!(read("120"), Some(Duration::from_mins(2)));
        assert_eq!(read("Sun, 06 Nov 1994 08:50:37 GMT"), Some(Duration::from_mins(1)));
        assert_eq!(read("Sun, 06 Nov 1994 08:00:00 GMT"), Some(Duration::ZERO));
        for odd in ["", "soon", "-1", "1.5", "99999999999999999999999"] {
            assert_eq!(read(odd), None, "{odd}");
        }
    }
}
