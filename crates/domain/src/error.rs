//! The one error of the domain, free of any transport.

use std::time::Duration;

/// What a use case or a port answers.
pub type Result<T, E = Error> = std::result::Result<T, E>;

type Source = Box<dyn std::error::Error + Send + Sync>;

/// Why something was not done. `Display` is safe to show to the caller and never prints the source: the chain is
/// logged once, where the error is handled.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The thing named does not exist, or the caller may not know that it does.
    #[error("{0} not found")]
    NotFound(&'static str),
    /// The command contradicts what is stored; the message says what and how to mend it.
    #[error("{0}")]
    Conflict(String),
    /// Another request holds this idempotency key just now.
    #[error("A request with this Idempotency-Key is in flight; retry later")]
    InFlight,
    /// The input breaks rules; every breach is listed.
    #[error("Validation failed")]
    Invalid(Violations),
    /// Somebody else changed the thing since the caller read it.
    #[error("{0} was modified by another user")]
    Stale(&'static str),
    /// Nobody is signed in.
    #[error("Authentication required")]
    Unauthenticated,
    /// Sign-in was tried and failed; one message for every cause, so that accounts cannot be probed.
    #[error("Invalid email or password")]
    BadCredentials,
    /// Sign-in with a code was tried and failed; one message for every cause.
    #[error("Invalid email or code, or the code has ended; ask for a new one")]
    BadCode,
    /// A second factor or a passkey was tried and failed; one message for every cause.
    #[error("{0}")]
    NotProven(&'static str),
    /// Somebody is signed in who may do this, but proved too long ago who they are. These are the ways to do so anew.
    #[error("Prove first that it is still you, then do this again")]
    NotFresh(Vec<&'static str>),
    /// Somebody is signed in who may not do this.
    #[error("{0}")]
    Forbidden(String),
    /// Too many calls; the caller may come back after this time.
    #[error("Too many requests")]
    Limited(Duration),
    /// The request is well formed but cannot be carried out as it stands, such as a reused idempotency key.
    #[error("{0}")]
    Unprocessable(String),
    /// What is brought is more than may be; the message says how much may.
    #[error("{0}")]
    TooLarge(String),
    /// The store of files has no room.
    #[error("There is no room left for files")]
    Full(#[source] Source),
    /// A dependency is away or overloaded; a retry may help.
    #[error("{what} is temporarily unavailable")]
    Unavailable {
        /// The dependency.
        what: &'static str,
        /// What it said.
        source: Source,
    },
    /// A whole attempt may succeed when it is run again: serialization failure, deadlock, busy database.
    #[error("Temporary conflict, please retry")]
    Transient(#[source] Source),
    /// A fault of ours.
    #[error("Internal error")]
    Internal(#[source] Source),
}

impl Error {
    /// A fault of ours with its cause.
    pub fn internal(source: impl Into<Source>) -> Self {
        Self::Internal(source.into())
    }

    /// A conflict with its message.
    pub fn conflict(message: impl Into<String>) -> Self {
        Self::Conflict(message.into())
    }

    /// A refusal with its message.
    pub fn forbidden(message: impl Into<String>) -> Self {
        Self::Forbidden(message.into())
    }

    /// One broken rule of one body field.
    pub fn invalid(pointer: impl Into<String>, rule: &'static str, message: impl Into<String>) -> Self {
        let mut violations = Violations::default();
        violations.add(pointer, rule, message);
        Self::Invalid(violations)
    }
}

impl From<Violations> for Error {
    fn from(violations: Violations) -> Self {
        Self::Invalid(violations)
    }
}

/// One breach of one rule.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Violation {
    /// Where: a JSON pointer into the body (`/price`), or the name of a parameter.
    pub field: String,
    /// Which rule, stable and machine readable, such as `max_length`.
    pub rule: &'static str,
    /// What is wrong and what would be right, for people.
    pub message: String,
}

/// Every breach found in one input; the first breach of a field wins.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Violations(Vec<Violation>);

impl Violations {
    /// Notes a breach, unless the field has one already.
    pub fn add(&mut self, field: impl Into<String>, rule: &'static str, message: impl Into<String>) {
        let field = field.into();
        if !self.0.iter().any(|seen| seen.field == field) {
            self.0.push(Violation { field, rule, message: message.into() });
        }
    }

    /// Keeps the value of a check, or notes its breach under `field`.
    pub fn check<T>(&mut self, field: impl Into<String>, checked: Result<T, Breach>) -> Option<T> {
        match checked {
            Ok(value) => Some(value),
            Err(breach) => {
                self.add(field, breach.rule, breach.message);
                None
            }
        }
    }

    /// Notes that a required field is absent.
    pub fn missing<T>(&mut self, field: impl Into<String>) -> Option<T> {
        self.add(field, "required", "is required");
        None
    }

    /// True when no rule is broken.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The breaches in the order found.
    pub fn iter(&self) -> impl Iterator<Item = &Violation> {
        self.0.iter()
    }

    /// `Ok` when no rule is broken.
    pub fn into_result(self) -> Result<()> {
        if self.is_empty() { Ok(()) } else { Err(self.into()) }
    }
}

impl std::fmt::Display for Violations {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (i, v) in self.0.iter().enumerate() {
            let separator = if i == 0 { "" } else { "; " };
            write!(f, "{separator}{} {}", v.field, v.message)?;
        }
        Ok(())
    }
}

/// A broken rule that does not know yet which field it belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Breach {
    /// Which rule, such as `max_length`.
    pub rule: &'static str,
    /// What is wrong and what would be right.
    pub message: String,
}

impl Breach {
    /// A breach of `rule`.
    pub fn new(rule: &'static str, message: impl Into<String>) -> Self {
        Self { rule, message: message.into() }
    }
}
