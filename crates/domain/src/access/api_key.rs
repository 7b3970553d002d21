//! API keys: how a program calls as somebody, or as a seller account.

use serde::{Deserialize, Serialize};

use super::{KeyText, role_input::read_permissions};
use crate::{
    clock::Timestamp,
    error::{Breach, Violations},
    id::{ApiKeyId, SellerId, UserId},
    permission::Permissions,
    text,
};

/// The most calls a minute that may be allowed to a key.
pub(super) const PER_MINUTE_MAX: i64 = 1_000_000;

/// The most models a key may name.
const MODELS_MAX: usize = 100;

/// An API key, without its text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApiKey {
    /// Its id.
    pub id: ApiKeyId,
    /// What its owner calls it, 1 to 100 characters.
    pub name: String,
    /// Who made it; it is theirs unless it is a seller account's.
    pub user: UserId,
    /// The seller account it belongs to, if it does.
    pub seller: Option<SellerId>,
    /// What it is for.
    pub scopes: Permissions,
    /// Its last four characters.
    pub hint: String,
    /// How many calls a minute are allowed to it, where not as many as to every key.
    pub per_minute: Option<u32>,
    /// The models of the assistant it is for; `None` for all.
    #[serde(default)]
    pub models: Option<Vec<String>>,
    /// When it ends; `None` for never.
    pub expires_at: Option<Timestamp>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last used, give or take some seconds.
    pub last_used_at: Option<Timestamp>,
}

/// A key just made: the only time its text is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MadeKey {
    /// The key.
    pub key: ApiKey,
    /// Its text.
    pub text: KeyText,
}

/// What makes a key, unchecked.
#[derive(Debug, Clone, Default)]
pub struct KeyInput {
    /// What to call it.
    pub name: Option<String>,
    /// What it is for, by name.
    pub scopes: Option<Vec<String>>,
    /// The seller account it is to belong to.
    pub seller: Option<SellerId>,
    /// When it ends.
    pub expires_at: Option<Timestamp>,
    /// How many calls a minute are allowed to it.
    pub per_minute: Option<i64>,
    /// The models of the assistant it is for.
    pub models: Option<Vec<String>>,
}

/// A checked [`KeyInput`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewKey {
    pub(super) name: String,
    pub(super) scopes: Permissions,
    pub(super) seller: Option<SellerId>,
    pub(super) expires_at: Option<Timestamp>,
    pub(super) per_minute: Option<u32>,
    pub(super) models: Option<Vec<String>>,
}

impl KeyInput {
    /// Checks every field; breaches go to `violations`.
    pub fn check(&self, now: Timestamp, violations: &mut Violations) -> Option<NewKey> {
        let name = match &self.name {
            Some(name) => violations.check("/name", key_name(name)),
            None => violations.missing("/name"),
        };
        let scopes = match &self.scopes {
            Some(names) => scopes(names, violations),
            None => violations.missing("/scopes"),
        };
        if self.expires_at.is_some_and(|end| end <= now) {
            violations.add("/expiresAt", "future", "must be a moment to come");
        }
        let per_minute = self.per_minute.map(|calls| {
            let fits = u32::try_from(calls).ok().filter(|_| (1..=PER_MINUTE_MAX).contains(&calls));
            fits.ok_or_else(|| Breach::new("range", "must be a whole number from 1 to 1000000"))
        });
        let per_minute = match per_minute {
            Some(checked) => Some(violations.check("/callsPerMinute", checked)?),
            None => None,
        };
        let models = match &self.models {
            Some(models) => Some(key_models(models, violations)?),
            None => None,
        };
        let (seller, expires_at) = (self.seller, self.expires_at);
        Some(NewKey { name: name?, scopes: scopes?, seller, expires_at, per_minute, models })
    }
}

/// Checks the models a key is for: names as callers know them, whether or not there are such models now.
pub(super) fn key_models(models: &[String], violations: &mut Violations) -> Option<Vec<String>> {
    if models.len() > MODELS_MAX {
        violations.add("/models", "max_items", format!("must name at most {MODELS_MAX} models"));
        return None;
    }
    let check = |(at, model): (usize, &String)| violations.check(format!("/models/{at}"), text::line(model, 1, 100));
    let mut checked = models.iter().enumerate().map(check).collect::<Option<Vec<_>>>()?;
    checked.sort_unstable();
    checked.dedup();
    Some(checked)
}

/// Checks the name of a key.
pub(super) fn key_name(text: &str) -> Result<String, Breach> {
    text::line(text, 1, 100)
}

fn scopes(names: &[String], violations: &mut Violations) -> Option<Permissions> {
    let scopes = read_permissions(names, "/scopes", violations)?;
    if scopes.is_empty() {
        violations.add("/scopes", "min_items", "must name at least one permission");
        return None;
    }
    let never: Vec<_> = scopes.within(Permissions::NOT_FOR_KEYS).names().collect();
    if never.is_empty() {
        return Some(scopes);
    }
    violations.add("/scopes", "not_for_keys", format!("must not name {}, which no key may have", never.join(", ")));
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_breach_is_told_at_once() {
        let now = Timestamp::UNIX_EPOCH;
        let told = |input: &KeyInput| {
            let mut violations = Violations::default();
            assert_eq!(input.check(now, &mut violations), None);
            violations.iter().map(|one| format!("{} {}", one.field, one.rule)).collect::<Vec<_>>().join(", ")
        };
        assert_eq!(told(&KeyInput::default()), "/name required, /scopes required");
        let input = |scopes: &[&str]| KeyInput {
            name: Some(String::new()),
            scopes: Some(scopes.iter().map(|one| (*one).to_owned()).collect()),
            expires_at: Some(now),
            per_minute: Some(0),
            ..KeyInput::default()
        };
        assert_eq!(told(&input(&[])), "/name min_length, /scopes min_items, /expiresAt future, /callsPerMinute range");
        assert!(told(&input(&["keys:manage"])).contains("/scopes not_for_keys"));
        assert!(told(&input(&["audit:read", "*"])).contains("/scopes/1 enum"));
    }
}
