//! Having an event handled again.

use super::{HandleHook, HookState, events};
use crate::{
    error::{Error, Result},
    id::HookEventId,
    job::Request,
    permission::{Authorized, ManageHooks},
    shop::Shop,
};

/// Makes an event wait again for a job of its own, with as many attempts as at first.
///
/// # Errors
/// [`Error::NotFound`]; [`Error::Conflict`] for one that waits still, or whose body is not kept.
pub async fn replay_hook(shop: &Shop, by: &Authorized<ManageHooks>, id: HookEventId) -> Result<()> {
    let user = by.principal().user;
    shop.write("replay_hook", |mut tx| async move {
        let mut event = tx.hooks().find(id).await?.ok_or(Error::NotFound("Hook event"))?;
        if event.state == HookState::Waiting {
            return Err(Error::conflict("It waits to be handled still"));
        }
        if event.body.is_none() {
            return Err(Error::conflict("Its body is not kept any more, so there is nothing to handle"));
        }
        let job = Request::of(&HandleHook { event: id }).into_job(shop.id(), tx.now(), None);
        (event.state, event.job) = (HookState::Waiting, job.id);
        (event.outcome, event.handled_at) = (None, None);
        event.replays = event.replays.saturating_add(1);
        tx.jobs().enqueue(&job).await?;
        tx.hooks().update(&event).await?;
        shop.record(&mut *tx, Some(user), events::replayed(&event)).await?;
        tx.commit(()).await
    })
    .await
}
