//! The tokens of tags, asked for by many at once.
//!
//! A tag's token is a random value in Redis; what makes the tag old removes it, and who asks next makes another. So what was kept
//! under a token is as it should be while the token is the same. While one question is under way, those who come meanwhile gather
//! for the next: a question that was sent before somebody came says nothing to them.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Instant,
};

use domain::{cache::Tag, clock::Entropy};
use metrics::Histogram;
use tokio::sync::{Notify, watch};

use super::{known::Trusted, tag_name};
use crate::{
    cache::Mark,
    redis::{Redis, script::Script},
};

/// Seconds for which a token is kept. When it goes, what was kept under it goes.
const LIFE: u64 = 3600;

const SCRIPT: &str = r"
local tokens = {}
for i, key in ipairs(KEYS) do
  local token = redis.call('GET', key)
  if not token then
    token = ARGV[1]
    redis.call('SET', key, token, 'EX', ARGV[2])
  end
  tokens[i] = token
end
return tokens
";

/// A random value that no tag ever had before.
pub(super) type Token = [u8; 16];

/// Under what something is kept.
#[derive(Debug, Clone)]
pub(super) struct Tokens {
    pub(super) epoch: u64,
    /// In the order of the tags of its key.
    pub(super) each: Arc<[Token]>,
    /// When they were read.
    read: Instant,
}

impl Mark for Tokens {
    fn covers(&self, asked: &Self) -> bool {
        self.epoch == asked.epoch && self.each == asked.each
    }

    fn is_before(&self, other: &Self) -> bool {
        self.read < other.read
    }
}

/// Those who gather for the next question.
pub(super) struct Checks {
    next: Mutex<Question>,
    came: Notify,
    script: Script,
    took: Histogram,
}

struct Question {
    tags: HashSet<Tag>,
    answer: watch::Sender<Option<Answer>>,
}

/// The tokens of everything that was asked for; `None` when Redis cannot say.
type Answer = Option<Arc<Checked>>;

struct Checked {
    epoch: u64,
    tokens: HashMap<Tag, Token>,
    read: Instant,
}

impl Default for Question {
    fn default() -> Self {
        Self { tags: HashSet::new(), answer: watch::Sender::new(None) }
    }
}

impl Default for Checks {
    fn default() -> Self {
        let (next, came, script) = (Mutex::default(), Notify::new(), Script::new(SCRIPT));
        Self { next, came, script, took: metrics::histogram!("cache_check_seconds") }
    }
}

impl Checks {
    /// The tokens of these tags, asked for after this was called; `None` when nothing may be served from the cache.
    pub(super) async fn tokens(&self, tags: &[Tag]) -> Option<Tokens> {
        let mut answer = {
            let mut next = self.next();
            next.tags.extend(tags);
            next.answer.subscribe()
        };
        self.came.notify_one();
        let checked = answer.wait_for(Option::is_some).await.ok()?.clone()??;
        let each: Option<Arc<[Token]>> = tags.iter().map(|tag| checked.tokens.get(tag).copied()).collect();
        Some(Tokens { epoch: checked.epoch, each: each?, read: checked.read })
    }

    /// Answers those who gather, for ever. `trusted` says what may be served in at the moment it is asked.
    pub(super) async fn answer(&self, redis: &Redis, entropy: &dyn Entropy, trusted: impl Fn() -> Option<Trusted>) {
        loop {
            self.came.notified().await;
            let question = std::mem::take(&mut *self.next());
            if question.tags.is_empty() {
                continue;
            }
            // After the last of them came.
            let answer = match trusted() {
                Some(trusted) => self.ask(redis, entropy, trusted, &question.tags).await.map(Arc::new),
                None => None,
            };
            question.answer.send_replace(Some(answer));
        }
    }

    async fn ask(
        &self,
        redis: &Redis,
        entropy: &dyn Entropy,
        trusted: Trusted,
        tags: &HashSet<Tag>,
    ) -> Option<Checked> {
        let mut new = Token::default();
        entropy.fill(&mut new);
        let (tags, sent): (Vec<Tag>, Instant) = (tags.iter().copied().collect(), Instant::now());
        let fill = |command: &mut ::redis::Cmd| {
            command.arg(tags.len());
            for tag in &tags {
                command.arg(tag_name(redis, *tag));
            }
            command.arg(&new[..]).arg(LIFE);
        };
        let found: Vec<Vec<u8>> = self.script.run(redis, Some(trusted.generation), fill).await.ok()?;
        self.took.record(sent.elapsed().as_secs_f64());
        let tokens = tags.into_iter().zip(found).filter_map(|(tag, token)| Some((tag, token.try_into().ok()?)));
        Some(Checked { epoch: trusted.epoch, tokens: tokens.collect(), read: sent })
    }

    fn next(&self) -> MutexGuard<'_, Question> {
        self.next.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
