//! Providers and issuers against peers that behave as they do, or mean ill.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    reason = "all of this is tests"
)]

mod issuers;
mod peer;
mod providers;

use std::sync::Arc;

use domain::testing::FakeClock;
use souk_integrations::{
    client::{CallSettings, HttpClient},
    outside::Calls,
};

/// What everything here calls with.
fn calls() -> (Calls, Arc<FakeClock>) {
    let clock = Arc::<FakeClock>::default();
    let client = HttpClient::new(CallSettings::default()).unwrap();
    (Calls { client, clock: Arc::<FakeClock>::clone(&clock) }, clock)
}
