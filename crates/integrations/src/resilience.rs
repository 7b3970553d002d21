//! What stands between us and everybody we call: how long a call may take, how often it is tried, and when none is made.
//!
//! A [`Dependency`] is somebody we call, under a name. One that is slow or away holds up nobody but those who need it, and
//! of those only so many and for so long; one that is on its way back is not buried under what was held up meanwhile.

mod backoff;
mod breaker;
mod budget;
mod bulkhead;
mod dependency;
mod meter;
mod pace;
mod registry;
mod terms;
#[cfg(test)]
mod tests;

pub use breaker::BreakerTerms;
pub use dependency::{Class, Dependency, Refused, Repeat};
pub use registry::{Dependencies, Kind};
pub use terms::Terms;
