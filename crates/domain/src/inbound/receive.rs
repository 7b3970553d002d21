//! Storing what came in, before it is answered.

use super::{Believed, HandleHook, HookEvent, HookState, events};
use crate::{
    error::{Error, Result},
    id::HookEventId,
    job::Request,
    shop::Shop,
};

/// What became of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Received {
    /// The event.
    pub id: HookEventId,
    /// It had come before, and does nothing again.
    pub known: bool,
}

/// Stores a call that was believed, with its job, unless it is known. Whoever is told so may forget it: it is there for good.
///
/// # Errors
/// Those of the store; then its sender is to send it again.
pub async fn receive_hook(shop: &Shop, believed: &Believed) -> Result<Received> {
    shop.write("receive_hook", |mut tx| async move {
        let (now, id) = (tx.now(), shop.id::<HookEventId>());
        let job = Request::of(&HandleHook { event: id }).into_job(shop.id(), now, None);
        let event = HookEvent {
            id,
            source: believed.source.clone(),
            key: believed.key.clone(),
            event: believed.event.clone(),
            kind: believed.kind.clone(),
            occurred_at: believed.occurred_at,
            received_at: now,
            headers: believed.headers.clone(),
            size: u64::try_from(believed.body.len()).unwrap_or(u64::MAX),
            body: Some(believed.body.clone()),
            state: HookState::Waiting,
            outcome: None,
            user: None,
            job: job.id,
            handled_at: None,
            replays: 0,
        };
        if !tx.hooks().insert(&event).await? {
            let known = tx.hooks().known(&event.source, &event.key).await?;
            // Purged between the two: the next attempt stores it.
            let id = known.ok_or_else(|| Error::Transient("a known event is gone".into()))?;
            return tx.commit(Received { id, known: true }).await;
        }
        tx.jobs().enqueue(&job).await?;
        shop.record(&mut *tx, None, events::received(&event)).await?;
        tx.commit(Received { id, known: false }).await
    })
    .await
}
