//! Bringing an object to a library.

use super::{Address, Library, Object, events, library::enter, ports::LibraryQueries};
use crate::{
    assets::{Digest, Holder, Kept, Storeroom, Terms, charge, ports::Reach},
    error::{Error, Result},
    id::{LibraryId, SellerId, UserId},
    permission::{Authorized, WriteProducts},
    shop::Shop,
    store::Tx,
};

/// How many bytes an object of a library has; `None` when it does not lie there.
///
/// # Errors
/// [`Error::NotFound`] for the library, where they may not enter.
pub async fn find_object(
    libraries: &dyn LibraryQueries,
    by: &Authorized<WriteProducts>,
    at: &Address,
    digest: Digest,
) -> Result<Option<u64>> {
    let Some(library) = library_of(libraries, by, at).await? else { return Ok(None) };
    Ok(libraries.sizes(library.id, &[digest]).await?.first().map(|(_, size)| *size))
}

/// The library of an address; `None` when nothing was brought there yet.
///
/// # Errors
/// [`Error::NotFound`], where they may not enter.
pub async fn library_of(
    libraries: &dyn LibraryQueries,
    by: &Authorized<WriteProducts>,
    at: &Address,
) -> Result<Option<Library>> {
    let seller = enter(by.principal(), libraries.account(&at.seller).await?)?;
    libraries.find(seller, &at.name).await
}

/// On which terms the caller may bring an object, before its bytes come.
///
/// # Errors
/// [`Error::NotFound`] for the library, where they may not enter; [`Error::TooLarge`] when there is no room.
pub async fn admit_object(
    shop: &Shop,
    room: &Storeroom,
    libraries: &dyn LibraryQueries,
    by: &Authorized<WriteProducts>,
    at: &Address,
    digest: Digest,
    size: Option<u64>,
) -> Result<Terms> {
    let seller = enter(by.principal(), libraries.account(&at.seller).await?)?;
    let rules = &shop.rules.assets;
    let holders = [Holder::Person(by.principal().user), Holder::Seller(seller)];
    let left = room.left(&rules.quotas, &holders, size.unwrap_or(0)).await?;
    Ok(Terms { size, digest: Some(digest), ..Terms::at_most(rules.file_max.min(left)) })
}

/// Adds an object whose bytes were put away to a library, which begins with it. One that lies there already changes nothing.
///
/// # Errors
/// Those of [`admit_object`].
pub async fn keep_object(shop: &Shop, by: &Authorized<WriteProducts>, at: &Address, kept: &Kept) -> Result<()> {
    let who = by.principal();
    shop.write("keep_lfs_object", |mut tx| async move {
        let account = tx.sellers().by_slug(&at.seller).await?.map(|owner| owner.seller);
        let seller = enter(who, account)?;
        let library = open(shop, &mut *tx, seller, at, who.user).await?;
        let object = Object {
            library: library.id,
            seller,
            digest: kept.digest(),
            size: kept.size,
            added_by: who.user,
            added_at: tx.now(),
        };
        if tx.libraries().add(&object).await? {
            charge(&mut *tx, &object.holders(), object.size, &shop.rules.assets.quotas).await?;
            tx.blobs().hold(kept, Reach::Private).await?;
            shop.record(&mut *tx, Some(who.user), events::object_added(&library, &object)).await?;
        }
        tx.commit(()).await
    })
    .await
}

/// The library of an address, which begins if there was none.
pub(super) async fn open(shop: &Shop, tx: &mut dyn Tx, seller: SellerId, at: &Address, by: UserId) -> Result<Library> {
    if let Some(library) = tx.libraries().find(seller, &at.name).await? {
        return Ok(library);
    }
    let library = Library { id: shop.id::<LibraryId>(), seller, name: at.name.clone(), created_at: shop.now() };
    if !tx.libraries().insert(&library).await? {
        return Err(Error::Transient("the library was begun by another writer".into()));
    }
    shop.record(tx, Some(by), events::created(&library)).await?;
    Ok(library)
}
