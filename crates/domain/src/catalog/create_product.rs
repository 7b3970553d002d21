//! Creating a product.

use super::{Image, NewProduct, Product, Slug, Version, events, policy, ports::Stored, product::Rating};
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
/// [`Error::Forbidden`] without a seller account to act for, [`Error::Invalid`] for an unknown category,
/// [`Error::Conflict`] when the seller uses the sku already.
pub async fn create_product(
    shop: &Shop,
    by: Authorized<WriteProducts>,
    new: NewProduct,
    once: &Once<'_, Product>,
) -> Result<Outcome<Product>> {
    let principal = by.principal();
    let seller = principal.seller.ok_or_else(|| policy::which_seller(principal))?;
    let new = &new;
    shop.write_once("create_product", once, |mut tx| async move {
        let mut product = new.product(shop, seller);
        tx.products().insert(&mut product).await?.or_refused()?;
        shop.record(&mut *tx, Some(principal.user), events::created(&product)).await?;
        tx.commit(product).await
    })
    .await
}

pub(crate) fn unknown_category() -> Error {
    Error::invalid("/categoryId", "exists", "must be the id of a category; GET /api/v1/categories lists them")
}

impl Stored {
    /// The refusal a caller is told of.
    pub(super) fn or_refused(self) -> Result<()> {
        match self {
            Self::Yes => Ok(()),
            Self::NoCategory => Err(unknown_category()),
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
    urls.iter().map(|url| Image { id: shop.id::<ImageId>(), url: url.clone(), alt: None, picture: None }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Violations,
        catalog::{ProductInput, ProductStatus},
        idempotency::{Key, Reply},
        permission::Role,
        testing::Fixtures,
    };

    fn new(given: &Fixtures, with: impl FnOnce(&mut ProductInput)) -> NewProduct {
        let mut input = ProductInput {
            name: Some("Brass lamp".to_owned()),
            price: Some("19.95".to_owned()),
            images: vec!["https://example.com/1.jpg".to_owned(), "https://example.com/2.jpg".to_owned()],
            ..ProductInput::default()
        };
        with(&mut input);
        input.check(&given.shop.rules, &mut Violations::default()).unwrap()
    }

    #[tokio::test]
    async fn a_product_is_stored_with_audit_and_event() {
        let (given, store) = Fixtures::in_memory();
        let seller = given.seller().await;
        let by = given.authorized(&seller);
        let product = create_product(&given.shop, by, new(&given, |_| ()), &Once::always()).await.unwrap();
        let product = product.fresh().unwrap();
        assert_eq!(store.product(product.id).as_ref(), Some(&product));
        assert_eq!((product.slug.as_str(), product.price.0, product.version), ("brass-lamp", 1995, Version::FIRST));
        assert_eq!((product.status, product.images.len()), (ProductStatus::Published, 2));
        assert_eq!(store.traces(), [("product.create".to_owned(), "product.created".to_owned())]);
        let event = store.events().remove(0);
        assert_eq!((event.actor, event.entity.id), (Some(seller.user), product.id.0));
    }

    #[tokio::test]
    async fn a_taken_slug_gets_a_suffix_and_a_taken_sku_is_a_conflict() {
        let (given, store) = Fixtures::in_memory();
        let seller = given.seller().await;
        let sku = |input: &mut ProductInput| input.sku = Some("A-1".to_owned());
        let mut slugs = Vec::new();
        for new in [new(&given, sku), new(&given, |_| ())] {
            let by = given.authorized(&seller);
            let product = create_product(&given.shop, by, new, &Once::always()).await.unwrap();
            slugs.push(product.fresh().unwrap().slug);
        }
        assert!(slugs[1].as_str().starts_with("brass-lamp-"), "{slugs:?}");
        let again = create_product(&given.shop, given.authorized(&seller), new(&given, sku), &Once::always()).await;
        assert!(matches!(again, Err(Error::Conflict(_))), "{again:?}");
        assert_eq!(store.traces().len(), 2, "what failed left nothing");
    }

    #[tokio::test]
    async fn without_seller_account_or_with_an_unknown_category_nothing_is_written() {
        let (given, store) = Fixtures::in_memory();
        let admin = given.person(Role::Admin).await;
        let by = given.authorized(&admin);
        let refused = create_product(&given.shop, by, new(&given, |_| ()), &Once::always()).await;
        assert!(matches!(refused, Err(Error::Forbidden(_))), "{refused:?}");
        let seller = given.seller().await;
        let nowhere = new(&given, |input| input.category = Some(given.shop.id()));
        let refused = create_product(&given.shop, given.authorized(&seller), nowhere, &Once::always()).await;
        assert!(matches!(refused, Err(Error::Invalid(_))), "{refused:?}");
        assert_eq!(store.traces(), []);
    }

    #[tokio::test]
    async fn a_key_makes_it_happen_once() {
        let (given, store) = Fixtures::in_memory();
        let seller = given.seller().await;
        let key = Key { actor: Some(seller.user), operation: "create_product", key: "k".into(), fingerprint: [1; 32] };
        let render = |p: &Product| Reply { status: 201, headers: Vec::new(), body: p.id.to_string().into_bytes() };
        let once = Once { key: Some(key.clone()), render: &render };
        let send = async |once| create_product(&given.shop, given.authorized(&seller), new(&given, |_| ()), once).await;
        let first = send(&once).await.unwrap().fresh().unwrap();
        let Outcome::Replay(reply) = send(&once).await.unwrap() else { panic!("the second is a replay") };
        assert_eq!((reply.status, reply.body), (201, first.id.to_string().into_bytes()));
        let other = Once { key: Some(Key { fingerprint: [2; 32], ..key }), render: &render };
        assert!(matches!(send(&other).await, Err(Error::Unprocessable(_))));
        assert_eq!(store.traces().len(), 1);
        given.clock.advance(given.shop.rules.keep_keys + std::time::Duration::from_secs(1));
        assert!(send(&other).await.unwrap().fresh().is_some(), "an old key is free again");
    }

    #[tokio::test]
    async fn a_key_held_by_another_request_is_told() {
        let (given, store) = Fixtures::in_memory();
        let seller = given.seller().await;
        let key = Key { actor: Some(seller.user), operation: "create_product", key: "k".into(), fingerprint: [1; 32] };
        let mut other = given.tx().await;
        other.keys().claim(&key, given.shop.now()).await.unwrap();
        let render = |_: &Product| Reply { status: 201, headers: Vec::new(), body: Vec::new() };
        let once = Once { key: Some(key), render: &render };
        let by = given.authorized(&seller);
        let refused = create_product(&given.shop, by, new(&given, |_| ()), &once).await;
        assert!(matches!(refused, Err(Error::InFlight)), "{refused:?}");
        drop(other);
        assert_eq!(store.traces(), []);
    }
}
