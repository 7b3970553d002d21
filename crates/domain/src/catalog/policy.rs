//! Who may see and change which product.

use super::{Product, ProductStatus, Review};
use crate::{
    actor::{Actor, Principal},
    error::{Error, Result},
    id::SellerId,
    identity::Sellers,
    permission::{ManageCatalog, ModerateReviews},
};

/// Which products a reader may know of. Every read takes one, so that lists, totals, search and single reads agree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// Published ones.
    Published,
    /// Published ones, and every one of these sellers, which are those one is a member of.
    Sellers(Sellers),
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
        if principal.may::<ManageCatalog>() {
            Self::All
        } else if principal.sellers == Sellers::NONE {
            Self::Published
        } else {
            Self::Sellers(principal.sellers)
        }
    }

    /// Published ones, and every one of this seller.
    pub fn seller(own: SellerId) -> Self {
        Self::Sellers(Sellers::one(own))
    }

    /// Whether a reader with this scope may know of a product that is not deleted.
    pub fn shows(self, seller: SellerId, status: ProductStatus) -> bool {
        match self {
            Self::All => true,
            Self::Sellers(own) if own.has(seller) => true,
            _ => status == ProductStatus::Published,
        }
    }
}

/// Whether a person may change or delete a product: members of its seller account may, and who may manage the catalogue,
/// as administrators do (ruling R10).
///
/// # Errors
/// [`Error::Forbidden`] when they may know that it exists, [`Error::NotFound`] when not.
pub fn may_change(principal: &Principal, product: &Product) -> Result<()> {
    if principal.may::<ManageCatalog>() || principal.sellers.has(product.seller) {
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
    if review.author == principal.user || principal.may::<ModerateReviews>() {
        return Ok(());
    }
    if review.hidden { Err(Error::NotFound("Review")) } else { Err(Error::forbidden("You cannot edit this review")) }
}

/// Whether a caller may read a review: its author and moderators may, hidden or not and whatever became of the product; everybody else
/// while it is shown, if they see its product (`sees`).
///
/// # Errors
/// [`Error::NotFound`], since who may not read it may not know of it either.
pub fn may_read_review(actor: &Actor, review: &Review, sees: bool) -> Result<()> {
    let own = actor.principal().is_some_and(|who| who.user == review.author || who.may::<ModerateReviews>());
    if own || (sees && !review.hidden) { Ok(()) } else { Err(Error::NotFound("Review")) }
}

/// Why somebody who names no seller account cannot sell.
pub(crate) fn which_seller(principal: &Principal) -> Error {
    Error::forbidden(if principal.sellers == Sellers::NONE {
        "Open a seller account first"
    } else {
        "You are a member of several seller accounts; say which one acts with the header Souk-Seller"
    })
}
