//! Uploads whose job was given up or cancelled: they fail, so that nobody waits for them and their bytes count no more.

use super::{FinishUpload, Finisher, Outcome, UploadState, end::settle};
use crate::{error::Result, job::Job, shop::Shop};

/// Uploads looked at each time.
const PORTION: u32 = 1000;

/// Lets uploads fail that wait for a job which will not come, and gives how many.
///
/// # Errors
/// Those of the database; what failed by then stays so.
pub async fn fail_lost_uploads(shop: &Shop, with: &Finisher) -> Result<u64> {
    let mut lost = 0;
    for upload in with.uploads.finishing(PORTION).await? {
        let job = FinishUpload { upload };
        let failed = shop.write("fail_lost_upload", |mut tx| async move {
            // The upload first: whoever hands it over takes it too, and the job is not done before that.
            tx.uploads().find(upload).await?;
            let open = tx.jobs().is_open(FinishUpload::NAME, &job.key()).await?;
            let message = "It could not be handed over after several attempts; bring it again".to_owned();
            let failed =
                !open && settle(shop, &mut *tx, upload, UploadState::Failed, Outcome::Refused { message }).await?;
            tx.commit(failed).await
        });
        lost += u64::from(failed.await?);
    }
    Ok(lost)
}
