//! Why a language model did not answer.

use std::time::Duration;

/// Of which kind a failure is: it decides who is asked next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FaultClass {
    /// The provider wants to be asked less often.
    RateLimited,
    /// What was asked is longer than the model can read.
    ContextWindow,
    /// The provider will not answer that.
    ContentPolicy,
    /// The provider does not know us, or our account there is empty: for the operator to mend.
    Authentication,
    /// The provider found fault with what was asked.
    Refused,
    /// It is away, or failed.
    Unavailable,
    /// It took too long.
    Timeout,
    /// It broke off in the middle of its answer.
    Cut,
    /// What it answered cannot be read.
    InvalidAnswer,
}

impl FaultClass {
    /// Its name in the ledger and in metrics.
    pub fn name(self) -> &'static str {
        match self {
            Self::RateLimited => "rate_limited",
            Self::ContextWindow => "context_window",
            Self::ContentPolicy => "content_policy",
            Self::Authentication => "authentication",
            Self::Refused => "refused",
            Self::Unavailable => "unavailable",
            Self::Timeout => "timeout",
            Self::Cut => "cut",
            Self::InvalidAnswer => "invalid_answer",
        }
    }

    /// Whether the same deployment may do better in a moment.
    pub fn may_pass(self) -> bool {
        matches!(self, Self::RateLimited | Self::Unavailable)
    }

    /// Whether another deployment of the same model may do better.
    pub fn may_pass_elsewhere(self) -> bool {
        matches!(
            self,
            Self::RateLimited
                | Self::Authentication
                | Self::Unavailable
                | Self::Timeout
                | Self::Cut
                | Self::InvalidAnswer
        )
    }
}

/// Why a language model did not answer, or not to the end.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", .class.name())]
pub struct Fault {
    /// Of which kind.
    pub class: FaultClass,
    /// What may be told to whoever asked. Of [`FaultClass::Authentication`] never what the provider said.
    pub message: String,
    /// After which time to ask again, where the provider said so.
    pub retry_after: Option<Duration>,
    /// Whether the provider may have counted tokens for it.
    pub may_cost: bool,
}

impl Fault {
    /// One that cost nothing.
    pub fn new(class: FaultClass, message: impl Into<String>) -> Self {
        Self { class, message: message.into(), retry_after: None, may_cost: false }
    }

    /// One for which the provider may have counted tokens.
    #[must_use]
    pub fn costly(self) -> Self {
        Self { may_cost: true, ..self }
    }
}
