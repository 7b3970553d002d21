//! What whoever made a batch may do, as it is when a line is asked.

use std::sync::Arc;

use super::{Batch, LineFault};
use crate::{
    access::Keys,
    actor::{Actor, Principal},
    clock::Timestamp,
    error::Result,
    identity::Known,
    permission::{Authorized, UseAssistant},
    secrets::Mac,
};

/// Knows who people and their keys are now.
#[derive(Clone)]
pub struct Rights {
    /// Who callers are.
    pub known: Arc<Known>,
    /// What keys are known by.
    pub mac: Arc<dyn Mac>,
}

impl std::fmt::Debug for Rights {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Rights(..)")
    }
}

impl Rights {
    /// The proof that the batch may go on, or why it may not.
    ///
    /// # Errors
    /// When that cannot be known at present.
    pub(super) async fn of(
        &self,
        batch: &Batch,
        now: Timestamp,
    ) -> Result<std::result::Result<Authorized<UseAssistant>, LineFault>> {
        let gone = |message: &str| Ok(Err(LineFault::new("not_authorized", message)));
        let principal = match batch.owner.key {
            Some(key) => {
                let keys = Keys { known: &self.known, mac: &*self.mac };
                match keys.still(key, now).await? {
                    Some(caller) => caller.principal,
                    None => return gone("The API key of this batch was deleted or has ended"),
                }
            }
            None => match self.known.person(batch.owner.user).await? {
                Some(person) => person,
                None => return gone("Whoever made this batch is suspended or deleted"),
            },
        };
        let principal = match batch.seller {
            None => Principal { seller: None, ..principal },
            Some(seller) => match principal.acting_for(seller) {
                Ok(principal) => principal,
                Err(_) => return gone("Whoever made this batch is no member of the seller account any more"),
            },
        };
        match Actor::Signed(principal).authorize::<UseAssistant>() {
            Ok(proof) => Ok(Ok(proof)),
            Err(error) => gone(&format!("Whoever made this batch may not ask models any more: {error}")),
        }
    }
}
