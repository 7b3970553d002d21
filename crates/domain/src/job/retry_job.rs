//! Having a job tried again that was given up or cancelled.

use super::{JobState, StoredJob, events};
use crate::{
    error::{Error, Result},
    id::JobId,
    permission::{Authorized, ManageJobs},
    shop::Shop,
};

/// Makes a dead or cancelled job wait again, with as many attempts as at first; its errors are kept.
///
/// # Errors
/// [`Error::NotFound`]; [`Error::Conflict`] for a job in another state, or when an unfinished one has its key.
pub async fn retry_job(shop: &Shop, by: Authorized<ManageJobs>, id: JobId) -> Result<StoredJob> {
    let user = by.principal().user;
    shop.write("retry_job", |mut tx| async move {
        let job = tx.jobs().find(id).await?.ok_or(Error::NotFound("Job"))?;
        if !matches!(job.state, JobState::Dead | JobState::Cancelled) {
            let state = job.state.name();
            return Err(Error::conflict(format!("Only a dead or cancelled job can be retried; this one is {state}")));
        }
        let now = tx.now();
        if !tx.jobs().revive(id, now).await? {
            return Err(Error::conflict("Another job of the same kind and key is waiting or running"));
        }
        shop.record(&mut *tx, Some(user), events::retried(&job)).await?;
        let job = tx.jobs().find(id).await?.ok_or(Error::NotFound("Job"))?;
        tx.commit(job).await
    })
    .await
}
