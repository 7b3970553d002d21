//! Rate limits counted in this process.

use std::{
    collections::HashMap,
    hash::{BuildHasher, BuildHasherDefault, Hasher, RandomState},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Instant,
};

use async_trait::async_trait;
use domain::limit::{Decision, Pace, Policy, RateLimiter, Subject};

/// Parts of the table, each behind a lock of its own, so that cores do not queue.
const SHARDS: u64 = 64;
/// The most keys of one part. A flood of invented addresses cannot make the table larger; past it, new keys of a
/// part share one place until old ones have rested.
const KEYS_MAX: usize = 16 * 1024;
/// A part is swept when it has grown to this many keys, then again each time it doubled.
const SWEEP_FROM: usize = 64;
/// The pause between two sweeps of a full part, in microseconds.
const SWEEP_PAUSE: u64 = 1_000_000;
/// Odd, and half of its bits set: the golden ratio.
const MIX: u64 = 0x9e37_79b9_7f4a_7c15;
/// The place of keys that find the table full.
const SHARED: u64 = 0;

/// Counts by the generic cell rate algorithm. Per key it keeps eight bytes: the moment at which the key will be
/// fully rested ("theoretical arrival time"), as microseconds since the limiter was made. A rested key is as good as an
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
    async fn check(&self, asked: &[(&Policy, Subject)]) -> Vec<Decision> {
        self.count(asked, u64::try_from(self.start.elapsed().as_micros()).unwrap_or(u64::MAX))
    }
}

impl LocalRateLimiter {
    fn count(&self, asked: &[(&Policy, Subject)], now: u64) -> Vec<Decision> {
        let hashes = asked.iter().map(|(policy, subject)| self.hasher.hash_one((&*policy.name, subject)));
        if let [(policy, _)] = asked {
            // Almost every call: one policy, one lock.
            return hashes.map(|hash| self.shard(hash).count(policy, hash, now)).collect();
        }
        self.count_together(asked, &hashes.collect::<Vec<_>>(), now)
    }

    /// Holds every part that takes part, in the order of the parts, so that two such calls cannot wait for each other.
    fn count_together(&self, asked: &[(&Policy, Subject)], hashes: &[u64], now: u64) -> Vec<Decision> {
        let mut parts: Vec<u64> = hashes.iter().map(|hash| hash % SHARDS).collect();
        parts.sort_unstable();
        parts.dedup();
        let mut held: Vec<(u64, MutexGuard<'_, Shard>)> =
            parts.into_iter().map(|part| (part, self.shard(part))).collect();
        let paces: Vec<Pace> = asked.iter().map(|(policy, _)| Pace::of(policy)).collect();
        let mut kept_at = Vec::with_capacity(hashes.len());
        let mut aheads = Vec::with_capacity(hashes.len());
        for hash in hashes {
            let Some(shard) = part_of(&mut held, *hash) else { continue };
            let at = shard.place(*hash, now);
            kept_at.push(at);
            aheads.push(shard.ahead(at, now));
        }
        let counted = paces.iter().zip(&aheads).all(|(pace, ahead)| pace.admits(*ahead));
        if counted {
            for (((hash, at), pace), ahead) in hashes.iter().zip(kept_at).zip(&paces).zip(&aheads) {
                if let Some(shard) = part_of(&mut held, *hash) {
                    shard.rest(at, now, pace.after(*ahead));
                }
            }
        }
        let said = asked.iter().zip(&paces).zip(&aheads);
        said.map(|(((policy, _), pace), ahead)| pace.decide(policy, *ahead, counted)).collect()
    }

    /// The part that a hash belongs to. A panic cannot leave it half changed, so a poisoned one is as good as before.
    #[expect(clippy::indexing_slicing, reason = "there are SHARDS of them")]
    fn shard(&self, hash: u64) -> MutexGuard<'_, Shard> {
        let part = &self.shards[usize::try_from(hash % SHARDS).unwrap_or_default()];
        part.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Takes a key for its own hash, which it is: a table of them need not hash again.
#[derive(Default)]
struct Hashed(u64);

impl Hasher for Hashed {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write_u64(&mut self, hash: u64) {
        // The low bits choose the part, so they are alike in all keys of one. The table wants the high ones mixed, too.
        self.0 = (hash >> SHARDS.ilog2()).wrapping_mul(MIX);
    }

    /// For the trait: the keys are numbers.
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }
}

#[derive(Default)]
struct Shard {
    rested_at: HashMap<u64, u64, BuildHasherDefault<Hashed>>,
    sweep_at: usize,
    /// A full part is not swept again before this moment: a flood must not buy a sweep with every call.
    not_before: u64,
}

impl Shard {
    fn count(&mut self, policy: &Policy, hash: u64, now: u64) -> Decision {
        let (pace, at) = (Pace::of(policy), self.place(hash, now));
        let ahead = self.ahead(at, now);
        let counted = pace.admits(ahead);
        if counted {
            self.rest(at, now, pace.after(ahead));
        }
        pace.decide(policy, ahead, counted)
    }

    /// How far from now the key at this place will be rested.
    fn ahead(&self, place: u64, now: u64) -> u64 {
        self.rested_at.get(&place).map_or(0, |rested_at| rested_at.saturating_sub(now))
    }

