//! Filling a shop with products and their reviews at once, for trials and for the demo.
//!
//! What is made cannot be told from what clients make: the same rules, an audit row and an event for each product,
//! category and review. Products that are there already stay as they are, so that a second run changes nothing.

use std::collections::HashSet;

use super::{ImportRow, KnownCategories, NewProduct, NewReview, Product, ProductStatus, Rating, Review, Slug, events};
use crate::{
    error::{Error, Result},
    id::{ReviewId, UserId},
    identity::ports::Owner,
    shop::Shop,
    store::Tx,
};

/// A product to put on the shelves, with what buyers say of it.
#[derive(Debug, Clone)]
pub struct Goods {
    /// The product; found again by its sku.
    pub row: ImportRow,
    /// Who thinks what of it: at most one of each person, and none of a product that is not published.
    pub reviews: Vec<(UserId, NewReview)>,
}

/// What became of a batch.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Stocked {
    /// Products made.
    pub created: u64,
    /// Products that were there, in whatever state.
    pub present: u64,
    /// Reviews made.
    pub reviews: u64,
}

/// Stocks a batch for one seller account, in one transaction: products, their ratings and their reviews, or nothing. For
/// the operator at the command line, who needs no permission inside the shop.
///
/// `known` is what earlier batches saw of the category tree; it grows with this one.
///
/// # Errors
/// Those of the store; [`Error::Conflict`] when two of the batch have one sku or a person reviews a product twice.
pub async fn stock_shop(shop: &Shop, owner: Owner, goods: &[Goods], known: &mut KnownCategories) -> Result<Stocked> {
    let before = &*known;
    let (done, after) = shop
        .write("stock_shop", |mut tx| async move {
            let mut known = before.clone();
            plant(shop, &mut *tx, owner.user, goods, &mut known).await?;
            let done = shelve(shop, &mut *tx, owner, goods, &known).await?;
            tx.commit((done, known)).await
        })
        .await?;
    *known = after;
    Ok(done)
}

/// Finds or makes the categories of a batch, in the name of `by`.
pub(crate) async fn plant(
    shop: &Shop,
    tx: &mut dyn Tx,
    by: UserId,
    goods: &[Goods],
    known: &mut KnownCategories,
) -> Result<()> {
    let mut changes = Vec::new();
    known.know(shop, tx, goods.iter().map(|goods| goods.row.path.as_slice()), &mut changes).await?;
    for change in changes {
        shop.record(tx, Some(by), change).await?;
    }
    Ok(())
}

/// Stores the products of a batch that are not there yet, with their reviews.
pub(crate) async fn shelve(
    shop: &Shop,
    tx: &mut dyn Tx,
    owner: Owner,
    goods: &[Goods],
    known: &KnownCategories,
) -> Result<Stocked> {
    let skus: Vec<String> = goods.iter().map(|goods| goods.row.sku.clone()).collect();
    let present = tx.products().by_sku(owner.seller, &skus).await?;
    let present: HashSet<&str> = present.iter().filter_map(|product| product.sku.as_deref()).collect();
    let (mut products, mut reviews) = (Vec::new(), Vec::new());
    for goods in goods.iter().filter(|goods| !present.contains(goods.row.sku.as_str())) {
        let category = known.find(&goods.row.path);
        let mut product = NewProduct { category, ..goods.row.new.clone() }.product(shop, owner.seller);
        if product.status == ProductStatus::Published {
            let told = goods.reviews.iter().map(|(author, new)| review(shop, &product, *author, new));
            let told: Vec<Review> = told.collect();
            product.rating = rating(&told);
            reviews.extend(told);
        }
        products.push(product);
    }
    make_slugs_unique(tx, &mut products).await?;
    // What was free a statement ago was taken by another writer: the batch runs again, and finds it.
    tx.products().insert_many(&products).await.map_err(|error| match error {
        Error::Conflict(message) => Error::Transient(message.into()),
        other => other,
    })?;
    tx.reviews().insert_many(&reviews).await?;
    for product in &products {
        shop.record(tx, Some(owner.user), events::created(product)).await?;
    }
    for review in &reviews {
        shop.record(tx, Some(review.author), events::review::created(review)).await?;
    }
    let count = |length: usize| u64::try_from(length).unwrap_or(u64::MAX);
    Ok(Stocked {
        created: count(products.len()),
        present: count(goods.len() - products.len()),
        reviews: count(reviews.len()),
    })
}

