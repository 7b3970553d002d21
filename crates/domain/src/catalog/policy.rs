//! Who may see and change which product.

use super::{Product, ProductStatus, Review};
use crate::{
    actor::{Actor, Principal},
    error::{Error, Result},
    id::SellerId,
    permission::{ModerateReviews, Permission},
};

/// Which products a reader may know of. Every read takes one, so that lists, totals, search and single reads agree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// Published ones.
    Published,
    /// Published ones, and every one of this seller.
    Seller(SellerId),
    /// All.
    All,
}

impl Scope {
    /// What this caller may know of.
    pub fn of(actor: &Actor) -> Self {
        actor.principal().map_or(Self::Published, Self::of_principal)
    }

    /// What this person may know of.
    pub fn of_principal(principal: &Principal) -> Self {
        match principal.seller {
            _ if principal.is_admin() => Self::All,
            Some(seller) => Self::Seller(seller),
            None => Self::Published,
        }
    }

    /// Whether a reader with this scope may know of a product that is not deleted.
    pub fn shows(self, seller: SellerId, status: ProductStatus) -> bool {
        match self {
            Self::All => true,
            Self::Seller(own) if own == seller => true,
            _ => status == ProductStatus::Published,
        }
    }
}

/// Whether a person may change or delete a product: its seller and administrators may (ruling R10).
///
/// # Errors
/// [`Error::Forbidden`] when they may know that it exists, [`Error::NotFound`] when not.
pub fn may_change(principal: &Principal, product: &Product) -> Result<()> {
    if principal.is_admin() || principal.seller == Some(product.seller) {
        return Ok(());
    }
    if product.status == ProductStatus::Published && product.deleted.is_none() {
        Err(Error::forbidden("You cannot edit this product"))
    } else {
        Err(Error::NotFound("Product"))
    }
}

/// Whether a person may change or delete a review: its author and moderators may.
///
/// # Errors
/// [`Error::Forbidden`] when they may know that it exists, [`Error::NotFound`] when not.
pub fn may_change_review(principal: &Principal, review: &Review) -> Result<()> {
    if review.author == principal.user || principal.roles.highest() >= ModerateReviews::ROLE {
        return Ok(());
    }
    if review.hidden { Err(Error::NotFound("Review")) } else { Err(Error::forbidden("You cannot edit this review")) }
}
