//! Creating a product.

use super::{Image, NewProduct, Product, Slug, Version, events, ports::Stored, product::Rating};
use crate::{
    error::{Error, Result},
    id::{ImageId, ProductId, SellerId},
    idempotency::{Once, Outcome},
    permission::{Authorized, WriteProducts},
    shop::Shop,
};

/// Creates a product of the caller's seller account: the product, its pictures, the audit row and the event, in one
/// transaction.
///
/// # Errors
/// [`Error::Forbidden`] without a seller account, [`Error::Invalid`] for an unknown category,
/// [`Error::Conflict`] when the seller uses the sku already.
pub async fn create_product(
    shop: &Shop,
    by: Authorized<WriteProducts>,
    new: NewProduct,
    once: &Once<'_, Product>,
) -> Result<Outcome<Product>> {
    let principal = by.principal();
    let seller = principal.seller.ok_or_else(|| Error::forbidden("Open a seller account first"))?;
    let new = &new;
    shop.write_once("create_product", once, |mut tx| async move {
        if let Some(category) = new.category
            && tx.categories().find(category).await?.is_none()
        {
            return Err(unknown_category());
        }
        let mut product = new.product(shop, seller);
        let mut stored = tx.products().insert(&product).await?;
        if stored == Stored::SlugTaken {
            product.slug = product.slug.with_suffix(product.id.0);
            stored = tx.products().insert(&product).await?;
        }
        stored.or_conflict()?;
        shop.record(&mut *tx, Some(principal.user), events::created(&product)).await?;
        tx.commit(product).await
    })
    .await
}

pub(super) fn unknown_category() -> Error {
    Error::invalid("/categoryId", "exists", "must be the id of a category; GET /api/v1/categories lists them")
}

impl Stored {
    /// The conflict a caller is told of.
    pub(super) fn or_conflict(self) -> Result<()> {
        match self {
            Self::Yes => Ok(()),
            Self::SlugTaken => Err(Error::conflict("Another product has this slug; retry")),
            Self::SkuTaken => Err(Error::conflict("Another product of this seller has this sku; choose another")),
        }
    }
}

impl NewProduct {
    /// The product as it will be stored, with a new id and the slug of its name.
    pub(super) fn product(&self, shop: &Shop, seller: SellerId) -> Product {
        let now = shop.now();
        Product {
            id: shop.id::<ProductId>(),
            seller,
            category: self.category,
            sku: self.sku.clone(),
            name: self.name.clone(),
            slug: Slug::of(&self.name),
            description: self.description.clone(),
            price: self.price,
            stock: self.stock,
            status: self.status,
            metadata: self.metadata.clone(),
            images: images(shop, &self.images),
            rating: Rating::default(),
            version: Version::FIRST,
            created_at: now,
            updated_at: now,
            deleted: None,
        }
    }
}

/// New pictures with these addresses.
pub(super) fn images(shop: &Shop, urls: &[String]) -> Vec<Image> {
    urls.iter().map(|url| Image { id: shop.id::<ImageId>(), url: url.clone(), alt: None }).collect()
}
