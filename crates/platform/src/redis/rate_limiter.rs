//! Rate limits that all nodes count together.

use std::sync::atomic::{AtomicBool, Ordering};

use ::redis::Cmd;
use async_trait::async_trait;
use domain::limit::{Decision, Pace, Policy, RateLimiter, Subject};
use metrics::Counter;

use super::{Failed, Redis, script::Script};
use crate::rate_limiter::LocalRateLimiter;

/// Counts one call under all of its policies or under none. It keeps the moment at which each key will be rested, by the
/// clock of Redis, and answers how far ahead of now that was before the call, in microseconds, after whether it counted.
/// Numbers of Lua hold whole microseconds of a date exactly; their text by default does not, so it is made by hand.
const SCRIPT: &str = r"
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local counted, rested, answer = 1, {}, { 0 }
for i, key in ipairs(KEYS) do
  local ahead = math.max(tonumber(redis.call('GET', key) or 0) - now, 0)
  rested[i] = ahead + ARGV[2 * i - 1]
  if rested[i] > tonumber(ARGV[2 * i]) then counted = 0 end
  answer[i + 1] = ahead
end
if counted == 1 then
  for i, key in ipairs(KEYS) do
    redis.call('SET', key, string.format('%.0f', now + rested[i]), 'PX', math.ceil(rested[i] / 1000))
  end
end
answer[1] = counted
return answer
";

/// Counts in Redis, and in this process while Redis is away.
#[derive(Debug)]
pub struct RedisRateLimiter {
    redis: Redis,
    local: LocalRateLimiter,
    script: Script,
    fallbacks: Counter,
    /// Redis said that it would not count, and that was logged.
    told: AtomicBool,
}

impl RedisRateLimiter {
    /// A limiter that shares its counts with every other over the same Redis and prefix.
    pub fn new(redis: Redis) -> Self {
        let fallbacks = metrics::counter!("limiter_fallbacks_total");
        Self {
            redis,
            local: LocalRateLimiter::default(),
            script: Script::new(SCRIPT),
            fallbacks,
            told: AtomicBool::new(false),
        }
    }

    async fn ask(&self, asked: &[(&Policy, Subject)], paces: &[Pace]) -> Result<Vec<u64>, Failed> {
        self.script.run(&self.redis, None, |command| self.ask_of(command, asked, paces)).await
    }

    fn ask_of(&self, command: &mut Cmd, asked: &[(&Policy, Subject)], paces: &[Pace]) {
        command.arg(asked.len());
        for (policy, subject) in asked {
            // What stands in braces decides on the part of a cluster: all policies of a subject are on one.
            command.arg(self.redis.name(&format!("limit:{{{subject}}}:{}", policy.name)));
        }
        for pace in paces {
            command.arg(pace.interval).arg(pace.burst.saturating_add(pace.patience));
        }
    }
}

#[async_trait]
impl RateLimiter for RedisRateLimiter {
    async fn check(&self, asked: &[(&Policy, Subject)]) -> Vec<Decision> {
        if asked.is_empty() {
            return Vec::new();
        }
        let paces: Vec<Pace> = asked.iter().map(|(policy, _)| Pace::of(policy)).collect();
        let answer = match self.ask(asked, &paces).await {
            Ok(answer) => {
                self.told.store(false, Ordering::Relaxed);
                answer
            }
            Err(failed) => {
                if let Failed::Refused(error) = failed
                    && !self.told.swap(true, Ordering::Relaxed)
                {
                    tracing::error!(%error, "Redis will not count; this node counts by itself");
                }
                self.fallbacks.increment(1);
                return self.local.check(asked).await;
            }
        };
        let counted = answer.first() == Some(&1);
        let found = asked.iter().zip(&paces).zip(answer.iter().skip(1));
        found.map(|(((policy, _), pace), ahead)| pace.decide(policy, *ahead, counted)).collect()
    }
}
