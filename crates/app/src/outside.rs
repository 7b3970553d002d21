//! The wiring of those who say elsewhere who somebody is, and of the client that calls them.

use std::sync::Arc;

use api::Outside;
use credentials::Seal;
use domain::{Error, Result, identity::Gate};
use integrations::{
    client::{CallSettings, HttpClient},
    outside::{Calls, ConfiguredProviders, TrustedIssuers},
};

use crate::{config::Config, foundation::Foundation};

/// The client of all calls out.
///
/// # Errors
/// For certificates that cannot be read.
pub(crate) fn client(config: &Config) -> Result<HttpClient> {
    HttpClient::new(calls(config)?)
}

/// How all calls out behave.
///
/// # Errors
/// For certificates that cannot be read.
pub(crate) fn calls(config: &Config) -> Result<CallSettings> {
    let mut settings = config.calls.settings.clone();
    if let Some(file) = &config.calls.roots {
        let read = std::fs::read(file);
        settings.extra_roots = read.map_err(|fault| Error::internal(format!("{}: {fault}", file.display())))?;
    }
    Ok(settings)
}

/// What people stand on who prove elsewhere who they are.
///
/// # Errors
/// Those of [`client`].
pub(crate) fn outside(config: &Config, foundation: &Foundation) -> Result<Outside> {
    let clock = Arc::clone(&foundation.shop.clock);
    let calls = Calls { client: client(config)?, clock, dependencies: Arc::clone(&foundation.dependencies) };
    let gate = Gate {
        providers: Arc::new(ConfiguredProviders::new(&calls, config.outside.providers.clone())?),
        sealer: Arc::<Seal>::clone(&foundation.seal),
        mac: Arc::new(foundation.mac("sign_in_steps")?),
        // Without a public address there are no providers.
        public: config.public.url.clone().unwrap_or_default(),
    };
    let issuers = Arc::new(TrustedIssuers::new(&calls, config.outside.issuers.clone())?);
    Ok(Outside { gate, issuers, ids: foundation.database.foreign_ids() })
}
