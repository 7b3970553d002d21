//! Who is in which room, kept in Redis.
//!
//! A room is a hash of people with the number of nodes each is on; a node is a set of what it entered; the leases of the
//! nodes are one sorted set. Each step is one script, so that of two nodes one notices.

use async_trait::async_trait;
use domain::{
    Error, Result,
    clock::Timestamp,
    id::{RoomId, UserId},
    room::{Change, Crowd, Moved, NodeId, Presence, Renewed},
};
use uuid::Uuid;

use super::{Failed, Redis};

/// Enters changes of a node: `+` or `-`, room and user, one after the other. Gives the places of those that others notice,
/// each followed by the number of people in the room. KEYS: the node. ARGV: what rooms begin with, then the changes.
const UPDATE: &str = r"
local noticed, rooms = {}, {}
for i = 2, #ARGV do
  local sign, room, user = string.sub(ARGV[i], 1, 1), string.sub(ARGV[i], 2, 37), string.sub(ARGV[i], 39)
  local key, entry = ARGV[1] .. room, string.sub(ARGV[i], 2)
  if sign == '+' then
    if redis.call('SADD', KEYS[1], entry) == 1 and redis.call('HINCRBY', key, user, 1) == 1 then
      noticed[#noticed + 1] = { i - 2, key }
    end
  elseif redis.call('SREM', KEYS[1], entry) == 1 and redis.call('HINCRBY', key, user, -1) <= 0 then
    redis.call('HDEL', key, user)
    noticed[#noticed + 1] = { i - 2, key }
  end
end
local answer = {}
for _, one in ipairs(noticed) do
  answer[#answer + 1] = one[1]
  answer[#answer + 1] = redis.call('HLEN', one[2])
end
return answer
";

/// Removes what dead nodes entered, a portion at a time. Gives room and user and the number of people left, one after the
/// other, and last whether there is more. KEYS: the leases. ARGV: now, what nodes begin with, what rooms begin with, most
/// entries, how long a swept node is remembered in seconds, what the marks of swept nodes begin with.
const SWEEP: &str = r"
local answer, left = {}, tonumber(ARGV[4])
local dead = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', ARGV[1])
for _, node in ipairs(dead) do
  local key = ARGV[2] .. node
  local entries = redis.call('SPOP', key, left)
  for _, entry in ipairs(entries) do
    local room, user = ARGV[3] .. string.sub(entry, 1, 36), string.sub(entry, 38)
    if redis.call('HINCRBY', room, user, -1) <= 0 then
      redis.call('HDEL', room, user)
      answer[#answer + 1] = entry
      answer[#answer + 1] = room
    end
  end
  left = left - #entries
  if redis.call('EXISTS', key) == 0 then
    redis.call('ZREM', KEYS[1], node)
    redis.call('SET', ARGV[6] .. node, '1', 'EX', ARGV[5])
  end
  if left <= 0 then break end
end
for i = 2, #answer, 2 do answer[i] = tostring(redis.call('HLEN', answer[i])) end
answer[#answer + 1] = left <= 0 and 'more' or 'done'
return answer
";

/// Gives 0 when the lease held, 1 when there was none, 2 when it was swept. KEYS: the leases, the node's mark. ARGV: the node,
/// the end of its lease.
const RENEW: &str = r"
local held = redis.call('ZSCORE', KEYS[1], ARGV[1])
redis.call('ZADD', KEYS[1], ARGV[2], ARGV[1])
if held then return 0 end
return 1 + redis.call('DEL', KEYS[2])
";

/// Gives how many people are in a room and then some of them. KEYS: the room. ARGV: how many at the most.
const CROWD: &str = r"
local most, answer, cursor = tonumber(ARGV[1]), { tostring(redis.call('HLEN', KEYS[1])) }, '0'
repeat
  local found = redis.call('HSCAN', KEYS[1], cursor, 'COUNT', most)
  cursor = found[1]
  for i = 1, #found[2], 2 do
    if #answer > most then break end
    answer[#answer + 1] = found[2][i]
  end
until cursor == '0' or #answer > most
return answer
";

/// Changes entered by one script, and entries swept by one: Redis serves nobody else meanwhile.
const PORTION: usize = 500;
/// How long it is remembered that a node was swept.
const REMEMBERED: u32 = 3600;

/// Keeps presence in Redis.
#[derive(Debug, Clone)]
pub struct RedisPresence {
    redis: Redis,
}

impl RedisPresence {
    /// Presence that all nodes over the same Redis and prefix share.
    pub fn new(redis: Redis) -> Self {
        Self { redis }
    }

    fn rooms(&self) -> String {
        self.redis.name("presence:room:")
    }

    fn nodes(&self) -> String {
        self.redis.name("presence:node:")
    }

    fn leases(&self) -> String {
        self.redis.name("presence:leases")
    }

    fn marks(&self) -> String {
        self.redis.name("presence:swept:")
    }

    async fn run<T: ::redis::FromRedisValue>(&self, script: &str, keys: &[String], args: &[String]) -> Result<T> {
        let mut command = ::redis::cmd("EVAL");
        command.arg(script).arg(keys.len()).arg(keys).arg(args);
        self.redis.call(&command).await.map_err(away)
    }
}

fn away(failed: Failed) -> Error {
    let source = match failed {
        Failed::Away => "it is away".into(),
        Failed::Refused(error) => Box::<dyn std::error::Error + Send + Sync>::from(error),
    };
    Error::Unavailable { what: "Redis", source }
}

fn strange() -> Error {
    Error::internal("Redis holds an entry of presence that nobody wrote")
}

fn id(text: &str) -> Result<Uuid> {
    Uuid::try_parse(text).map_err(|_| strange())
}

#[async_trait]
impl Presence for RedisPresence {
    async fn update(&self, node: NodeId, changes: &[Change]) -> Result<Vec<Moved>> {
        let mut moved = Vec::new();
        for portion in changes.chunks(PORTION) {
            let entries = portion.iter().map(|Change { room, user, present }| {
                let sign = if *present { '+' } else { '-' };
                format!("{sign}{room}/{user}")
            });
            let args: Vec<String> = [self.rooms()].into_iter().chain(entries).collect();
            let key = format!("{}{node}", self.nodes());
            let answer: Vec<u64> = self.run(UPDATE, &[key], &args).await?;
            for pair in answer.chunks_exact(2) {
                let &[place, count] = pair else { continue };
                let change = usize::try_from(place).ok().and_then(|place| portion.get(place)).ok_or_else(strange)?;
                moved.push(Moved { change: *change, count });
            }
        }
        Ok(moved)
    }

    async fn renew(&self, node: NodeId, until: Timestamp) -> Result<Renewed> {
        let keys = [self.leases(), format!("{}{node}", self.marks())];
        let args = [node.to_string(), until.timestamp_micros().to_string()];
        Ok(match self.run::<u8>(RENEW, &keys, &args).await? {
            0 => Renewed::Held,
            1 => Renewed::New,
            _ => Renewed::Swept,
        })
    }

    async fn sweep(&self, now: Timestamp) -> Result<Vec<Moved>> {
        let args = [
            now.timestamp_micros().to_string(),
            self.nodes(),
            self.rooms(),
            PORTION.to_string(),
            REMEMBERED.to_string(),
            self.marks(),
        ];
        let mut moved = Vec::new();
        loop {
            let mut answer: Vec<String> = self.run(SWEEP, &[self.leases()], &args).await?;
            let more = answer.pop().is_some_and(|last| last == "more");
            for pair in answer.chunks_exact(2) {
                let [entry, count] = pair else { continue };
                let (room, user) = entry.split_once('/').ok_or_else(strange)?;
                let change = Change { room: RoomId(id(room)?), user: UserId(id(user)?), present: false };
                moved.push(Moved { change, count: count.parse().map_err(|_| strange())? });
            }
            if !more {
                return Ok(moved);
            }
        }
    }

    async fn crowd(&self, room: RoomId, most: u32) -> Result<Crowd> {
        let key = format!("{}{room}", self.rooms());
        let answer: Vec<String> = self.run(CROWD, &[key], &[most.to_string()]).await?;
        let mut answer = answer.iter();
        let count = answer.next().and_then(|count| count.parse().ok()).ok_or_else(strange)?;
        let some = answer.map(|user| id(user).map(UserId)).collect::<Result<_>>()?;
        Ok(Crowd { some, count })
    }
}
