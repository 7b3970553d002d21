//! The bus between nodes that share PostgreSQL and nothing else: its notices.

use std::{convert::Infallible, pin::pin, sync::Arc, time::Duration};

use async_trait::async_trait;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use domain::{
    Error, Result,
    bus::{Bus, Exchange, Fanout, Fate, Subscription},
    clock::Entropy,
};
use sea_orm::sqlx::{
    self, Executor as _,
    postgres::{PgListener, PgNotification},
};
use tokio::{sync::watch, time::timeout};

use crate::{database::Database, statement::execute, statement::statement};

/// The channel of all notices; a database has its own.
const CHANNEL: &str = "souk_bus";
/// Most messages of one statement. One at a time commits them: a notice takes a lock of the whole database.
const BATCH: usize = 200;
/// The pause after a failure, and between two tellings of a loss while the link is away.
const PAUSE: Duration = Duration::from_secs(1);
/// After so long without a notice the server is asked whether the connection still leads to it.
const SILENCE: Duration = Duration::from_secs(5);
/// How long an answer may take, to that and to a new connection.
const ANSWER: Duration = Duration::from_secs(3);

/// Publishes by `NOTIFY`, outside of the transactions of the shop, and hears on a connection of its own.
#[derive(Debug, Clone)]
pub struct NotifyBus(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    exchange: Exchange,
    database: Database,
    listen_url: String,
    listening: watch::Sender<bool>,
}

impl Database {
    /// The bus of this database. It carries nothing to other nodes before [`NotifyBus::carry`] runs. `listen_url` leads to
    /// the server itself: behind a pooler of transactions nobody hears (ruling R27).
    pub fn notify_bus(&self, entropy: &dyn Entropy, listen_url: &str) -> NotifyBus {
        NotifyBus(Arc::new(Shared {
            exchange: Exchange::new(entropy, Fanout::default()),
            database: self.clone(),
            listen_url: listen_url.to_owned(),
            listening: watch::Sender::new(false),
        }))
    }
}

impl NotifyBus {
    /// Carries messages until told to stop, whatever happens to the connection; then sends what is still to be sent.
    pub async fn carry(&self, stop: impl Future<Output = ()>) {
        tokio::select! {
            () = self.0.send(stop) => {}
            () = self.0.listen() => {}
            () = self.0.tell_of_silence() => {}
        }
    }

    /// Waits until the link is there.
    pub async fn linked(&self) {
        // The sender lives as long as this.
        let _ = self.0.listening.subscribe().wait_for(|listening| *listening).await;
    }
}

#[async_trait]
impl Bus for NotifyBus {
    fn publish(&self, topic: &str, payload: &[u8]) {
        if self.0.exchange.publish(topic, payload) == Fate::Dropped {
            metrics::counter!("bus_messages_total", "outcome" => "dropped").increment(1);
        }
    }

    async fn subscribe(&self, topics: &[&str]) -> Subscription {
        // Every notice is heard as long as the link is there. One that comes later tells of a loss when it does.
        self.0.exchange.subscribe(topics)
    }
}

impl Shared {
    async fn send(&self, stop: impl Future<Output = ()>) {
        let (mut told, mut stop) = (false, pin!(stop));
        loop {
            let batch = tokio::select! {
                biased;
                batch = self.exchange.outgoing_batch(BATCH) => batch,
                () = &mut stop => return,
            };
            let count = u64::try_from(batch.len()).unwrap_or_default();
            match self.notify(&batch).await {
                Ok(()) => {
                    told = false;
                    metrics::counter!("bus_messages_total", "outcome" => "sent").increment(count);
                }
                Err(error) => {
                    if !std::mem::replace(&mut told, true) {
                        tracing::warn!(error = %cause(&error), "the bus could not send; other nodes will be told of a loss");
                    }
                    self.exchange.not_sent();
                    metrics::counter!("bus_messages_total", "outcome" => "dropped").increment(count);
                    tokio::select! {
                        () = tokio::time::sleep(PAUSE) => {}
                        () = &mut stop => return,
                    }
                }
            }
        }
    }

    async fn notify(&self, batch: &[Vec<u8>]) -> Result<()> {
        let texts: Vec<String> = batch.iter().map(|bytes| STANDARD.encode(bytes)).collect();
        let texts = serde_json::to_string(&texts).map_err(Error::internal)?;
        let sql = format!("SELECT pg_notify('{CHANNEL}', value) FROM json_array_elements_text($1::json)");
        execute(&self.database.writer, statement(self.database.engine, sql, [texts.into()])).await.map(|_| ())
    }

    async fn listen(&self) {
        loop {
            let Err(error) = self.hear().await;
            if self.listening.send_replace(false) {
                tracing::warn!(%error, "the bus lost its connection; other nodes are not heard");
            }
            metrics::gauge!("bus_up").set(0.0);
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Tells of a loss again and again while the link is away.
    async fn tell_of_silence(&self) {
        loop {
            tokio::time::sleep(PAUSE).await;
            if !*self.listening.borrow() {
                self.lose_all();
            }
        }
    }

    /// Hears until the connection is lost for good.
    async fn hear(&self) -> sqlx::Result<Infallible> {
        let mut listener = in_time(PgListener::connect(&self.listen_url)).await?;
        in_time(listener.listen(CHANNEL)).await?;
        self.lose_all();
        self.listening.send_replace(true);
        metrics::gauge!("bus_up").set(1.0);
        tracing::info!("the bus hears other nodes through the database");
        loop {
            match timeout(SILENCE, listener.try_recv()).await {
                Ok(Ok(Some(notice))) => self.arrived(&notice),
                // The connection was lost and is there again.
                Ok(Ok(None)) => self.lose_all(),
                Ok(Err(error)) => return Err(error),
                Err(_) => {
                    in_time(listener.execute("SELECT 1")).await?;
                }
            }
        }
    }

    fn arrived(&self, notice: &PgNotification) {
        // What is not ours is read as nonsense, and that as a loss.
        self.exchange.arrived(&STANDARD.decode(notice.payload()).unwrap_or_default());
    }

    fn lose_all(&self) {
        metrics::counter!("bus_losses_total").increment(1);
        self.exchange.fanout().lose_all();
    }
}

async fn in_time<T>(work: impl Future<Output = sqlx::Result<T>>) -> sqlx::Result<T> {
    timeout(ANSWER, work).await.unwrap_or_else(|_| Err(sqlx::Error::Io(std::io::ErrorKind::TimedOut.into())))
}

/// An error of the domain hides its source from callers; the log wants it.
fn cause(error: &Error) -> String {
    match error {
        Error::Unavailable { source, .. } | Error::Transient(source) | Error::Internal(source) => source.to_string(),
        other => other.to_string(),
    }
}
