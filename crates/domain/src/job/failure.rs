//! Why an attempt failed, as its handler sees it.

use crate::error::Error;

/// Why an attempt failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// Another attempt may succeed.
    Retry(String),
    /// No attempt will ever succeed: the job is dead at once.
    GiveUp(String),
}

impl Failure {
    /// The reason, for operators.
    pub fn reason(&self) -> &str {
        match self {
            Self::Retry(reason) | Self::GiveUp(reason) => reason,
        }
    }
}

/// What is wrong with the command itself stays wrong; everything else may pass.
impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let reason = error.to_string();
        match error {
            Error::NotFound(_) | Error::Invalid(_) | Error::Forbidden(_) | Error::Unprocessable(_) => {
                Self::GiveUp(reason)
            }
            _ => Self::Retry(reason),
        }
    }
}
