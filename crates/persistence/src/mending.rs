//! What becomes of a connection whose last statement nobody waited for: it is asked whether it is done, for a while, and dropped
//! when it is not.

use std::{sync::Arc, time::Duration};

use tokio::{runtime::Handle, sync::OwnedSemaphorePermit, time::timeout};

use crate::{connection::Connection, pool::Shared};

/// How long it may take to be done. sqlx would wait for ever, and the pool would shrink by one for each that never is.
const PATIENCE: Duration = Duration::from_secs(2);

/// Asks the connection, beside everything else, and gives it back to sqlx, or drops it. Its place is kept meanwhile, so that
/// whoever waits for one stands in line.
pub(crate) fn mend(mut connection: Connection, shared: &Arc<Shared>, place: Option<OwnedSemaphorePermit>) {
    // On the runtime that watches its socket, when there is one.
    let runtime = Handle::try_current().unwrap_or_else(|_| shared.runtime.clone());
    let pulse = shared.pulse.clone();
    runtime.spawn(async move {
        let done = tokio::select! {
            done = timeout(PATIENCE, connection.ping()) => matches!(done, Ok(Ok(()))),
            () = pulse.lost() => false,
        };
        if done {
            drop(connection);
        } else {
            connection.forget();
        }
        drop(place);
    });
}
