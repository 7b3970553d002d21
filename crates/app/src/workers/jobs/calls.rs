//! Tells the workers of all nodes that this one has stored jobs.

use std::{sync::Arc, time::Duration};

use domain::{Result, bus::Bus, clock::Clock, job::ENQUEUED};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// Who stores many jobs calls once for those of so long: idle workers of every node look after each call.
const GATHER: Duration = Duration::from_millis(20);

/// Calls until told to stop. `enqueued` is told of commits in this process.
pub(crate) async fn call_workers(
    enqueued: Arc<Notify>,
    bus: Arc<dyn Bus>,
    clock: Arc<dyn Clock>,
    stop: CancellationToken,
) -> Result<()> {
    let calling = async {
        loop {
            enqueued.notified().await;
            bus.publish(ENQUEUED, b"");
            clock.sleep(GATHER).await;
        }
    };
    stop.run_until_cancelled(calling).await.unwrap_or(Ok(()))
}
