//! Reads the keys that sign tokens anew: when the log tells of a change, and now and then.

use std::{sync::Arc, time::Duration};

use credentials::EdDsaTokens;
use domain::{Result, clock::Clock};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// How often they are read without a word; far less than the time a new key is published before it signs.
const EVERY: Duration = Duration::from_secs(30);

/// Runs until told to stop. While the database is away the keys stay as they are.
pub(crate) async fn keys_worker(
    tokens: Arc<EdDsaTokens>,
    changed: Arc<Notify>,
    clock: Arc<dyn Clock>,
    stop: CancellationToken,
) -> Result<()> {
    while !stop.is_cancelled() {
        match tokens.reload(clock.now()).await {
            Ok(true) => tracing::info!("the keys that sign tokens are others"),
            Ok(false) => {}
            Err(error) => tracing::warn!(error = crate::chain(&error), "the keys that sign tokens are read later"),
        }
        tokio::select! {
            () = clock.sleep(EVERY) => {}
            () = changed.notified() => {}
            () = stop.cancelled() => {}
        }
    }
    Ok(())
}
