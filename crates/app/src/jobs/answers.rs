//! The job that forgets the kept answers of somebody who was deleted.

use domain::assistant::kept::{ForgetAnswers, KeptAnswers};

use crate::workers::jobs::Handlers;

/// Adds it. Where no answers are kept there is nothing to forget.
pub(super) fn with(handlers: Handlers, kept: Option<KeptAnswers>) -> Handlers {
    handlers.on(move |job: ForgetAnswers, _| {
        let kept = kept.clone();
        async move {
            match &kept {
                Some(kept) => Ok(job.run(kept).await?),
                None => Ok(()),
            }
        }
    })
}
