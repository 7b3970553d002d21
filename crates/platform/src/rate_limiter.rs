//! Rate limits counted in this process.

use std::{
    collections::HashMap,
    hash::{BuildHasher, RandomState},
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use async_trait::async_trait;
use domain::limit::{Decision, Policy, RateLimiter};

/// Parts of the table, each behind a lock of its own, so that cores do not queue.
const SHARDS: u64 = 64;
/// The most keys of one part. A flood of invented addresses cannot make the table larger; past it, new keys of a
/// part share one place until old ones have rested.
const KEYS_MAX: usize = 16 * 1024;
/// A part is swept when it has grown to this many keys, then again each time it doubled.
const SWEEP_FROM: usize = 64;
/// The pause between two sweeps of a full part, in nanoseconds.
const SWEEP_PAUSE: u64 = 1_000_000_000;
/// The place of keys that find the table full.
const SHARED: u64 = 0;

/// Counts by the generic cell rate algorithm. Per key it keeps eight bytes: the moment at which the key will be
/// fully rested ("theoretical arrival time"), as nanoseconds since the limiter was made. A rested key is as good as an
/// unknown one, so it is dropped.
///
/// Keys are kept as keyed 64-bit hashes: two that meet share a limit, which is practically never and cannot be
/// brought about from outside.
pub struct LocalRateLimiter {
    start: Instant,
    hasher: RandomState,
    shards: Vec<Mutex<Shard>>,
}

impl std::fmt::Debug for LocalRateLimiter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LocalRateLimiter").finish_non_exhaustive()
    }
}

impl Default for LocalRateLimiter {
    fn default() -> Self {
        Self {
            start: Instant::now(),
            hasher: RandomState::new(),
            shards: (0..SHARDS).map(|_| Mutex::default()).collect(),
        }
    }
}

#[async_trait]
impl RateLimiter for LocalRateLimiter {
    async fn check(&self, policy: &Policy, key: &str) -> Decision {
        self.count(policy, key, nanos(self.start.elapsed()))
    }
}

impl LocalRateLimiter {
    fn count(&self, policy: &Policy, key: &str, now: u64) -> Decision {
        let hash = self.hasher.hash_one((policy.name.as_str(), key));
        let index = usize::try_from(hash % SHARDS).unwrap_or_default();
        let Some(shard) = self.shards.get(index) else { return refused(policy) };
        // A panic cannot leave a shard half changed, so a poisoned one is as good as before.
        let mut shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
        let place = shard.place(hash, now);
        let (rested_at, decision) = decide(policy, shard.rested_at.get(&place).copied().unwrap_or_default(), now);
        if decision.allowed {
            shard.rested_at.insert(place, rested_at);
        }
        decision
    }
}

#[derive(Default)]
struct Shard {
    rested_at: HashMap<u64, u64>,
    sweep_at: usize,
    /// A full part is not swept again before this moment: a flood must not buy a sweep with every call.
    not_before: u64,
}

impl Shard {
    /// Where a key is counted; makes room first when the part has grown.
    fn place(&mut self, hash: u64, now: u64) -> u64 {
        if self.rested_at.contains_key(&hash) {
            return hash;
        }
        let full = self.rested_at.len() >= KEYS_MAX;
        if self.rested_at.len() >= self.sweep_at.max(SWEEP_FROM) && (!full || now >= self.not_before) {
            self.not_before = now.saturating_add(SWEEP_PAUSE);
            self.rested_at.retain(|_, rested_at| *rested_at > now);
            self.sweep_at = self.rested_at.len().saturating_mul(2).min(KEYS_MAX);
            self.rested_at.shrink_to(self.sweep_at);
        }
        if self.rested_at.len() >= KEYS_MAX { SHARED } else { hash }
    }
}

/// One step of the algorithm: the key's new rested moment, and what to say. All times in nanoseconds.
fn decide(policy: &Policy, rested_at: u64, now: u64) -> (u64, Decision) {
    let Some(interval) = nanos(policy.window).checked_div(u64::from(policy.limit)).filter(|step| *step > 0) else {
        return (rested_at, refused(policy));
    };
    let burst = interval.saturating_mul(u64::from(policy.limit));
    let from = rested_at.max(now);
    let next = from.saturating_add(interval);
    let latest = now.saturating_add(burst);
    let allowed = next <= latest;
    let rested_at = if allowed { next } else { from };
    let room = latest.saturating_sub(rested_at);
    let remaining = u32::try_from(room / interval).unwrap_or(policy.limit);
    let retry_after = if remaining > 0 { 0 } else { rested_at.saturating_add(interval).saturating_sub(latest) };
    let decision = Decision {
        allowed,
        limit: policy.limit,
        remaining,
        reset: Duration::from_nanos(rested_at.saturating_sub(now)),
        retry_after: Duration::from_nanos(retry_after),
    };
    (rested_at, decision)
}

