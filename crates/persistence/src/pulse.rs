//! Whether PostgreSQL answers at all, asked all the time on a connection of its own.
//!
//! A statement may take long because it has much to do, or because the server stands still or a firewall drops what is said to
//! it; whoever waits cannot tell. So one connection asks for nothing, again and again. When that is not answered in time nothing
//! else is waited for: what is under way fails, what comes is refused, and the connections are dropped without a word, until
//! the server answers a new one.

use std::{sync::Arc, time::Duration};

use sea_orm::sqlx::{self, ConnectOptions as _, Connection as _, postgres::PgConnectOptions};
use tokio::{
    sync::watch,
    time::{sleep, timeout},
};

use crate::{database::Database, engine::Engine};

/// The pause between two questions, and between two tries to reach a server that is away.
const BEAT: Duration = Duration::from_millis(250);

/// Whether the server is there, as far as anybody knows.
#[derive(Debug, Clone)]
pub(crate) struct Pulse(Arc<watch::Sender<bool>>);

impl Default for Pulse {
    /// It is, until somebody finds out that it is not.
    fn default() -> Self {
        Self(Arc::new(watch::Sender::new(true)))
    }
}

impl Pulse {
    /// Whether it is there.
    pub(crate) fn beats(&self) -> bool {
        *self.0.borrow()
    }

    /// Waits until it is away.
    pub(crate) async fn lost(&self) {
        // The sender lives as long as this.
        let _ = self.0.subscribe().wait_for(|beats| !beats).await;
    }

    /// Notes whether it is there; true when that is news.
    fn note(&self, beats: bool) -> bool {
        self.0.send_if_modified(|known| std::mem::replace(known, beats) != beats)
    }
}

/// What those are told who wait for a server that is away.
pub(crate) fn away() -> sqlx::Error {
    sqlx::Error::Io(std::io::Error::new(std::io::ErrorKind::TimedOut, "the database does not answer"))
}

impl Database {
    /// Asks PostgreSQL all the time whether it is there, for as long as this is not dropped. There is nothing to ask of a file.
    /// It MUST run on a runtime that outlives all others that use the database.
    pub async fn keep_pulse(&self) -> domain::Result<()> {
        let Engine::Postgres = self.engine else {
            return std::future::pending().await;
        };
        let options: PgConnectOptions = self.pulse_url.parse().map_err(domain::Error::internal)?;
        let options = options.disable_statement_logging();
        let state = metrics::gauge!("dependency_state", "dependency" => "database");
        let mut told = false;
        loop {
            let error = match timeout(self.patience, options.connect()).await {
                Ok(Ok(connection)) => {
                    if self.pulse().note(true) {
                        tracing::info!("the database is there again");
                    }
                    state.set(0.0);
                    told = false;
                    self.listen_to(connection).await
                }
                Ok(Err(error)) => error,
                Err(_) => away(),
            };
            // A server that is there and takes no more connections serves those it has.
            let busy = error.as_database_error().is_some_and(|said| said.code().as_deref() == Some("53300"));
            if !busy {
                self.pulse().note(false);
                // What nobody uses just now leads to where nobody answers; what is used is dropped by whoever uses it.
                self.writer.forget();
                state.set(2.0);
                if !std::mem::replace(&mut told, true) {
                    tracing::warn!(%error, "the database is away; nobody waits for it");
                }
            }
            sleep(BEAT).await;
        }
    }

    /// Asks until there is no answer.
    async fn listen_to(&self, mut connection: sqlx::PgConnection) -> sqlx::Error {
        loop {
            sleep(BEAT).await;
            match timeout(self.patience, connection.ping()).await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => return error,
                Err(_) => return away(),
            }
        }
    }

    fn pulse(&self) -> &Pulse {
        self.writer.pulse()
    }
}