    /// Has the key at this place rested so far from now.
    fn rest(&mut self, place: u64, now: u64, ahead: u64) {
        self.rested_at.insert(place, now.saturating_add(ahead));
    }

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

/// The part among those held that a hash belongs to.
fn part_of<'a>(held: &'a mut [(u64, MutexGuard<'_, Shard>)], hash: u64) -> Option<&'a mut Shard> {
    held.iter_mut().find(|(part, _)| *part == hash % SHARDS).map(|(_, shard)| &mut **shard)
}

#[cfg(test)]
mod tests {
    use std::{net::IpAddr, time::Duration};

    use super::*;

    const SECOND: u64 = 1_000_000;

    fn policy(limit: u32) -> Policy {
        Policy { name: "list_products".into(), limit, window: Duration::from_mins(1), patience: Duration::ZERO }
    }

    /// One call of somebody with this number.
    fn call(limiter: &LocalRateLimiter, policy: &Policy, by: u32, now: u64) -> Decision {
        limiter.count(&[(policy, Subject::Address(IpAddr::from(by.to_be_bytes())))], now)[0]
    }

    #[tokio::test]
    async fn it_keeps_the_contract() {
        domain::testing::contract::limiter::run(&LocalRateLimiter::default()).await;
    }

    #[test]
    fn a_rested_key_may_call_limit_times_at_once_and_then_waits_for_its_share() {
        let limiter = LocalRateLimiter::default();
        for left in (0..60).rev() {
            let decision = call(&limiter, &policy(60), 1, 0);
            assert!(decision.allowed);
            assert_eq!(decision.remaining, left);
            assert_eq!(decision.reset, Duration::from_secs(u64::from(60 - left)));
            let wait = if left == 0 { Duration::from_secs(1) } else { Duration::ZERO };
            assert_eq!(decision.retry_after, wait);
        }
        let refused = call(&limiter, &policy(60), 1, SECOND / 4);
        assert_eq!(
            refused,
            Decision {
                allowed: false,
                wait: Duration::ZERO,
                limit: 60,
                remaining: 0,
                reset: Duration::from_millis(59_750),
                retry_after: Duration::from_millis(750)
            }
        );
        assert!(!call(&limiter, &policy(60), 1, SECOND - 1).allowed);
        assert!(call(&limiter, &policy(60), 1, SECOND).allowed);
        assert!(!call(&limiter, &policy(60), 1, SECOND).allowed);
        assert!(call(&limiter, &policy(60), 2, 0).allowed);
    }

    #[test]
    fn hammering_does_not_put_off_the_next_call() {
        let limiter = LocalRateLimiter::default();
        assert!(call(&limiter, &policy(1), 1, 0).allowed);
        for at in 1..60 {
            assert!(!call(&limiter, &policy(1), 1, at * SECOND).allowed);
        }
        assert!(call(&limiter, &policy(1), 1, 60 * SECOND).allowed);
    }

    #[test]
    fn rested_keys_are_dropped_and_a_flood_is_bounded() {
        let limiter = LocalRateLimiter::default();
        let keys = |limiter: &LocalRateLimiter| -> usize {
            limiter.shards.iter().map(|shard| shard.lock().unwrap().rested_at.len()).sum()
        };
        let once = policy(1);
        for by in 0..100_000 {
            call(&limiter, &once, by, 0);
        }
        assert_eq!(keys(&limiter), 100_000);
        for by in 0..200_000 {
            call(&limiter, &once, by, 61 * SECOND + u64::from(by) / 1000);
        }
        assert!(keys(&limiter) <= 200_000 + 64, "{}", keys(&limiter));
        for by in 0..200_000 {
            call(&limiter, &once, by, 200 * SECOND);
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
        let (all, own) = (policy(100), Policy { name: "own".into(), ..policy(1000) });
        let allowed = std::sync::atomic::AtomicU32::new(0);
        std::thread::scope(|scope| {
            for by in 0..4_u8 {
                let (limiter, allowed, all, own) = (&limiter, &allowed, &all, &own);
                scope.spawn(move || {
                    let subject = Subject::Address(IpAddr::from([127, 0, 0, by]));
                    for turn in 0..100 {
                        let pair = [(own, subject), (all, Subject::Everybody)];
                        let asked = if turn % 2 == 0 { &pair[..] } else { &pair[1..] };
                        if limiter.count(asked, 0).iter().all(|said| said.allowed) {
                            allowed.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                        }
                    }
                });
            }
        });
        assert_eq!(allowed.into_inner(), 100);
    }

    /// Two policies in either order, in two parts of the table or in one: nobody waits for ever.
    #[test]
    fn calls_under_several_policies_do_not_stand_in_each_others_way() {
        let limiter = LocalRateLimiter::default();
        let (one, two) = (policy(u32::MAX), Policy { name: "two".into(), ..policy(u32::MAX) });
        std::thread::scope(|scope| {
            for by in 0..4_u32 {
                let (limiter, one, two) = (&limiter, &one, &two);
                scope.spawn(move || {
                    for turn in 0..20_000_u32 {
                        // A different pair of parts every hundred turns, the same for all threads.
                        let subject = Subject::Address(IpAddr::from((turn / 100).to_be_bytes()));
                        let asked = [(one, subject), (two, subject)];
                        let turned = [(two, subject), (one, subject)];
                        let said = limiter.count(if (turn + by) % 2 == 0 { &asked } else { &turned }, 0);
                        assert!(said.iter().all(|said| said.allowed));
                    }
                });
            }
        });
    }
}
