//! What ties this node to others: the bus, the counts of the rate limits, and Redis where there is one.

use std::{sync::Arc, time::Duration};

use domain::{Result, bus::Bus, health::Probe, limit::RateLimiter};
use persistence::Engine;
use platform::{InProcess, LocalBus, LocalRateLimiter, Redis, RedisBus, RedisRateLimiter};
use tokio_util::sync::CancellationToken;

use crate::{config::Config, foundation::Foundation, workers::Workers};

/// How long the start waits for Redis: so long requests would be counted by this node alone.
const PATIENCE: Duration = Duration::from_secs(2);

/// The ties of this node.
pub(crate) struct Nodes {
    /// Tells the other nodes, and this one.
    pub(crate) bus: Arc<dyn Bus>,
    /// Counts calls.
    pub(crate) limiter: Arc<dyn RateLimiter>,
    /// What `/ready` says of Redis.
    pub(crate) probe: Arc<dyn Probe>,
}

impl Nodes {
    /// Ties this node to the others as the settings say: through Redis, else through PostgreSQL, else not at all. What keeps
    /// the ties is background work; without Redis the node serves by itself.
    pub(crate) async fn tie(config: &Config, foundation: &Foundation, workers: &mut Workers) -> Result<Self, String> {
        let entropy = &*foundation.shop.entropy;
        if let Some(settings) = &config.redis.settings {
            let redis = Redis::new(settings.clone())?;
            let bus = RedisBus::new(redis.clone(), entropy);
            workers.start("redis", {
                let redis = redis.clone();
                move |stop| {
                    until(stop, {
                        let redis = redis.clone();
                        async move { redis.keep().await }
                    })
                }
            });
            workers.start("bus", {
                let bus = bus.clone();
                move |stop| {
                    until(stop, {
                        let bus = bus.clone();
                        async move { bus.carry().await }
                    })
                }
            });
            // Whether it is there was logged by then.
            let _ = tokio::time::timeout(PATIENCE, redis.tried()).await;
            let limiter = Arc::new(RedisRateLimiter::new(redis.clone()));
            return Ok(Self { bus: Arc::new(bus), limiter, probe: Arc::new(redis) });
        }
        let bus: Arc<dyn Bus> = match foundation.database.engine() {
            Engine::Sqlite => Arc::new(LocalBus::default()),
            Engine::Postgres => {
                let bus = foundation.database.notify_bus(entropy, &config.database.listen_url);
                workers.start("bus", {
                    let bus = bus.clone();
                    move |stop| {
                        until(stop, {
                            let bus = bus.clone();
                            async move { bus.carry().await }
                        })
                    }
                });
                Arc::new(bus)
            }
        };
        // What Redis would share is kept in this process.
        let (limiter, probe) = (Arc::new(LocalRateLimiter::default()), Arc::new(InProcess::new("redis")));
        Ok(Self { bus, limiter, probe })
    }
}

/// Runs what has no end of its own until told to stop.
async fn until(stop: CancellationToken, work: impl Future<Output = ()>) -> Result<()> {
    stop.run_until_cancelled(work).await;
    Ok(())
}
