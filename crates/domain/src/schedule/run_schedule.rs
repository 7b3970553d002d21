//! Running an entry of the schedule by hand.

use super::{Entry, Run};
use crate::{
    error::{Error, Result},
    job::{self, StoredJob},
    permission::{Authorized, ManageJobs},
    shop::Shop,
};

/// Stores the job of an entry now, whether the entry is on or off. Its next tick comes as it would have.
///
/// # Errors
/// [`Error::Conflict`] when it was run at this very moment already.
pub async fn run_schedule(shop: &Shop, by: Authorized<ManageJobs>, entry: &Entry) -> Result<StoredJob> {
    let user = by.principal().user;
    shop.write("run_schedule_by_hand", |mut tx| async move {
        let tick = tx.now();
        let request = entry.job.clone().keyed(entry.key(tick));
        let again = || Error::conflict("It was run at this very moment; try again");
        let id = shop.enqueue(&mut *tx, request).await?.ok_or_else(again)?;
        let run = Run { name: entry.name.to_owned(), tick, by_hand: true, job: id, state: None, finished_at: None };
        if !tx.schedules().record(&run).await? {
            return Err(again());
        }
        shop.record(&mut *tx, Some(user), job::requested(id, entry.job.kind, entry.name)).await?;
        let job = tx.jobs().find(id).await?.ok_or(Error::NotFound("Job"))?;
        tx.commit(job).await
    })
    .await
}
