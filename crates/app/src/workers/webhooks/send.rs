//! One attempt at one message.

use std::{panic::AssertUnwindSafe, sync::Arc, time::Instant};

use domain::{
    clock::Timestamp,
    id::{EndpointId, WebhookMessageId},
    webhooks::{
        Fault, Finished, Message, Outcome, conclude,
        ports::{Parcel, Taken},
    },
};
use futures_util::FutureExt as _;

use super::{Dispatcher, lane::To};

/// A finished attempt, with what it says of its endpoint.
pub(super) struct Ended {
    pub(super) finished: Finished,
    pub(super) outcome: Outcome,
    /// Whether the circuit was not closed when it began.
    pub(super) careful: bool,
}

/// An attempt under way: what must be known of it when it ends, however it does.
#[derive(Clone, Copy)]
pub(super) struct Aloft {
    message: WebhookMessageId,
    endpoint: EndpointId,
    fence: u64,
    ordered: bool,
    attempts: u32,
    place: u32,
    careful: bool,
    at: Timestamp,
    began: Instant,
}

impl Aloft {
    pub(super) fn new(taken: &Taken, careful: bool, at: Timestamp) -> Self {
        let Taken { id: message, endpoint, fence, attempts, place, ordered, .. } = *taken;
        Self { message, endpoint, fence, ordered, attempts, place, careful, at, began: Instant::now() }
    }

    /// How it ended, and what becomes of the message.
    fn ended(self, outcome: Outcome, now: Timestamp, jitter: u8) -> Ended {
        let Self { message, endpoint, fence, ordered, careful, .. } = self;
        let settled = conclude(&outcome, self.place, now, jitter);
        let millis = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX);
        let attempt = outcome.kept(self.attempts + 1, self.at, millis);
        Ended { finished: Finished { message, endpoint, fence, ordered, attempt, settled }, outcome, careful }
    }

    /// It broke off: an attempt that failed by our own fault.
    pub(super) fn broken(self, now: Timestamp) -> Ended {
        self.ended(Outcome::Failed(Fault::Unsendable), now, u8::MAX / 2)
    }
}

/// Signs and sends a message, and decides what becomes of it.
pub(super) async fn send(with: Arc<Dispatcher>, taken: Taken, to: Arc<To>, aloft: Aloft) -> Ended {
    let sent = AssertUnwindSafe(attempt(&with, &taken, &to)).catch_unwind().await;
    let outcome = sent.unwrap_or(Outcome::Failed(Fault::Unsendable));
    let took = aloft.began.elapsed();
    let result = outcome.fault().map_or("delivered", Fault::name);
    metrics::counter!("webhook_attempts_total", "result" => result).increment(1);
    metrics::histogram!("webhook_attempt_duration_seconds", "result" => result).record(took);
    let now = with.shop.now();
    if outcome.fault().is_none() {
        let since = (now - taken.created_at).to_std().unwrap_or_default();
        metrics::histogram!("webhook_delivery_delay_seconds").record(since.as_secs_f64());
    }
    let mut byte = [0];
    with.shop.entropy.fill(&mut byte);
    let [jitter] = byte;
    aloft.ended(outcome, now, jitter)
}

async fn attempt(with: &Dispatcher, taken: &Taken, to: &To) -> Outcome {
    let at = with.shop.now();
    let signature = match with.keyring.signer.sign(&to.secrets, taken.id, at, &taken.body) {
        Ok(signature) if !signature.is_empty() => signature,
        _ => {
            tracing::error!(endpoint = %taken.endpoint, "no secret signs for a webhook endpoint; was SOUK_SECRET_KEY changed?");
            return Outcome::Failed(Fault::Unsendable);
        }
    };
    let id = Message::webhook_id(taken.id);
    let parcel = Parcel { url: &to.url, id: &id, timestamp: at.timestamp(), signature: &signature, body: &taken.body };
    with.courier.send(parcel).await
}
