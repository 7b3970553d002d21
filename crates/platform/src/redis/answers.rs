//! Answers of language models that all nodes keep together in Redis.
//!
//! An entry is a key of its own that ends by itself. Beside them stand when each ends, how long each is, and how long all are together,
//! so that what ends first makes room. All of it changes in one step.

use std::{sync::atomic::AtomicBool, time::Duration};

use async_trait::async_trait;
use bytes::Bytes;
use domain::{Error, Result, assistant::kept::ports::AnswerStore, id::UserId};

use super::{Failed, Redis, script::Script};

/// Takes an entry away: what stands beside it first.
const DROP: &str = r"
local function drop(key)
  local was = redis.call('HGET', KEYS[2], key)
  if was then
    redis.call('HDEL', KEYS[2], key)
    redis.call('DECRBY', KEYS[3], was)
  end
  redis.call('ZREM', KEYS[1], key)
  redis.call('DEL', key)
end
";

/// Keeps an entry. KEYS: when they end, how long they are, how long all are, the mark of whom it is for, the entry. ARGV: its bytes, how
/// many, for how many milliseconds, how many bytes all may have.
const PUT: &str = r"
if redis.call('EXISTS', KEYS[4]) == 1 then return 0 end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local size, most = tonumber(ARGV[2]), tonumber(ARGV[4])
for _, key in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now, 'LIMIT', 0, 100)) do drop(key) end
drop(KEYS[5])
if size > most then return 0 end
while tonumber(redis.call('GET', KEYS[3]) or 0) + size > most do
  local first = redis.call('ZRANGE', KEYS[1], 0, 0)[1]
  if not first then
    redis.call('DEL', KEYS[3])
    break
  end
  drop(first)
end
redis.call('SET', KEYS[5], ARGV[1], 'PX', ARGV[3])
redis.call('ZADD', KEYS[1], string.format('%.0f', now + ARGV[3]), KEYS[5])
redis.call('HSET', KEYS[2], KEYS[5], ARGV[2])
redis.call('INCRBY', KEYS[3], ARGV[2])
return 1
";

/// Takes entries away. KEYS: as before. ARGV: the entries.
const TAKE: &str = r"
for _, key in ipairs(ARGV) do drop(key) end
return #ARGV
";

/// Entries looked at by one step: Redis serves nobody else meanwhile.
const PORTION: usize = 500;

/// Keeps sealed answers in Redis, and none while it is away.
#[derive(Debug)]
pub struct RedisAnswers {
    redis: Redis,
    most: u64,
    put: Script,
    take: Script,
    /// Redis said that it would not keep one, and that was logged.
    told: AtomicBool,
}

impl RedisAnswers {
    /// Those of all nodes over the same Redis and prefix, of so many bytes together.
    pub fn new(redis: Redis, most: u64) -> Self {
        let script = |text: &str| Script::new([DROP, text].concat());
        Self { redis, most, put: script(PUT), take: script(TAKE), told: AtomicBool::new(false) }
    }

    fn beside(&self) -> [String; 3] {
        ["ends", "lengths", "length"].map(|name| self.redis.name(&format!("answers:{name}")))
    }

    fn mark(&self, of: UserId) -> String {
        self.redis.name(&format!("answers:gone:{}", of.0.simple()))
    }

    fn entry(&self, of: UserId, name: &str) -> String {
        self.redis.name(&format!("answers:of:{}:{name}", of.0.simple()))
    }

    /// Removes what is kept for somebody, a portion at a time.
    async fn remove(&self, of: UserId, fresh: Duration) -> Result<(), Failed> {
        let mut mark = ::redis::cmd("SET");
        mark.arg(self.mark(of)).arg("1").arg("PX").arg(millis(fresh));
        // First, so that what is on its way is not kept.
        self.redis.call::<()>(&mark).await?;
        let ([ends, ..], theirs) = (self.beside(), pattern(&self.entry(of, "")));
        let mut from = "0".to_owned();
        loop {
            let mut scan = ::redis::cmd("ZSCAN");
            scan.arg(&ends).arg(&from).arg("MATCH").arg(&theirs).arg("COUNT").arg(PORTION);
            // Each with the moment at which it ends.
            let (next, found): (String, Vec<(String, f64)>) = self.redis.call(&scan).await?;
            for found in found.chunks(PORTION) {
                let taken = self.take.run::<usize>(&self.redis, None, |command| {
                    command.arg(3).arg(&self.beside());
                    for (entry, _) in found {
                        command.arg(entry);
                    }
                });
                taken.await?;
            }
            if next == "0" {
                return Ok(());
            }
            from = next;
        }
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX).max(1)
}

/// What begins with these very characters.
fn pattern(begin: &str) -> String {
    let mut pattern = String::with_capacity(begin.len() + 1);
    for c in begin.chars() {
        if "*?[]\\^".contains(c) {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern + "*"
}

#[async_trait]
impl AnswerStore for RedisAnswers {
    async fn get(&self, of: UserId, name: &str) -> Option<Bytes> {
        let mut command = ::redis::cmd("GET");
        command.arg(self.entry(of, name));
        let found: Option<Vec<u8>> = self.redis.call(&command).await.ok()?;
        found.map(Bytes::from)
    }

    async fn put(&self, of: UserId, name: &str, sealed: Bytes, fresh: Duration) {
        use std::sync::atomic::Ordering::Relaxed;
        let put = self.put.run::<u8>(&self.redis, None, |command| {
            command.arg(5).arg(&self.beside()).arg(self.mark(of)).arg(self.entry(of, name));
            command.arg(&sealed[..]).arg(sealed.len()).arg(millis(fresh)).arg(self.most);
        });
        match put.await {
            Ok(_) => self.told.store(false, Relaxed),
            Err(Failed::Refused(error)) if !self.told.swap(true, Relaxed) => {
                tracing::warn!(%error, "Redis will not keep answers of language models");
            }
            Err(_) => {}
        }
    }

    async fn forget(&self, of: UserId, fresh: Duration) -> Result<()> {
        self.remove(of, fresh).await.map_err(|failed| {
            let source = match failed {
                Failed::Away => "it is away".into(),
                Failed::Refused(error) => error.into(),
            };
            Error::Unavailable { what: "Redis", source }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_is_no_pattern() {
        assert_eq!(pattern("shop*[1]:"), "shop\\*\\[1\\]:*");
    }
}
