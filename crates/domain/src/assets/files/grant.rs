//! Who may take the private files of a product away.

use super::{Library, events, may_manage};
use crate::{
    clock::Timestamp,
    error::{Error, Result},
    id::{GrantId, ProductId, UserId},
    page::{Page, PageRequest},
    permission::{Authorized, WriteProducts},
    shop::Shop,
};

/// That a person may take the files of a product away, for good or until it is taken back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Grant {
    /// Its id.
    pub id: GrantId,
    /// The product.
    pub product: ProductId,
    /// The person.
    pub user: UserId,
    /// Who gave it; `None` for the shop itself.
    pub by: Option<UserId>,
    /// Since when.
    pub created_at: Timestamp,
}

/// Grants somebody the files of a product; `false`, and nothing changes, when they have a grant already.
///
/// # Errors
/// Those of [`may_manage`]; [`Error::NotFound`] for nobody.
pub async fn give_grant(shop: &Shop, by: &Authorized<WriteProducts>, product: ProductId, user: UserId) -> Result<bool> {
    let principal = by.principal();
    shop.write("give_grant", |mut tx| async move {
        let found = tx.products().find(product).await?.ok_or(Error::NotFound("Product"))?;
        may_manage(principal, &found)?;
        tx.users().find(user).await?.ok_or(Error::NotFound("Person"))?;
        let grant = Grant { id: shop.id(), product, user, by: Some(principal.user), created_at: tx.now() };
        let fresh = tx.grants().insert(&grant).await?;
        if fresh {
            shop.record(&mut *tx, Some(principal.user), events::granted(&grant)).await?;
        }
        tx.commit(fresh).await
    })
    .await
}

/// Takes a grant back. Links that were made by it hold until their end.
///
/// # Errors
/// Those of [`may_manage`]; [`Error::NotFound`] when they have none.
pub async fn take_grant(shop: &Shop, by: &Authorized<WriteProducts>, product: ProductId, user: UserId) -> Result<()> {
    let principal = by.principal();
    shop.write("take_grant", |mut tx| async move {
        let found = tx.products().find(product).await?.ok_or(Error::NotFound("Product"))?;
        may_manage(principal, &found)?;
        let grant = tx.grants().remove(product, user).await?.ok_or(Error::NotFound("Grant"))?;
        shop.record(&mut *tx, Some(principal.user), events::taken(&grant)).await?;
        tx.commit(()).await
    })
    .await
}

/// The grants of a product, the newest first, for who may give them.
///
/// # Errors
/// Those of [`may_manage`].
pub async fn list_grants(
    shop: &Shop,
    library: &Library,
    by: &Authorized<WriteProducts>,
    product: ProductId,
    page: PageRequest,
) -> Result<Page<Grant>> {
    let mut tx = shop.store.begin().await?;
    let found = tx.products().find(product).await?;
    tx.rollback().await?;
    may_manage(by.principal(), &found.ok_or(Error::NotFound("Product"))?)?;
    library.queries.grants(product, page).await
}
