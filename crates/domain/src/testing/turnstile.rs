//! Limits of tries that a test sets and counts.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use async_trait::async_trait;

use super::PlainMac;
use crate::{
    identity::{Throttle, ports::Places},
    limit::{Decision, Policy, RateLimiter, Subject},
};

/// Counts calls and never forgets them.
#[derive(Debug, Default)]
pub struct Turnstile {
    counts: Mutex<HashMap<String, u32>>,
    policies: Vec<Policy>,
}

impl Turnstile {
    /// Limits by these names.
    pub fn with(limits: &[(&str, u32)]) -> Self {
        let window = Duration::from_mins(15);
        let policy = |(name, limit): &(&str, u32)| Policy {
            name: (*name).into(),
            limit: *limit,
            window,
            patience: Duration::ZERO,
        };
        Self { policies: limits.iter().map(policy).collect(), ..Self::default() }
    }

    /// What bounds tries from this address.
    pub fn throttle<'a>(&'a self, places: &'a dyn Places, from: [u8; 4]) -> Throttle<'a> {
        Throttle { limiter: self, policies: &self.policies, places, mac: &PlainMac, from: IpAddr::from(from) }
    }
}

#[async_trait]
impl RateLimiter for Turnstile {
    async fn check(&self, asked: &[(&Policy, Subject)]) -> Vec<Decision> {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let decide = |(policy, subject): &(&Policy, Subject)| {
            let count = counts.entry(format!("{}:{subject}", policy.name)).or_default();
            let allowed = *count < policy.limit;
            *count += u32::from(allowed);
            let remaining = policy.limit - *count;
            let retry_after = if allowed { Duration::ZERO } else { policy.window };
            Decision {
                allowed,
                wait: Duration::ZERO,
                limit: policy.limit,
                remaining,
                reset: policy.window,
                retry_after,
            }
        };
        asked.iter().map(decide).collect()
    }
}