async fn make_slugs_unique(tx: &mut dyn Tx, products: &mut [Product]) -> Result<()> {
    let slugs: Vec<Slug> = products.iter().map(|product| product.slug.clone()).collect();
    let mut taken: HashSet<Slug> = tx.products().taken_slugs(&slugs).await?.into_iter().collect();
    for product in products {
        if !taken.insert(product.slug.clone()) {
            product.slug = product.slug.with_suffix(product.id.0);
            taken.insert(product.slug.clone());
        }
    }
    Ok(())
}

fn review(shop: &Shop, product: &Product, author: UserId, new: &NewReview) -> Review {
    Review {
        id: shop.id::<ReviewId>(),
        product: product.id,
        author,
        stars: new.stars,
        comment: new.comment.clone(),
        hidden: false,
        created_at: product.created_at,
        updated_at: product.created_at,
    }
}

fn rating(reviews: &[Review]) -> Rating {
    Rating {
        sum: reviews.iter().map(|review| i64::from(review.stars)).sum(),
        count: i64::try_from(reviews.len()).unwrap_or(i64::MAX),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Violations,
        catalog::{ImportInput, ProductInput, ReviewInput},
        permission::Role,
        testing::Fixtures,
    };

    fn goods(shop: &Shop, sku: &str, status: ProductStatus, reviews: &[(UserId, i32)]) -> Goods {
        let product = ProductInput {
            sku: Some(sku.to_owned()),
            name: Some("Brass lamp".to_owned()),
            price: Some("19.95".to_owned()),
            status: Some(status),
            ..ProductInput::default()
        };
        let category = Some(vec!["Home".to_owned(), "Lamps".to_owned()]);
        let row = ImportInput { line: 1, product, category, ..ImportInput::default() }.check(&shop.rules).unwrap();
        let said = |stars| ReviewInput { stars: Some(stars), comment: None }.check(&mut Violations::default()).unwrap();
        Goods { row, reviews: reviews.iter().map(|(author, stars)| (*author, said(*stars))).collect() }
    }

    #[tokio::test]
    async fn products_come_with_their_reviews_once() {
        let (given, store) = Fixtures::in_memory();
        let member = given.seller().await;
        let owner = Owner { seller: member.seller.unwrap(), user: member.user };
        let (ada, bob) = (given.person(Role::User).await.user, given.person(Role::User).await.user);
        let batch = [
            goods(&given.shop, "1", ProductStatus::Published, &[(ada, 5), (bob, 2)]),
            goods(&given.shop, "2", ProductStatus::Draft, &[(ada, 1)]),
        ];
        let mut known = KnownCategories::default();
        let done = stock_shop(&given.shop, owner, &batch, &mut known).await.unwrap();
        assert_eq!(done, Stocked { created: 2, present: 0, reviews: 2 });
        let kinds: Vec<String> = store.traces().into_iter().map(|(action, _)| action).collect();
        let expected = [
            "category.create",
            "category.create",
            "product.create",
            "product.create",
            "review.create",
            "review.create",
        ];
        assert_eq!(kinds, expected);
        let events = store.events();
        assert_eq!((events[2].actor, events[4].actor, events[5].actor), (Some(member.user), Some(ada), Some(bob)));
        let stored = |place: usize| store.product(events[place].entity.id.into()).unwrap();
        assert_eq!(stored(2).rating, Rating { sum: 7, count: 2 });
        assert_eq!((stored(3).rating, stored(3).status), (Rating::default(), ProductStatus::Draft));
        assert!(stored(2).category.is_some() && stored(3).slug.as_str().starts_with("brass-lamp-"));

        let again = stock_shop(&given.shop, owner, &batch, &mut known).await.unwrap();
        assert_eq!(again, Stocked { created: 0, present: 2, reviews: 0 });
        assert_eq!(store.events().len(), 6);
    }

    #[tokio::test]
    async fn nothing_stays_of_a_batch_that_fails() {
        let (given, store) = Fixtures::in_memory();
        let member = given.seller().await;
        let owner = Owner { seller: member.seller.unwrap(), user: member.user };
        let ada = given.person(Role::User).await.user;
        let batch = [
            goods(&given.shop, "1", ProductStatus::Published, &[]),
            goods(&given.shop, "2", ProductStatus::Published, &[(ada, 5), (ada, 4)]),
        ];
        let refused = stock_shop(&given.shop, owner, &batch, &mut KnownCategories::default()).await;
        assert!(matches!(refused, Err(Error::Conflict(_))), "{refused:?}");
        assert_eq!(store.traces(), []);
    }
}
