//! Providers and issuers against peers that behave as they do, or mean ill.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    reason = "all of this is tests"
)]

#[path = "../clock/mod.rs"]
mod clock;
mod issuers;
mod peer;
mod providers;

use std::sync::Arc;

use clock::Running;
use domain::testing::{FakeClock, SeededEntropy};
use souk_integrations::{
    client::{CallSettings, HttpClient},
    outside::Calls,
    resilience::{Dependencies, Kind, Terms},
};

/// What everything here calls with.
fn calls() -> (Calls, Arc<FakeClock>) {
    let clock = Arc::<FakeClock>::default();
    let client = HttpClient::new(CallSettings::default()).unwrap();
    // On a clock that stands still a timeout would be over at once, so calls are timed by one that goes.
    let once = Terms { attempts: 1, ..Terms::default() };
    let terms = [(Kind::Providers, once), (Kind::Issuers, once)].into();
    let dependencies = Dependencies::new(terms, Arc::new(Running), Arc::new(SeededEntropy::new(7)));
    let dependencies = Arc::new(dependencies);
    (Calls { client, clock: Arc::<FakeClock>::clone(&clock), dependencies }, clock)
}
