//! Who may do what with the files of a product.

use super::ports::FoundFile;
use crate::{
    actor::{Actor, Principal},
    catalog::{Product, ProductStatus, policy::may_change},
    error::{Error, Result},
    id::SellerId,
    permission::ManageCatalog,
};

/// Whether somebody may add and remove files of a product, and grant them: who may change the product may.
///
/// # Errors
/// Those of [`may_change`]; [`Error::NotFound`] for one that is deleted.
pub fn may_manage(principal: &Principal, product: &Product) -> Result<()> {
    may_change(principal, product)?;
    if product.deleted.is_some() { Err(Error::NotFound("Product")) } else { Ok(()) }
}

/// Whether somebody sees every file of a seller's products without a grant.
pub fn sees_all(actor: &Actor, seller: SellerId) -> bool {
    actor.principal().is_some_and(|one| one.may::<ManageCatalog>() || one.sellers.has(seller))
}

/// Whether somebody may take a file away. A grant holds on when the product is not shown any more.
pub(super) fn may_take(actor: &Actor, found: &FoundFile, granted: bool) -> bool {
    let shown = found.product == Some(ProductStatus::Published);
    granted || sees_all(actor, found.file.seller) || (found.file.is_public() && shown)
}
