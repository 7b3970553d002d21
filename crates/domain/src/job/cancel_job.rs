//! Cancelling a job.

use super::{JobState, StoredJob, events};
use crate::{
    error::{Error, Result},
    id::JobId,
    permission::{Authorized, ManageJobs},
    shop::Shop,
};

/// Cancels a waiting job. A running one is asked to stop: its worker ends the attempt at its next sign of life, unless the
/// job is done before. Asking again changes nothing and leaves no trace.
///
/// # Errors
/// [`Error::NotFound`]; [`Error::Conflict`] for a job that is done or dead.
pub async fn cancel_job(shop: &Shop, by: Authorized<ManageJobs>, id: JobId) -> Result<StoredJob> {
    let user = by.principal().user;
    shop.write("cancel_job", |mut tx| async move {
        let job = tx.jobs().find(id).await?.ok_or(Error::NotFound("Job"))?;
        if job.state == JobState::Cancelled || job.state.is_open() && job.stop_asked {
            return tx.commit(job).await;
        }
        if !job.state.is_open() {
            let state = job.state.name();
            return Err(Error::conflict(format!(
                "Only a waiting or running job can be cancelled; this one is {state}"
            )));
        }
        let now = tx.now();
        tx.jobs().cancel(id, now).await?;
        shop.record(&mut *tx, Some(user), events::cancelled(&job)).await?;
        let job = tx.jobs().find(id).await?.ok_or(Error::NotFound("Job"))?;
        tx.commit(job).await
    })
    .await
}
