//! What ties this node to others: the bus, the counts of the rate limits, who is in which room, and Redis where there is
//! one.

use std::{sync::Arc, time::Duration};

use domain::{
    assistant::kept::ports::AnswerStore, bus::Bus, cache::Cache, health::Probe, limit::RateLimiter, room::Presence,
};
use persistence::Engine;
use platform::{
    InProcess, LocalAnswers, LocalBus, LocalPresence, LocalRateLimiter, Redis, RedisAnswers, RedisBus, RedisCache,
    RedisPresence, RedisRateLimiter,
};

use crate::{
    config::{CacheMode, Config},
    foundation::Foundation,
    workers::Workers,
};

/// How long the start waits for Redis: so long requests would be counted by this node alone.
const PATIENCE: Duration = Duration::from_secs(2);

/// The ties of this node.
pub(crate) struct Nodes {
    /// Tells the other nodes, and this one.
    pub(crate) bus: Arc<dyn Bus>,
    /// Counts calls.
    pub(crate) limiter: Arc<dyn RateLimiter>,
    /// Who is in which room.
    pub(crate) presence: Arc<dyn Presence>,
    /// What `/ready` says of Redis.
    pub(crate) probe: Arc<dyn Probe>,
    /// The cache they share, where they can.
    pub(crate) cache: Option<Arc<dyn Cache>>,
    /// Where answers of language models are kept, if they are.
    pub(crate) answers: Option<Arc<dyn AnswerStore>>,
    /// What keeps the ties. It ends after all other background work, which has something to tell up to its end.
    workers: Workers,
}

impl Nodes {
    /// Ties this node to the others as the settings say: through Redis, else through PostgreSQL, else not at all. A Redis
    /// that is away does not keep a node from starting.
    pub(crate) async fn tie(config: &Config, foundation: &Foundation) -> Result<Self, String> {
        let workers = Workers::new(Arc::clone(&foundation.shop.clock));
        match (&config.redis.settings, foundation.database.engine()) {
            (Some(settings), _) => {
                Self::through_redis(Redis::new(settings.clone())?, config, foundation, workers).await
            }
            (None, Engine::Postgres) => Ok(Self::through_postgres(config, foundation, workers)),
            (None, Engine::Sqlite) => {
                let (bus, presence) = (Arc::new(LocalBus::default()), Arc::new(LocalPresence::default()));
                Ok(Self::alone(bus, presence, config, workers))
            }
        }
    }

    /// Tells the others what is still to be told, and lets go of them.
    pub(crate) async fn untie(self, limit: Duration) {
        self.workers.stop(limit).await;
    }

    async fn through_redis(
        redis: Redis,
        config: &Config,
        foundation: &Foundation,
        mut workers: Workers,
    ) -> Result<Self, String> {
        let bus = RedisBus::new(redis.clone(), &*foundation.shop.entropy);
        let (kept, carried) = (redis.clone(), bus.clone());
        // It is needed until the bus has told everything, and goes with the process.
        workers.start("redis", move |stop| {
            let (redis, bus) = (kept.clone(), carried.clone());
            async move {
                tokio::select! {
                    () = redis.keep() => {}
                    () = bus.carry(stop.cancelled()) => {}
                }
                Ok(())
            }
        });
        // Whether it is there is logged by then.
        let _ = tokio::time::timeout(PATIENCE, redis.tried()).await;
        let limiter = Arc::new(RedisRateLimiter::new(redis.clone()));
        let presence = Arc::new(RedisPresence::new(redis.clone()));
        let shared = foundation.database.engine() == Engine::Postgres && config.cache.mode != CacheMode::Off;
        let cache = shared.then(|| cache(&redis, config, foundation, &mut workers));
        let answers = config.assistant.answers;
        let answers =
            answers.map(|answers| -> Arc<dyn AnswerStore> { Arc::new(RedisAnswers::new(redis.clone(), answers.most)) });
        Ok(Self { bus: Arc::new(bus), limiter, presence, probe: Arc::new(redis), cache, answers, workers })
    }

    fn through_postgres(config: &Config, foundation: &Foundation, mut workers: Workers) -> Self {
        let bus = foundation.database.notify_bus(&*foundation.shop.entropy, &config.database.listen_url);
        let carried = bus.clone();
        workers.start("bus", move |stop| {
            let bus = carried.clone();
            async move {
                bus.carry(stop.cancelled()).await;
                Ok(())
            }
        });
        Self::alone(Arc::new(bus), Arc::new(foundation.database.presence()), config, workers)
    }

    /// What Redis would share is kept in this process.
    fn alone(bus: Arc<dyn Bus>, presence: Arc<dyn Presence>, config: &Config, workers: Workers) -> Self {
        let (limiter, probe) = (Arc::new(LocalRateLimiter::default()), Arc::new(InProcess::new("redis")));
        let answers = config.assistant.answers;
        let answers =
            answers.map(|answers| -> Arc<dyn AnswerStore> { Arc::new(LocalAnswers::new(answers.most, answers.fresh)) });
        Self { bus, limiter, presence, probe, cache: None, answers, workers }
    }
}

/// The cache of all nodes over this Redis. It is needed for as long as anybody writes.
fn cache(redis: &Redis, config: &Config, foundation: &Foundation, workers: &mut Workers) -> Arc<dyn Cache> {
    let Foundation { shop, database, .. } = foundation;
    let room = (config.cache.entries, config.cache.longest);
    let cache =
        RedisCache::new(redis.clone(), database.epochs(), room, Arc::clone(&shop.clock), Arc::clone(&shop.entropy));
    let kept = cache.clone();
    workers.start("cache", move |stop| {
        let cache = kept.clone();
        async move {
            stop.run_until_cancelled(cache.keep()).await;
            Ok(())
        }
    });
    Arc::new(cache)
}
