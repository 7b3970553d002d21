//! Versions whose job was given up or cancelled: they fail, so that nobody waits for them.

use super::{Fault, ProcessModel, ports::ModelQueries, process::fail_in};
use crate::{error::Result, job::Job, shop::Shop};

/// Versions looked at each time.
const PORTION: u32 = 1000;

/// Lets versions fail that wait for a job which will not come, and gives how many.
///
/// # Errors
/// Those of the database; what failed by then stays so.
pub async fn fail_lost_models(shop: &Shop, queries: &dyn ModelQueries) -> Result<u64> {
    let mut lost = 0;
    for (model, version) in queries.processing(PORTION).await? {
        let job = ProcessModel { model, version };
        let failed = shop.write("fail_lost_model", |mut tx| async move {
            // The model first: whoever examines it takes the same order, and the job is not done before its version is.
            tx.models().find(job.model).await?;
            let open = tx.jobs().is_open(ProcessModel::NAME, &job.key()).await?;
            let failed = !open && fail_in(shop, &mut *tx, job, &fault()).await?;
            tx.commit(failed).await
        });
        lost += u64::from(failed.await?);
    }
    Ok(lost)
}

fn fault() -> Fault {
    let message = "The file could not be examined after several attempts; bring it again as a new version".to_owned();
    Fault { code: "NOT_EXAMINED".to_owned(), message }
}
