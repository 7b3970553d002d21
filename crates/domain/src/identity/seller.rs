//! A seller account: what products belong to (ruling R29).

use crate::{clock::Timestamp, id::SellerId};

/// A seller account. Whoever opens one is its first owner ([`crate::organisation`]).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seller {
    /// Its id.
    pub id: SellerId,
    /// The name shown to buyers, 1 to 100 characters.
    pub name: String,
    /// Its name in URLs, unique in the installation.
    pub slug: String,
    /// When it was opened.
    pub created_at: Timestamp,
}
