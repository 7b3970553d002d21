//! The job that does what an event does.

use serde::{Deserialize, Serialize};

use super::{Handled, HookState, Sources, events};
use crate::{
    error::Result,
    id::{HookEventId, JobId},
    job::{Job, Policy},
    shop::Shop,
};

/// The job that handles an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct HandleHook {
    /// The event.
    pub event: HookEventId,
}

impl Job for HandleHook {
    const NAME: &'static str = "handle_hook";

    fn policy() -> Policy {
        Policy { at_once: 8, ..Policy::default() }
    }
}

/// Handles an event, once for each job. Gives its source and where it stands then; `None` when there is nothing to do any more.
///
/// # Errors
/// Those of the handler and of the store. Nothing was done then.
pub async fn handle_hook(
    shop: &Shop,
    sources: &Sources,
    job: HandleHook,
    id: JobId,
) -> Result<Option<(String, HookState)>> {
    shop.write(HandleHook::NAME, |mut tx| async move {
        let now = tx.now();
        if !tx.inbox().claim(HandleHook::NAME, id.0, now).await? {
            return tx.commit(None).await;
        }
        // One that was replayed since has another job.
        let Some(mut event) = tx.hooks().find(job.event).await?.filter(|event| event.job == id) else {
            return tx.commit(None).await;
        };
        let by = sources.get(&event.source).and_then(|source| source.handler.clone());
        let handled = match (by, &event.body) {
            (None, _) => Handled::ignored("no_handler"),
            (_, None) => Handled::ignored("not_kept"),
            (Some(handler), Some(body)) => handler.handle(shop, &mut *tx, &event, body, now).await?,
        };
        event.state = handled.state;
        event.outcome = Some(handled.outcome.to_owned());
        event.user = handled.user;
        event.handled_at = Some(now);
        if handled.forget {
            event.body = None;
        }
        tx.hooks().update(&event).await?;
        shop.record(&mut *tx, None, events::handled(&event)).await?;
        tx.commit(Some((event.source, handled.state))).await
    })
    .await
}
