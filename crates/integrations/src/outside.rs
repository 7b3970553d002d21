//! Those who say elsewhere who somebody is: providers that people sign in with, and issuers whose tokens are believed.
//!
//! What both sign is verified in one place (`token.rs`), with keys that are fetched in one place (`authority.rs`).

mod authority;
mod cached;
mod claims;
mod discovery;
mod issuers;
mod keys;
mod presets;
mod provider;
mod providers;
mod token;
mod vouched;

pub use issuers::{IssuerSettings, TrustedIssuers};
pub use presets::{Endpoints, Preset};
pub use provider::{AppleKey, ProviderSettings};
pub use providers::ConfiguredProviders;

use crate::{
    client::{HttpClient, Target},
    resilience::Dependencies,
};

/// What they all call with.
#[derive(Clone)]
pub struct Calls {
    /// The one client.
    pub client: HttpClient,
    /// Tells the time.
    pub clock: std::sync::Arc<dyn domain::clock::Clock>,
    /// On which terms each is called.
    pub dependencies: std::sync::Arc<Dependencies>,
}

impl std::fmt::Debug for Calls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Calls")
    }
}

/// The algorithms that a signature may have: all of them need the private key of the issuer.
pub const ALGORITHMS: [&str; 9] = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA"];

/// An address that the operator wrote down.
///
/// # Errors
/// For what is none.
pub(crate) fn of_operator(address: &str) -> domain::Result<Target> {
    Target::of_operator(address).map_err(domain::Error::internal)
}