/// A policy of no calls at all.
fn refused(policy: &Policy) -> Decision {
    Decision { allowed: false, limit: policy.limit, remaining: 0, reset: policy.window, retry_after: policy.window }
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: u64 = 1_000_000_000;

    fn policy(limit: u32) -> Policy {
        Policy { name: "list_products".into(), limit, window: Duration::from_mins(1) }
    }

    #[test]
    fn a_rested_key_may_call_limit_times_at_once_and_then_waits_for_its_share() {
        let limiter = LocalRateLimiter::default();
        for left in (0..60).rev() {
            let decision = limiter.count(&policy(60), "a", 0);
            assert!(decision.allowed);
            assert_eq!(decision.remaining, left);
            assert_eq!(decision.reset, Duration::from_secs(u64::from(60 - left)));
            let wait = if left == 0 { Duration::from_secs(1) } else { Duration::ZERO };
            assert_eq!(decision.retry_after, wait);
        }
        let refused = limiter.count(&policy(60), "a", SECOND / 4);
        assert_eq!(
            refused,
            Decision {
                allowed: false,
                limit: 60,
                remaining: 0,
                reset: Duration::from_millis(59_750),
                retry_after: Duration::from_millis(750)
            }
        );
        assert!(!limiter.count(&policy(60), "a", SECOND - 1).allowed);
        assert!(limiter.count(&policy(60), "a", SECOND).allowed);
        assert!(!limiter.count(&policy(60), "a", SECOND).allowed);
        assert!(limiter.count(&policy(60), "b", 0).allowed);
    }

    #[test]
    fn policies_count_apart() {
        let limiter = LocalRateLimiter::default();
        let other = Policy { name: "get_product".into(), ..policy(1) };
        assert!(limiter.count(&policy(1), "a", 0).allowed);
        assert!(limiter.count(&other, "a", 0).allowed);
        assert!(!limiter.count(&policy(1), "a", 0).allowed);
    }

    #[test]
    fn hammering_does_not_put_off_the_next_call() {
        let limiter = LocalRateLimiter::default();
        assert!(limiter.count(&policy(1), "a", 0).allowed);
        for at in 1..60 {
            assert!(!limiter.count(&policy(1), "a", at * SECOND).allowed);
        }
        assert!(limiter.count(&policy(1), "a", 60 * SECOND).allowed);
    }

    #[test]
    fn a_limit_of_zero_allows_nothing() {
        assert!(!LocalRateLimiter::default().count(&policy(0), "a", 0).allowed);
    }

    #[test]
    fn rested_keys_are_dropped_and_a_flood_is_bounded() {
        let limiter = LocalRateLimiter::default();
        let keys = |limiter: &LocalRateLimiter| -> usize {
            limiter.shards.iter().map(|shard| shard.lock().unwrap().rested_at.len()).sum()
        };
        let minute = Policy { name: "p".into(), limit: 1, window: Duration::from_mins(1) };
        for key in 0..100_000 {
            limiter.count(&minute, &key.to_string(), 0);
        }
        assert_eq!(keys(&limiter), 100_000);
        for key in 0..200_000 {
            limiter.count(&minute, &key.to_string(), 61 * SECOND + key);
        }
        assert!(keys(&limiter) <= 200_000 + 64, "{}", keys(&limiter));
        for key in 0..200_000 {
            limiter.count(&minute, &key.to_string(), 200 * SECOND);
        }
        assert!(keys(&limiter) <= 200_000);

        let mut shard = Shard::default();
        for hash in 1..40_000 {
            let place = shard.place(hash, 0);
            shard.rested_at.insert(place, SECOND);
        }
        assert_eq!(shard.rested_at.len(), KEYS_MAX + 1);
        assert_eq!(shard.place(99_999, 0), SHARED);
        assert_eq!(shard.place(99_999, 2 * SECOND), 99_999);
        assert!(shard.rested_at.is_empty());
    }

    #[test]
    fn calls_at_once_from_many_threads_are_counted_exactly() {
        let limiter = LocalRateLimiter::default();
        let allowed = std::sync::atomic::AtomicU32::new(0);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..100 {
                        if limiter.count(&policy(100), "a", 0).allowed {
                            allowed.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                        }
                    }
                });
            }
        });
        assert_eq!(allowed.into_inner(), 100);
    }
}
