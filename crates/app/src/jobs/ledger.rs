//! The job that looks after the assistant: calls and generations whose node was killed, and batches whose job was given up.

use std::sync::Arc;

use domain::{
    Shop,
    assistant::{SettleCalls, batches::settle_batches, prompts::settle_generations, settle_calls},
};

use crate::{config::Config, foundation::Foundation, workers::jobs::Handlers};

/// Adds it.
pub(super) fn with(handlers: Handlers, foundation: &Foundation, config: &Config, shop: &Shop) -> Handlers {
    let database = &foundation.database;
    let (ledger, generations, batches) = (database.ledger(), database.generations(), database.batches());
    let (lost_after, keep) = (config.assistant.lost_after(), config.assistant.keep);
    let shop = shop.clone();
    handlers.on(move |_: SettleCalls, _| {
        let (ledger, generations, batches) = (Arc::clone(&ledger), Arc::clone(&generations), Arc::clone(&batches));
        let shop = shop.clone();
        async move {
            let now = shop.now();
            let looked = settle_calls(&*ledger, now, lost_after, keep).await?;
            settle_generations(&*generations, now, lost_after, keep).await?;
            metrics::counter!("assistant_calls_lost_total").increment(looked.lost);
            if looked.lost > 0 {
                tracing::warn!(
                    calls = looked.lost,
                    "calls of models were lost with their node; the most they can have used counts"
                );
            }
            let revived = settle_batches(&shop, &*batches).await?;
            if revived > 0 {
                tracing::warn!(batches = revived, "batches of questions go on whose jobs were given up");
            }
            Ok(())
        }
    })
}
