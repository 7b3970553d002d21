//! One attempt at one message.

use std::{panic::AssertUnwindSafe, sync::Arc, time::Instant};

use domain::webhooks::{
    Fault, Finished, Message, Outcome, conclude,
    ports::{Parcel, Taken},
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

/// Signs and sends a message, and decides what becomes of it.
pub(super) async fn send(with: Dispatcher, taken: Taken, to: Arc<To>, careful: bool) -> Ended {
    let (began, at) = (Instant::now(), with.shop.now());
    let sent = AssertUnwindSafe(attempt(&with, &taken, &to)).catch_unwind().await;
    let outcome = sent.unwrap_or(Outcome::Failed(Fault::Unsendable));
    let took = began.elapsed();
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
    let settled = conclude(&outcome, taken.place, now, jitter);
    let millis = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
    let attempt = outcome.kept(taken.attempts + 1, at, millis);
    let Taken { id: message, endpoint, fence, ordered, .. } = taken;
    Ended { finished: Finished { message, endpoint, fence, ordered, attempt, settled }, outcome, careful }
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
