//! The jobs of batches of questions.

use domain::{
    Shop,
    assistant::batches::{Carried, Carrier, CarryBatch, ForgetBatches, forget_batches},
    job::Failure,
};

use crate::workers::jobs::Handlers;

/// Adds them.
pub(super) fn with(handlers: Handlers, shop: &Shop, carrier: Carrier) -> Handlers {
    let (carrying, forgetting, queries) = (shop.clone(), shop.clone(), carrier.queries.clone());
    handlers
        .on(move |job: CarryBatch, _| {
            let (shop, carrier) = (carrying.clone(), carrier.clone());
            async move {
                count(carrier.carry(&shop, job).await?);
                Ok::<(), Failure>(())
            }
        })
        .on(move |job: ForgetBatches, _| {
            let (shop, queries) = (forgetting.clone(), queries.clone());
            async move { Ok(forget_batches(&shop, &*queries, job).await?) }
        })
}

fn count(Carried { answered, refused, ended }: Carried) {
    for (outcome, lines) in [("answered", answered), ("refused", refused)] {
        metrics::counter!("assistant_batch_lines_total", "outcome" => outcome).increment(lines);
    }
    if let Some(state) = ended {
        metrics::counter!("assistant_batches_total", "state" => state.name()).increment(1);
    }
}
