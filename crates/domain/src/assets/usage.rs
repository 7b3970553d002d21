//! How much is kept for whom, and how much may be.

use crate::{
    error::{Error, Result},
    id::{SellerId, UserId},
    store::Tx,
};

/// For whom bytes are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Holder {
    /// The person who brought them.
    Person(UserId),
    /// The seller account they were brought for.
    Seller(SellerId),
}

/// Most bytes that are kept for each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quotas {
    /// For a person.
    pub person: u64,
    /// For a seller account.
    pub seller: u64,
}

impl Default for Quotas {
    fn default() -> Self {
        Self { person: 20 << 30, seller: 100 << 30 }
    }
}

impl Quotas {
    /// Most bytes for this one.
    pub fn of(&self, holder: Holder) -> u64 {
        match holder {
            Holder::Person(_) => self.person,
            Holder::Seller(_) => self.seller,
        }
    }
}

/// Counts bytes for all of these, in the transaction that refers to them. What is brought twice counts twice, though it lies
/// once: what somebody may still bring must not depend on what others have.
///
/// # Errors
/// [`Error::TooLarge`] when it is more than one of them may keep; nothing is left of the transaction then.
pub async fn charge(tx: &mut dyn Tx, holders: &[Holder], bytes: u64, quotas: &Quotas) -> Result<()> {
    for holder in holders {
        let most = quotas.of(*holder);
        if !tx.usage().charge(*holder, bytes, most).await? {
            let whose = match holder {
                Holder::Person(_) => "of what you uploaded",
                Holder::Seller(_) => "of this seller account",
            };
            return Err(Error::TooLarge(format!(
                "At most {most} bytes {whose} are kept; delete files first, or ask who runs this shop for more"
            )));
        }
    }
    Ok(())
}
