//! Reading files: which of them somebody sees, and which they may take away.

use std::sync::Arc;

use super::{
    Link, Links, ProductFile, policy,
    ports::{FileQueries, FoundFile},
};
use crate::{
    actor::Actor,
    clock::Timestamp,
    error::{Error, Result},
    id::{FileId, ProductId, SellerId},
    page::{Page, PageRequest},
};

/// What reading files stands on.
#[derive(Clone)]
pub struct Library {
    /// Reads files and grants.
    pub queries: Arc<dyn FileQueries>,
    /// Makes and reads links.
    pub links: Links,
}

impl std::fmt::Debug for Library {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Library(..)")
    }
}

impl Library {
    /// A file that this caller may take away, by who they are or by a link.
    ///
    /// # Errors
    /// [`Error::NotFound`] also for one that is not theirs; [`Error::Forbidden`] for a link that does not hold.
    pub async fn take(&self, actor: &Actor, id: FileId, link: Option<&Link>, now: Timestamp) -> Result<ProductFile> {
        if let Some(link) = link {
            // A link is looked at first: a wrong one says nothing of whether there is such a file.
            if !self.links.holds(id, link, now) {
                return Err(Error::forbidden("This link does not hold, or does not any more; ask for another"));
            }
            return Ok(self.queries.get(id).await?.ok_or(Error::NotFound("File"))?.file);
        }
        let found = self.queries.get(id).await?.ok_or(Error::NotFound("File"))?;
        if self.may_take(actor, &found).await? { Ok(found.file) } else { Err(Error::NotFound("File")) }
    }

    async fn may_take(&self, actor: &Actor, found: &FoundFile) -> Result<bool> {
        if policy::may_take(actor, found, false) {
            return Ok(true);
        }
        let Some(principal) = actor.principal() else { return Ok(false) };
        Ok(self.queries.grant_of(found.file.product, principal.user).await?.is_some())
    }
}

/// The files of a product that this caller sees: all of them, or the public ones. Whether they see the product was asked before.
///
/// # Errors
/// Those of the database.
pub async fn list_files(
    library: &Library,
    actor: &Actor,
    (product, seller): (ProductId, SellerId),
    page: PageRequest,
) -> Result<Page<ProductFile>> {
    let mut all = policy::sees_all(actor, seller);
    if let (false, Some(principal)) = (all, actor.principal()) {
        all = library.queries.grant_of(product, principal.user).await?.is_some();
    }
    library.queries.list(product, all, page).await
}
