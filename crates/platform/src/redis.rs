//! Redis: what nodes share beside the database, and may lose at any time.

mod answers;
mod bus;
mod cache;
mod link;
mod presence;
mod rate_limiter;
mod script;

use std::{
    sync::{Arc, atomic::AtomicU64},
    time::Duration,
};

use ::redis::{Cmd, ErrorKind, FromRedisValue, Pipeline, RedisError, RedisResult, ServerErrorKind};
use async_trait::async_trait;
use domain::health::Probe;
use metrics::Counter;
use tokio::{sync::watch, time::timeout};

pub use answers::RedisAnswers;
pub use bus::RedisBus;
pub use cache::RedisCache;
use link::Link;
pub use presence::RedisPresence;
pub use rate_limiter::RedisRateLimiter;

/// How to reach Redis.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RedisSettings {
    /// `redis://[user:password@]host[:port][/number]`, or `rediss://` for TLS.
    pub url: String,
    /// What the names of all keys and channels begin with.
    pub prefix: String,
    /// How long a new connection may take.
    pub connect_timeout: Duration,
    /// How long an answer may take. After that Redis counts as away.
    pub response_timeout: Duration,
}

/// Redis as every part of a node sees it: there, or away. One connection serves all calls of all threads; it belongs to
/// the runtime that [`Redis::keep`] runs on, so that it outlives the runtimes of the HTTP workers.
///
/// While Redis is away every call fails at once; only the keeper tries again. So nobody waits in vain but those whose calls
/// are under way when it goes.
#[derive(Clone)]
pub struct Redis(Arc<Shared>);

struct Shared {
    client: ::redis::Client,
    settings: RedisSettings,
    link: watch::Sender<Link>,
    generations: AtomicU64,
    answered: Counter,
    refused: Counter,
    failed: Counter,
    skipped: Counter,
}

impl std::fmt::Debug for Redis {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Redis").field("prefix", &self.0.settings.prefix).finish_non_exhaustive()
    }
}

/// Why a call brought no answer.
#[derive(Debug)]
pub(crate) enum Failed {
    /// Redis is away, or went away during the call; what was asked may have been done.
    Away,
    /// Redis answered that it would not.
    Refused(RedisError),
}

impl Redis {
    /// Redis under this URL. Nothing is opened before [`Redis::keep`] runs.
    ///
    /// # Errors
    /// When the URL names no Redis; the message does not repeat it, since it may hold a password.
    pub fn new(settings: RedisSettings) -> Result<Self, String> {
        // Another part of the process may have chosen already; there is only this one to choose.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = ::redis::Client::open(settings.url.as_str()).map_err(|error| error.to_string())?;
        let counter = |outcome: &'static str| metrics::counter!("redis_calls_total", "outcome" => outcome);
        Ok(Self(Arc::new(Shared {
            client,
            settings,
            link: watch::Sender::new(Link::Untried),
            generations: AtomicU64::new(0),
            answered: counter("answered"),
            refused: counter("refused"),
            failed: counter("failed"),
            skipped: counter("skipped"),
        })))
    }

    /// The number of the present connection; `None` while Redis is away. It grows with each connection, so whoever sees the
    /// same number before and after has missed nothing in between.
    pub fn generation(&self) -> Option<u64> {
        match &*self.0.link.borrow() {
            Link::There { generation, .. } => Some(*generation),
            Link::Untried | Link::Away => None,
        }
    }

    /// The full name of a key or channel.
    pub(crate) fn name(&self, name: &str) -> String {
        format!("{}{name}", self.0.settings.prefix)
    }

    /// Asks for one thing.
    pub(crate) async fn call<T: FromRedisValue>(&self, command: &Cmd) -> Result<T, Failed> {
        let Some((mut connection, generation)) = self.0.connection() else { return Err(self.0.skip()) };
        let asked = async move { command.query_async(&mut connection).await };
        self.0.answer(generation, asked).await
    }

    /// As [`Redis::call`], on this connection and no other.
    pub(crate) async fn call_on<T: FromRedisValue>(&self, generation: u64, command: &Cmd) -> Result<T, Failed> {
        let Some((mut connection, _)) = self.0.connection().filter(|(_, present)| *present == generation) else {
            return Err(self.0.skip());
        };
        let asked = async move { command.query_async(&mut connection).await };
        self.0.answer(generation, asked).await
    }

    /// As [`Redis::call_all`], on this connection and no other.
    pub(crate) async fn call_all_on<T: FromRedisValue>(&self, on: u64, commands: &Pipeline) -> Result<T, Failed> {
        let Some((mut connection, _)) = self.0.connection().filter(|(_, present)| *present == on) else {
            return Err(self.0.skip());
        };
        let asked = async move { commands.query_async(&mut connection).await };
        self.0.answer(on, asked).await
    }

    /// Asks for several things at once, for the time of one.
    pub(crate) async fn call_all<T: FromRedisValue>(&self, commands: &Pipeline) -> Result<T, Failed> {
        let Some((mut connection, generation)) = self.0.connection() else { return Err(self.0.skip()) };
        let asked = async move { commands.query_async(&mut connection).await };
        self.0.answer(generation, asked).await
    }
}

impl Shared {
    fn skip(&self) -> Failed {
        self.skipped.increment(1);
        Failed::Away
    }

    fn fail(&self, generation: u64, cause: &str) -> Failed {
        self.failed.increment(1);
        self.gone(generation, cause);
        Failed::Away
    }

    async fn answer<T>(&self, generation: u64, asked: impl Future<Output = RedisResult<T>>) -> Result<T, Failed> {
        match timeout(self.settings.response_timeout, asked).await {
            Ok(Ok(value)) => {
                self.answered.increment(1);
                Ok(value)
            }
            Ok(Err(error)) if !is_outage(&error) => {
                self.refused.increment(1);
                Err(Failed::Refused(error))
            }
            Ok(Err(error)) => Err(self.fail(generation, &error.to_string())),
            Err(_) => Err(self.fail(generation, "no answer in time")),
        }
    }
}

/// Whether an error says that this connection is of no more use, or leads to a server that cannot serve just now.
fn is_outage(error: &RedisError) -> bool {
    let unable = matches!(
        error.kind(),
        ErrorKind::Server(ServerErrorKind::BusyLoading | ServerErrorKind::MasterDown | ServerErrorKind::ReadOnly)
    );
    unable || error.is_io_error() || error.is_unrecoverable_error()
}

#[async_trait]
impl Probe for Redis {
    fn name(&self) -> &'static str {
        "redis"
    }

    fn required(&self) -> bool {
        false
    }

    async fn check(&self) -> bool {
        self.call::<String>(&::redis::cmd("PING")).await.is_ok()
    }
}
