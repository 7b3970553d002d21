//! A rate limit as the layers use it: drawn once from its rule, and shared by all operations it counts.

use std::{net::IpAddr, sync::Arc};

use actix_web::http::header::HeaderValue;
use domain::{
    id::{ApiKeyId, UserId},
    limit::{Decision, Policy, Subject},
};
use metrics::Counter;

use crate::{
    address,
    settings::{LimitRule, LimitScope},
};

/// A rate limit with all of it that is the same for every request.
#[derive(Debug)]
pub struct Limit {
    /// What it counts.
    pub rule: LimitRule,
    /// Its part of the header `RateLimit-Policy`.
    pub told: HeaderValue,
    /// How much it allows: the header `RateLimit-Limit`.
    pub most: HeaderValue,
    allowed: Counter,
    held: Counter,
    refused: Counter,
}

impl Limit {
    /// The limit of this rule.
    pub fn of(rule: &LimitRule) -> Self {
        let Policy { name, limit, .. } = &rule.policy;
        let counter = |outcome: &'static str| {
            let policy = String::from(&**name);
            metrics::counter!("limiter_decisions_total", "policy" => policy, "outcome" => outcome)
        };
        let (allowed, held, refused) = (counter("allowed"), counter("held"), counter("refused"));
        Self { rule: rule.clone(), told: Self::told(&rule.policy), most: (*limit).into(), allowed, held, refused }
    }

    /// Those of the limits that count an operation by one of these scopes.
    pub fn of_operation(all: &[Arc<Self>], id: &str, path: &str, by: impl Fn(LimitScope) -> bool) -> Vec<Arc<Self>> {
        let counting = all.iter().filter(|limit| limit.rule.counts(id, path));
        counting.filter(|limit| by(limit.rule.scope)).cloned().collect()
    }

    /// With whose calls a call is counted.
    pub fn subject(&self, client: IpAddr, user: Option<UserId>, key: Option<ApiKeyId>) -> Subject {
        match (self.rule.scope, user, key) {
            (LimitScope::Everybody, ..) => Subject::Everybody,
            (LimitScope::ApiKey, _, Some(key)) => Subject::ApiKey(key),
            (LimitScope::Actor | LimitScope::ApiKey, Some(user), _) => Subject::User(user),
            (LimitScope::Actor | LimitScope::ApiKey, None, _) | (LimitScope::Address, ..) => {
                Subject::Address(address::counted(client))
            }
        }
    }

    /// Its part of the header `RateLimit-Policy` for such a policy.
    pub fn told(Policy { name, limit, window, .. }: &Policy) -> HeaderValue {
        let told = HeaderValue::from_str(&format!("\"{name}\";q={limit};w={}", window.as_secs()));
        // A name is checked where it is given.
        told.unwrap_or_else(|_| HeaderValue::from_static(""))
    }

    /// Counts what was decided.
    pub fn meter(&self, decision: &Decision) {
        let counter = match decision {
            Decision { allowed: false, .. } => &self.refused,
            Decision { wait, .. } if wait.is_zero() => &self.allowed,
            _ => &self.held,
        };
        counter.increment(1);
    }
}
