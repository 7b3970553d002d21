//! The room of a model that batches leave to whoever waits for an answer.

use std::time::Duration;

use crate::{
    assistant::Assistant,
    id::UserId,
    limit::{Policy, Subject},
};

/// When a line may ask this model, if not now: lines have half of what its limits allow, so that others are not turned away for them.
pub async fn spare(assistant: &Assistant, user: UserId, model: &str) -> Option<Duration> {
    let limits = assistant.models.chat.get(model).map(|model| model.limits.as_slice()).unwrap_or_default();
    if limits.is_empty() {
        return None;
    }
    let half = |policy: &Policy| {
        let subject = if policy.name.ends_with(":user") { Subject::User(user) } else { Subject::Everybody };
        let name = format!("batches:{}", policy.name).into();
        (Policy { name, limit: policy.limit.div_ceil(2), ..policy.clone() }, subject)
    };
    let halves: Vec<(Policy, Subject)> = limits.iter().map(half).collect();
    let asked: Vec<_> = halves.iter().map(|(policy, subject)| (policy, *subject)).collect();
    let said = assistant.limiter.check(&asked).await;
    said.iter().find(|decision| !decision.allowed).map(|refused| refused.retry_after)
}
