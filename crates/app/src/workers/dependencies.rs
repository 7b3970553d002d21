//! Whether what we stand on is there, for whoever watches the metrics.

use std::{sync::Arc, time::Duration};

use api::Services;
use domain::{Result, clock::Clock};
use tokio_util::sync::CancellationToken;

use super::Workers;
use crate::foundation::Foundation;

/// How often it is looked at.
const EVERY: Duration = Duration::from_secs(10);

/// Starts what asks the database all the time whether it is there, and what shows it of everything.
pub(crate) fn watch(workers: &mut Workers, foundation: &Foundation, services: &Arc<Services>) {
    workers.start("database_pulse", {
        let database = foundation.database.clone();
        move |stop| {
            let database = database.clone();
            async move { stop.run_until_cancelled(database.keep_pulse()).await.unwrap_or(Ok(())) }
        }
    });
    workers.start("dependencies", {
        let (services, clock) = (Arc::clone(services), Arc::clone(&foundation.shop.clock));
        move |stop| show(Arc::clone(&services), Arc::clone(&clock), stop)
    });
}

/// Looks until told to stop.
async fn show(services: Arc<Services>, clock: Arc<dyn Clock>, stop: CancellationToken) -> Result<()> {
    while !stop.is_cancelled() {
        for probe in &services.probes {
            let up = if probe.check().await { 1.0 } else { 0.0 };
            metrics::gauge!("dependency_up", "dependency" => probe.name()).set(up);
        }
        tokio::select! {
            () = clock.sleep(EVERY) => {}
            () = stop.cancelled() => {}
        }
    }
    Ok(())
}
