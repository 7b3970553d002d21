//! Keeps the connection: opens it, watches it, and opens it again.

use std::{sync::atomic::Ordering, time::Duration};

use ::redis::{AsyncConnectionConfig, RedisError, aio::MultiplexedConnection};
use tokio::time::{sleep, timeout};

use super::{Redis, Shared};

/// The pause before the first attempt to open it again; it doubles with each.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
/// The longest pause, and so how long Redis may be there again before a node knows.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);
/// How often a connection is tried that nobody may be using.
const BEAT: Duration = Duration::from_secs(1);

/// How it stands with Redis.
pub(super) enum Link {
    /// Nobody knows yet.
    Untried,
    /// It is away.
    Away,
    /// It is there.
    There { connection: MultiplexedConnection, generation: u64 },
}

impl Redis {
    /// Keeps the connection for as long as it is not dropped. It MUST run on a runtime that outlives all calls.
    pub async fn keep(&self) {
        let shared = &*self.0;
        let (mut pause, mut told) = (FIRST_PAUSE, false);
        loop {
            match shared.open().await {
                Ok(connection) => {
                    let generation = shared.generations.fetch_add(1, Ordering::Relaxed) + 1;
                    shared.link.send_replace(Link::There { connection, generation });
                    metrics::gauge!("redis_up").set(1.0);
                    metrics::gauge!("dependency_state", "dependency" => "redis").set(0.0);
                    tracing::info!(generation, "Redis is there");
                    (pause, told) = (FIRST_PAUSE, true);
                    self.watch().await;
                }
                Err(error) => {
                    shared.link.send_replace(Link::Away);
                    if !told {
                        tracing::warn!(error, "Redis is away; this node goes on by itself");
                    }
                    told = true;
                }
            }
            metrics::gauge!("redis_up").set(0.0);
            metrics::gauge!("dependency_state", "dependency" => "redis").set(2.0);
            sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    /// Waits until the first attempt to open a connection ended, and gives whether it did well.
    pub async fn tried(&self) -> bool {
        let mut link = self.0.link.subscribe();
        // The sender lives as long as this.
        let settled = link.wait_for(|link| !matches!(link, Link::Untried)).await;
        settled.is_ok_and(|link| matches!(*link, Link::There { .. }))
    }

    /// Returns when the connection is gone.
    async fn watch(&self) {
        let mut link = self.0.link.subscribe();
        loop {
            tokio::select! {
                () = async { drop(link.wait_for(|link| !matches!(link, Link::There { .. })).await) } => return,
                // Whatever fails is noted where it fails.
                () = sleep(BEAT) => drop(self.call::<String>(&::redis::cmd("PING")).await),
            }
        }
    }
}

impl Shared {
    /// The connection and its number, when there is one.
    pub(super) fn connection(&self) -> Option<(MultiplexedConnection, u64)> {
        match &*self.link.borrow() {
            Link::There { connection, generation } => Some((connection.clone(), *generation)),
            Link::Untried | Link::Away => None,
        }
    }

    /// Notes that a connection is of no more use; calls skip Redis from now on, until the keeper has opened another.
    pub(super) fn gone(&self, generation: u64, cause: &str) {
        let known = self.link.send_if_modified(|link| {
            let present = matches!(link, Link::There { generation: present, .. } if *present == generation);
            if present {
                *link = Link::Away;
            }
            present
        });
        if known {
            tracing::warn!(cause, generation, "Redis is away; this node goes on by itself");
        }
    }

    async fn open(&self) -> Result<MultiplexedConnection, String> {
        // The time of an answer is measured where it is waited for.
        let config = AsyncConnectionConfig::new().set_connection_timeout(None).set_response_timeout(None);
        let opened = async {
            let mut connection = self.client.get_multiplexed_async_connection_with_config(&config).await?;
            ::redis::cmd("PING").query_async::<String>(&mut connection).await?;
            Ok(connection)
        };
        let opened = timeout(self.settings.connect_timeout, opened).await;
        opened.map_err(|_| "no answer in time".to_owned())?.map_err(|error: RedisError| error.to_string())
    }
}
