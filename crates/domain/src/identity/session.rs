//! Sessions: what a sign-in makes, and what ends it.

use std::time::Duration;

use super::{Method, Methods};
use crate::{
    behalf::Impersonator,
    clock::Timestamp,
    id::{SessionId, UserId},
};

/// Most characters of what is kept of a device or an address.
const LABEL_MAX: usize = 100;

/// How long sessions last, and how many a person has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionRules {
    /// The longest a session lasts, however much it is used.
    pub longest: Duration,
    /// After so long without a refresh it is over.
    pub idle: Duration,
    /// For so long after its use a refresh token is answered with the same successor again (ruling R35).
    pub grace: Duration,
    /// Most sessions of one person; the sign-in beyond ends the one that was used least lately. 1 is one at a time.
    pub most: u32,
    /// How long a guest lasts, and the one session they have, unless they become a user; `None` where nobody is taken for one.
    pub guest: Option<Duration>,
}

impl Default for SessionRules {
    fn default() -> Self {
        Self {
            longest: Duration::from_hours(30 * 24),
            idle: Duration::from_hours(7 * 24),
            grace: Duration::from_secs(10),
            most: 100,
            guest: Some(Duration::from_hours(90 * 24)),
        }
    }
}

impl SessionRules {
    /// The longest a session lasts that was begun by these ways. A guest has no other way in than their session.
    pub(super) fn longest(&self, methods: Methods) -> Duration {
        self.guest.filter(|_| methods.has(Method::Anonymous)).unwrap_or(self.longest)
    }

    fn idle(&self, methods: Methods) -> Duration {
        self.guest.filter(|_| methods.has(Method::Anonymous)).unwrap_or(self.idle)
    }
}

/// Where a person signs in from, as they told us.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Client {
    /// What they use, such as `Firefox on Linux`, at most 100 characters.
    pub device: Option<String>,
    /// The address they come from, at most 100 characters.
    pub address: Option<String>,
}

impl Client {
    /// Who sends this `User-Agent` from this address.
    pub fn new(user_agent: Option<&str>, address: Option<String>) -> Self {
        Self {
            device: user_agent.and_then(device),
            address: address.map(|text| text.chars().take(LABEL_MAX).collect()),
        }
    }
}

/// A sign-in that lasts: one family of refresh tokens, each of which is good once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredSession {
    /// Its id, which its access tokens bear as `sid`.
    pub id: SessionId,
    /// Whose it is.
    pub user: UserId,
    /// What its refresh tokens are made from, with a key that is not in the database.
    pub family: [u8; 32],
    /// Which refresh token of the family is good now, counted from 0.
    pub generation: u32,
    /// When that one was given.
    pub rotated_at: Timestamp,
    /// Where it is used from.
    pub client: Client,
    /// When the person signed in.
    pub created_at: Timestamp,
    /// When they last proved who they are: then, or anew since.
    pub authenticated_at: Timestamp,
    /// By which ways they did.
    pub methods: Methods,
    /// When it was last refreshed.
    pub last_used_at: Timestamp,
    /// Without a refresh it is over then; never after `expires_at`.
    pub idle_until: Timestamp,
    /// It is over then in any case.
    pub expires_at: Timestamp,
    /// When the last of its access tokens ends.
    pub tokens_until: Timestamp,
    /// When and why it was ended before its time.
    pub ended: Option<(Timestamp, EndReason)>,
    /// The operator who acts as the person, if it is such a session: it cannot be refreshed.
    pub impersonation: Option<Impersonation>,
}

/// Why an operator acts as somebody else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Impersonation {
    /// Who.
    pub by: Impersonator,
    /// Why, for the person and for those who may see sessions. It goes with the session: a text of an operator may name people.
    pub reason: String,
}

impl StoredSession {
    /// Whether it can still be refreshed.
    pub fn is_live(&self, now: Timestamp) -> bool {
        self.ended.is_none() && now < self.idle_until && now < self.expires_at
    }

