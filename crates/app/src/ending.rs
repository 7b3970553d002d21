//! Being told to end: once, to do so in order; and by an interrupt again, to do so now.

use std::{convert::Infallible, time::Duration};

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// How long background work still has when somebody has lost patience.
const HURRIED: Duration = Duration::from_secs(1);

/// The signals that end us.
pub(crate) struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    /// From here on signals no longer kill the process.
    pub(crate) fn heed() -> std::io::Result<Self> {
        Ok(Self { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }
}

/// How far the end has come.
#[derive(Debug, Clone, Default)]
pub(crate) struct Ending {
    /// We end, in order.
    pub(crate) begun: CancellationToken,
    /// Somebody at a terminal has lost patience.
    pub(crate) hurried: CancellationToken,
}

impl Ending {
    /// Watches the signals, for ever. Only an interrupt hurries: those who look after processes may
    /// well say twice that one should terminate.
    pub(crate) async fn watch(&self, mut signals: Signals) -> Infallible {
        tokio::select! {
            _ = signals.terminate.recv() => {}
            _ = signals.interrupt.recv() => {}
        }
        self.begun.cancel();
        signals.interrupt.recv().await;
        tracing::warn!("interrupted again: ending at once");
        self.hurried.cancel();
        std::future::pending().await
    }

    /// Lets something end, for as long as anybody has patience.
    pub(crate) async fn patiently(&self, end: impl Future<Output = ()>) {
        let out_of_patience = async {
            self.hurried.cancelled().await;
            tokio::time::sleep(HURRIED).await;
        };
        tokio::select! {
            () = end => {}
            () = out_of_patience => {}
        }
    }
}
