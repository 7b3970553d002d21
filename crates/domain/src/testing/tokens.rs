//! Access tokens that anybody can read.

use std::time::Duration;

use crate::{
    clock::Timestamp,
    error::Result,
    id::UserId,
    identity::{
        Profile,
        ports::{AccessToken, Tokens},
    },
};

/// How long a token lasts.
const LIFETIME: Duration = Duration::from_mins(15);

/// Tokens of the form `plain.<user>.<microseconds of its end>`, without a signature.
#[derive(Debug, Default, Clone, Copy)]
pub struct PlainTokens;

impl Tokens for PlainTokens {
    fn issue(&self, profile: &Profile, now: Timestamp) -> Result<AccessToken> {
        let expires_at = now + LIFETIME;
        let token = format!("plain.{}.{}", profile.user.id, expires_at.timestamp_micros());
        Ok(AccessToken { token, expires_at })
    }

    fn verify(&self, token: &str, now: Timestamp) -> Option<UserId> {
        let (user, end) = token.strip_prefix("plain.")?.split_once('.')?;
        let end: i64 = end.parse().ok()?;
        (now.timestamp_micros() < end).then(|| user.parse().ok())?
    }
}
