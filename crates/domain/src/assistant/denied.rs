//! Why nothing was answered.

use std::time::Duration;

use super::{Fault, Refusal};
use crate::error::Error;

/// Why nothing was answered: doors say each in the form of their protocol.
#[derive(Debug)]
pub enum Denied {
    /// No provider is configured.
    NotConfigured,
    /// There is no model of this name, or none that does this.
    UnknownModel(String),
    /// The API key is for other models.
    NotForKey(String),
    /// What is asked is longer than the model reads; about so many tokens of at most so many.
    TooLong {
        /// About how many tokens it has.
        tokens: u64,
        /// How many the model reads, with its answer.
        window: u64,
    },
    /// What is asked for is not known to the provider of the model.
    Unsupported {
        /// Which field asks for it.
        field: &'static str,
        /// What is wrong, for people.
        message: String,
    },
    /// Only what is kept was wanted, and nothing is.
    NotKept,
    /// A budget has no room for the most it could use.
    Budget(Refusal),
    /// A budget of money cannot be kept, since the model has no price.
    Unpriced(String),
    /// Too many calls; after this time one may be made again.
    Limited(Duration),
    /// The provider did not answer.
    Fault(Fault),
    /// A fault of ours, or of what we stand on.
    Error(Error),
}

impl From<Error> for Denied {
    fn from(error: Error) -> Self {
        Self::Error(error)
    }
}
