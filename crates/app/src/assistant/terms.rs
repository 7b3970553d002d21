//! The terms of the assistant on this node: read at the start, when the log tells of a change, and now and then.

use std::{sync::Arc, time::Duration};

use credentials::Seal;
use domain::{
    Result,
    assistant::terms::{Provider, Settings, Standing, Terms, TermsKeeper},
    clock::Clock,
};
use integrations::llm::LiveKeys;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::{config::Assistance, foundation::Foundation};

/// The types of things whose events tell that the terms are others.
pub(crate) const TOLD_BY: [&str; 3] = ["assistant_price", "assistant_budget", "provider_key"];
/// How often they are read without a word.
const EVERY: Duration = Duration::from_secs(30);

/// Keeps the terms; what the settings say holds until they are read.
pub(super) fn keeper(settings: &Assistance, foundation: &Foundation, keys: Arc<LiveKeys>) -> TermsKeeper {
    let provider = |one: &integrations::llm::ProviderSettings| Provider {
        name: one.name.clone(),
        protocol: one.protocol.name(),
        url: one.base.clone(),
        has_key: !one.key.is_empty(),
    };
    let said = Settings {
        prices: settings.prices.clone(),
        budgets: settings.budgets.clone(),
        providers: settings.providers.values().map(provider).collect(),
    };
    TermsKeeper {
        queries: foundation.database.terms(),
        standing: Arc::new(Standing::new(Terms::default())),
        settings: Arc::new(said),
        keys,
        sealer: Arc::<Seal>::clone(&foundation.seal),
        keeps_budgets: settings.reserves,
        turns: Arc::default(),
    }
}

/// Runs until told to stop. While the database is away the terms stay as they are.
pub(crate) async fn terms_worker(
    terms: TermsKeeper,
    changed: Arc<Notify>,
    clock: Arc<dyn Clock>,
    stop: CancellationToken,
) -> Result<()> {
    while !stop.is_cancelled() {
        match terms.reload().await {
            Ok(true) => tracing::info!("prices or budgets of the assistant are others"),
            Ok(false) => {}
            Err(error) => tracing::warn!(error = crate::chain(&error), "the terms of the assistant are read later"),
        }
        tokio::select! {
            () = clock.sleep(EVERY) => {}
            () = changed.notified() => {}
            () = stop.cancelled() => {}
        }
    }
    Ok(())
}
