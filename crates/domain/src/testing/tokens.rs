//! Access tokens that anybody can read.

use std::time::Duration;

use crate::{
    clock::Timestamp,
    error::Result,
    identity::{
        Profile,
        ports::{AccessToken, Session, Tokens},
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

    fn verify(&self, token: &str, now: Timestamp) -> Option<Session> {
        let (user, end) = token.strip_prefix("plain.")?.split_once('.')?;
        let until = Timestamp::from_timestamp_micros(end.parse().ok()?)?;
        (now < until).then(|| user.parse().ok().map(|user| Session { user, until }))?
    }
}
