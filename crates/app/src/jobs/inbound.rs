//! What the background does with webhooks that came in.

use domain::{
    Shop,
    inbound::{HandleHook, handle_hook},
};

use crate::{config::Config, workers::jobs::Handlers};

/// These handlers with those of inbound webhooks.
pub(super) fn with(handlers: Handlers, config: &Config, shop: &Shop) -> Handlers {
    let (shop, sources) = (shop.clone(), config.hooks.clone());
    handlers.on(move |job: HandleHook, id| {
        let (shop, sources) = (shop.clone(), sources.clone());
        async move {
            if let Some((source, state)) = handle_hook(&shop, &sources, job, id).await? {
                metrics::counter!("inbound_handled_total", "source" => source, "outcome" => state.name()).increment(1);
            }
            Ok(())
        }
    })
}
