//! Who says elsewhere who somebody is.

use integrations::outside::{IssuerSettings, ProviderSettings};

use super::{Reader, issuers, oauth};

/// Who says elsewhere who somebody is.
#[derive(Debug, Clone)]
pub(crate) struct Outside {
    /// The providers people sign in with.
    pub(crate) providers: Vec<ProviderSettings>,
    /// The issuers whose tokens are believed.
    pub(crate) issuers: Vec<IssuerSettings>,
}

impl Outside {
    pub(crate) fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let (providers, issuers) = (oauth::read(reader), issuers::read(reader));
        Some(Self { providers: providers?, issuers: issuers? })
    }
}
