//! The ways into an account, of which the last is never taken away.

use crate::{error::Result, id::UserId, store::Tx};

/// How many ways lead into an account beside a password: passkeys, and identities elsewhere. Waits for whoever adds one or
/// takes one away just now.
pub(super) async fn doors(tx: &mut dyn Tx, user: UserId) -> Result<usize> {
    let passkeys = tx.passkeys().credentials(user).await?.len();
    Ok(passkeys + tx.foreign_ids().of(user).await?.len())
}
