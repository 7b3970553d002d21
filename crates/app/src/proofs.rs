//! What second factors and passkeys stand on.

use std::sync::Arc;

use api::Proofs;
use credentials::{Hotp, KeyedHash, Seal, WebAuthn};
use domain::{
    Error, Result,
    identity::{Factors, Passkeys, passkeys::ports::Ceremonies},
};

use crate::{config::Config, foundation::Foundation};

/// What second factors and passkeys stand on.
///
/// # Errors
/// For addresses that passkeys cannot be bound to.
pub(crate) fn proofs(config: &Config, foundation: &Foundation) -> Result<Proofs> {
    let database = &foundation.database;
    let (sealer, mac) =
        (Arc::<Seal>::clone(&foundation.seal), Arc::new(KeyedHash::new(&foundation.master, "factors")?));
    let factors = Factors {
        sealer: Arc::<Seal>::clone(&sealer),
        mac: Arc::<KeyedHash>::clone(&mac),
        codes: Arc::new(Hotp),
        issuer: config.mail.shop.clone(),
        fresh: config.identity.fresh,
    };
    let passkeys = Passkeys { ceremonies: ceremonies(config)?, sealer, mac };
    Ok(Proofs { factors, ways: database.factors(), passkeys, passkey_list: database.passkeys() })
}

fn ceremonies(config: &Config) -> Result<Option<Arc<dyn Ceremonies>>> {
    let bound = &config.passkeys;
    if bound.domain.is_empty() {
        return Ok(None);
    }
    let made = WebAuthn::new(&bound.domain, &bound.origins, &config.mail.shop);
    let made = made.map_err(|fault| Error::internal(format!("passkeys.origins: {fault}")))?;
    Ok(Some(Arc::new(made)))
}