    /// When nothing of it holds any more, had it not been ended.
    pub fn over_at(&self) -> Timestamp {
        self.idle_until.max(self.tokens_until)
    }

    /// It is used now.
    pub(super) fn touch(&mut self, now: Timestamp, rules: &SessionRules) {
        self.last_used_at = now;
        self.idle_until = (now + rules.idle(self.methods)).min(self.expires_at);
    }
}

/// Why a session was ended before its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EndReason {
    /// The person signed out.
    SignedOut,
    /// The person ended it from elsewhere.
    Revoked,
    /// A refresh token was used a second time: somebody else may have it.
    Reused,
    /// The person signed in more often than the shop allows.
    Replaced,
    /// The password is another.
    PasswordChanged,
    /// The person may not come in any more.
    Banned,
    /// An operator ended it.
    ByOperator,
}

impl EndReason {
    const ALL: [Self; 7] = [
        Self::SignedOut,
        Self::Revoked,
        Self::Reused,
        Self::Replaced,
        Self::PasswordChanged,
        Self::Banned,
        Self::ByOperator,
    ];

    /// The name stored and told.
    pub fn name(self) -> &'static str {
        match self {
            Self::SignedOut => "signed_out",
            Self::Revoked => "revoked",
            Self::Reused => "reused",
            Self::Replaced => "replaced",
            Self::PasswordChanged => "password_changed",
            Self::Banned => "banned",
            Self::ByOperator => "by_operator",
        }
    }

    /// The reason of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.name() == name)
    }
}

/// What a browser or program calls itself, for people to know their devices by.
fn device(user_agent: &str) -> Option<String> {
    const PROGRAMS: [(&str, &str); 8] = [
        ("Edg", "Edge"),
        ("OPR/", "Opera"),
        ("SamsungBrowser", "Samsung Internet"),
        ("Firefox/", "Firefox"),
        ("FxiOS/", "Firefox"),
        ("CriOS/", "Chrome"),
        ("Chrome/", "Chrome"),
        ("Safari/", "Safari"),
    ];
    const SYSTEMS: [(&str, &str); 7] = [
        ("iPhone", "iPhone"),
        ("iPad", "iPad"),
        ("Android", "Android"),
        ("Windows", "Windows"),
        ("Mac OS X", "macOS"),
        ("CrOS", "ChromeOS"),
        ("Linux", "Linux"),
    ];
    let found = |known: &[(&str, &'static str)]| {
        known.iter().find(|(sign, _)| user_agent.contains(sign)).map(|(_, name)| *name)
    };
    let program = if let Some(program) = found(&PROGRAMS) {
        program.to_owned()
    } else {
        let first = user_agent.split_whitespace().next()?.split('/').next().unwrap_or_default();
        first.chars().filter(|c| !c.is_control()).take(LABEL_MAX / 2).collect()
    };
    match (program.is_empty(), found(&SYSTEMS)) {
        (true, _) => None,
        (false, Some(system)) => Some(format!("{program} on {system}")),
        (false, None) => Some(program),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_has_a_name_that_people_know() {
        for (sent, known) in [
            ("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", Some("Firefox on Linux")),
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 \
                 Safari/537.36 Edg/140.0",
                Some("Edge on Windows"),
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) \
                 Version/18.0 Mobile/15E148 Safari/604.1",
                Some("Safari on iPhone"),
            ),
            ("curl/8.14.1", Some("curl")),
            ("\u{7}", None),
            ("", None),
        ] {
            assert_eq!(Client::new(Some(sent), None).device.as_deref(), known, "{sent}");
        }
        let long = Client::new(Some(&"x".repeat(5000)), Some("9".repeat(5000)));
        assert_eq!((long.device.unwrap().len(), long.address.unwrap().len()), (50, 100));
    }

    #[test]
    fn a_reason_reads_back() {
        for reason in EndReason::ALL {
            assert_eq!(EndReason::named(reason.name()), Some(reason));
        }
        assert_eq!(EndReason::named("boredom"), None);
    }
}
