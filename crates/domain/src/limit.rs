//! Rate limits: policies as data, and the port that counts.

mod gcra;

use std::{fmt, net::IpAddr, sync::Arc, time::Duration};

pub use gcra::Pace;

use crate::{
    id::{ApiKeyId, UserId},
    secrets::hex,
};

/// How many calls one subject may make.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// Its name, such as `list_products`; part of the counted key.
    pub name: Arc<str>,
    /// Calls per window; also the burst a rested subject may make at once.
    pub limit: u32,
    /// The window.
    pub window: Duration,
    /// How long a call above the limit may be held back instead of refused; zero refuses at once (RL-10).
    pub patience: Duration,
}

/// Whose calls are counted together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Subject {
    /// Everybody's.
    Everybody,
    /// Those from one address, or one network.
    Address(IpAddr),
    /// Those of one person.
    User(UserId),
    /// Those with one API key.
    ApiKey(ApiKeyId),
    /// Those that name one account, which need not exist: a keyed hash of what they name.
    Account([u8; 16]),
    /// Those of them that come from one address.
    AccountFrom([u8; 16], IpAddr),
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Everybody => f.write_str("everybody"),
            Self::Address(address) => write!(f, "address:{address}"),
            Self::User(user) => write!(f, "user:{user}"),
            Self::ApiKey(key) => write!(f, "api_key:{key}"),
            Self::Account(account) => write!(f, "account:{}", hex(account)),
            Self::AccountFrom(account, address) => write!(f, "account:{}:{address}", hex(account)),
        }
    }
}

/// What the limiter says of one call under one policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Decision {
    /// Whether the call may go on.
    pub allowed: bool,
    /// How long it has to be held back before it goes on.
    pub wait: Duration,
    /// The policy's limit.
    pub limit: u32,
    /// Calls left at this moment.
    pub remaining: u32,
    /// When the full limit will be there again.
    pub reset: Duration,
    /// When the next call would be allowed; zero while calls are left.
    pub retry_after: Duration,
}

/// Counts calls by the generic cell rate algorithm ([`Pace`]). MUST be atomic and must not fail: an adapter whose store is
/// away counts on its own.
#[async_trait::async_trait]
pub trait RateLimiter: Send + Sync {
    /// Counts one call under every one of these policies if all allow it, and under none if one does not. Gives a
    /// decision for each, in their order.
    async fn check(&self, asked: &[(&Policy, Subject)]) -> Vec<Decision>;
}
