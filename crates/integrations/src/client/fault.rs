//! Why a call failed.

use std::time::Duration;

use domain::Error;

use crate::resilience::Refused;

/// Why a call failed. `Display` tells nothing of what was sent, and of an address its host at most.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// The address is none that may be called; the reason is fit for whoever supplied it.
    #[error("{0}")]
    Address(&'static str),
    /// The name leads to no address, or only to addresses inside.
    #[error("the host cannot be called: it is unknown or inside")]
    Host,
    /// It was redirected too often, or out of what the operator configured.
    #[error("the answer leads elsewhere")]
    Redirect,
    /// The answer was longer than this many bytes.
    #[error("the answer has more than {0} bytes")]
    TooLarge(usize),
    /// It took longer than this.
    #[error("the answer took longer than {} s", .0.as_secs_f32())]
    TimedOut(Duration),
    /// The other side is away, or broke off.
    #[error("the other side is away or broke off")]
    Away(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// No call was made, or none went on for long enough.
    #[error("{0}")]
    Refused(#[from] Refused),
    /// The request cannot be sent by anybody, such as for a header with a line break.
    #[error("the request cannot be sent")]
    Request(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl CallError {
    /// What it is to a use case: `what` is away, or the fault is ours.
    pub fn into_domain(self, what: &'static str) -> Error {
        match self {
            Self::Request(source) => Error::Internal(source),
            source => Error::Unavailable { what, source: Box::new(source) },
        }
    }

    /// Whether the same call may succeed later.
    pub fn may_pass(&self) -> bool {
        matches!(self, Self::TimedOut(_) | Self::Away(_) | Self::Host | Self::Refused(_))
    }

    /// Whether nothing was sent, for want of somebody to send it to.
    pub(crate) fn is_unsent(&self) -> bool {
        match self {
            Self::Host => true,
            Self::Away(source) => source.downcast_ref::<reqwest::Error>().is_some_and(reqwest::Error::is_connect),
            _ => false,
        }
    }

    /// What the library says, with what our resolver said within it.
    pub(super) fn of(error: reqwest::Error) -> Self {
        let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(&error);
        while let Some(one) = cause {
            if one.is::<super::resolver::Inside>() {
                return Self::Host;
            }
            cause = one.source();
        }
        // The address may hold what is secret.
        let error = error.without_url();
        if error.is_builder() { Self::Request(Box::new(error)) } else { Self::Away(Box::new(error)) }
    }
}
