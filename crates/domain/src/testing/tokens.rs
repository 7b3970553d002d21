//! Access tokens that anybody can read.

use std::time::Duration;

use crate::{
    behalf::Impersonator,
    clock::Timestamp,
    error::Result,
    id::{SessionId, UserId},
    identity::{
        Profile,
        ports::{AccessToken, Session, Tokens},
    },
};

/// How long a token lasts.
const LIFETIME: Duration = Duration::from_mins(15);

/// Tokens of the form `plain.<user>.<microseconds of its end>.<session>`, without a signature; those of operators who act as the user go
/// on with `.<operator>.<their session>`. A session need not be named: then it has the id of its person.
#[derive(Debug, Default, Clone, Copy)]
pub struct PlainTokens;

impl Tokens for PlainTokens {
    fn issue(&self, profile: &Profile, session: SessionId, latest: Timestamp, now: Timestamp) -> Result<AccessToken> {
        let expires_at = (now + LIFETIME).min(latest);
        let token = format!("plain.{}.{}.{session}", profile.user.id, expires_at.timestamp_micros());
        Ok(AccessToken { token, expires_at })
    }

    fn issue_to(
        &self,
        by: Impersonator,
        profile: &Profile,
        session: SessionId,
        until: Timestamp,
        _now: Timestamp,
    ) -> Result<AccessToken> {
        let (user, end) = (profile.user.id, until.timestamp_micros());
        let token = format!("plain.{user}.{end}.{session}.{}.{}", by.user, by.session);
        Ok(AccessToken { token, expires_at: until })
    }

    fn verify(&self, token: &str, now: Timestamp) -> Option<Session> {
        let mut parts = token.strip_prefix("plain.")?.split('.');
        let user: UserId = parts.next()?.parse().ok()?;
        let until = Timestamp::from_timestamp_micros(parts.next()?.parse().ok()?)?;
        let id = parts.next().map_or(Some(SessionId(user.0)), |id| id.parse().ok())?;
        let impersonator = match parts.next() {
            Some(user) => Some(Impersonator { user: user.parse().ok()?, session: parts.next()?.parse().ok()? }),
            None => None,
        };
        (now < until).then_some(Session { id, user, until, impersonator })
    }
}
