//! What the catalogue needs from outside.

use async_trait::async_trait;

use super::{
    Category, Product, Review, Slug,
    policy::Scope,
    queries::{
        BySlug, CategoryCount, ProductDetail, ProductFilter, ProductKey, ProductSort, ProductSummary, ProductView,
    },
};
use crate::{
    clock::Timestamp,
    error::Result,
    id::{CategoryId, ProductId, ReviewId, SellerId, UserId},
    page::{Limit, Page, PageRequest, Slice},
};

/// Whether a product could be stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stored {
    /// It is.
    Yes,
    /// There is no such category; told before the rest is looked at.
    NoCategory,
    /// Another product has its slug.
    SlugTaken,
    /// Another product of the seller has its sku; told before its slug is looked at.
    SkuTaken,
}

/// The write side of products. Deleted products keep neither slug nor sku from others.
#[async_trait]
pub trait ProductRepo: Send {
    /// Stores a new product with its pictures, if its category exists. When another product has its slug, it gets
    /// [`Slug::with_suffix`] of its id instead.
    async fn insert(&mut self, product: &mut Product) -> Result<Stored>;

    /// The product of that id, deleted or not, with its pictures.
    async fn find(&mut self, id: ProductId) -> Result<Option<Product>>;

    /// The products of these ids that are not deleted, in any order.
    async fn find_many(&mut self, ids: &[ProductId]) -> Result<Vec<Product>>;

    /// The products of a seller with one of these skus that are not deleted, in any order.
    async fn by_sku(&mut self, seller: SellerId, skus: &[String]) -> Result<Vec<Product>>;

    /// Replaces a product, except its stock and rating, if it still is as it was read: of the version of `before`.
    /// A changed slug leaves the old one in the history.
    ///
    /// # Errors
    /// [`crate::Error::Stale`] when it has another version by now.
    async fn update(&mut self, after: &Product, before: &Product) -> Result<Stored>;

    /// Adds `delta` pieces if what is on hand stays within zero and the most there can be, and gives the new number.
    /// With `expected`, only if exactly that many are on hand. `None` when a condition does not hold or the product is
    /// deleted.
    async fn add_stock(
        &mut self,
        id: ProductId,
        delta: i64,
        expected: Option<i64>,
        at: Timestamp,
    ) -> Result<Option<i64>>;

    /// Adds to the sum and count of a product's stars.
    async fn add_rating(&mut self, id: ProductId, sum: i64, count: i64) -> Result<()>;

    /// Moves every product of a category, deleted ones too, to another or to none, each one version on. Gives those
    /// moved that are not deleted.
    async fn move_category(
        &mut self,
        from: CategoryId,
        to: Option<CategoryId>,
        at: Timestamp,
    ) -> Result<Vec<ProductId>>;

    /// True when a product that is not deleted is in the category.
    async fn any_in(&mut self, category: CategoryId) -> Result<bool>;

    /// Removes for good up to `limit` products deleted before `before` that have no files, with all that hangs on them. Gives them as
    /// they were, each once over all transactions.
    async fn purge(&mut self, before: Timestamp, limit: u32) -> Result<Vec<Product>>;

    /// Holds a product against other writers of it until the transaction ends; nothing when there is none.
    async fn hold(&mut self, id: ProductId) -> Result<()>;

    /// Stores many new products at once, with their pictures. All or none: any taken slug or sku is an
    /// [`crate::Error::Conflict`], so the caller looks first.
    async fn insert_many(&mut self, products: &[Product]) -> Result<()>;

    /// Finds the words of these products anew, as far as they are there and not deleted, and gives how many had others.
    /// Versions stay as they are: what a product says of itself does not change.
    async fn reindex(&mut self, ids: &[ProductId]) -> Result<u64>;

    /// Which of these slugs are taken.
    async fn taken_slugs(&mut self, slugs: &[Slug]) -> Result<Vec<Slug>>;
}

/// The write side of the category tree.
#[async_trait]
pub trait CategoryRepo: Send {
    /// Stores a new category; `false` when its slug is taken.
    async fn insert(&mut self, category: &Category) -> Result<bool>;

    /// Stores many new categories at once, each behind the one above it. All or none: a taken slug is an
    /// [`crate::Error::Conflict`], so the caller looks first.
    async fn insert_many(&mut self, categories: &[Category]) -> Result<()>;

    /// The category of that id.
    async fn find(&mut self, id: CategoryId) -> Result<Option<Category>>;

    /// A number that is another whenever the tree is another, this transaction's own changes included.
    async fn version(&mut self) -> Result<u64>;

    /// Every category; the tree is small by nature.
    async fn all(&mut self) -> Result<Vec<Category>>;

    /// Replaces a category. When its path changed, the paths of all below it follow. `false` when its slug is taken.
    async fn update(&mut self, category: &Category, old_path: &str) -> Result<bool>;

    /// True when another category is directly below.
    async fn has_children(&mut self, id: CategoryId) -> Result<bool>;

    /// Removes a category that has neither products nor children.
    async fn delete(&mut self, id: CategoryId) -> Result<()>;

    /// Holds the shape of the tree until the transaction ends, so that two moves cannot make a ring.
    async fn lock_tree(&mut self) -> Result<()>;
}

/// The write side of reviews.
#[async_trait]
pub trait ReviewRepo: Send {
    /// Stores a new review; `false` when its author has one of this product already.
    async fn insert(&mut self, review: &Review) -> Result<bool>;

    /// Stores many new reviews at once. All or none: one whose author has one of the product already is an
    /// [`crate::Error::Conflict`].
    async fn insert_many(&mut self, reviews: &[Review]) -> Result<()>;

    /// The review of that id, held against other writers of it until the transaction ends: what is added to the
    /// rating is the difference to what is read here.
    async fn find(&mut self, id: ReviewId) -> Result<Option<Review>>;

    /// Replaces a review.
    async fn update(&mut self, review: &Review) -> Result<()>;

    /// Removes a review.
    async fn delete(&mut self, id: ReviewId) -> Result<()>;
}

/// The read side of products.
#[async_trait]
pub trait ProductQueries: Send + Sync {
    /// One product with everything around it, in one round trip.
    async fn get(&self, id: ProductId, scope: Scope) -> Result<Option<ProductDetail>>;

    /// The product of a slug, or the slug it has now.
    async fn by_slug(&self, slug: &Slug, scope: Scope) -> Result<Option<BySlug>>;

    /// A page with its exact total, both of one moment.
    async fn list(&self, filter: &ProductFilter, sort: ProductSort, page: PageRequest) -> Result<Page<ProductSummary>>;

    /// The stretch after a key.
    async fn slice(
        &self,
        filter: &ProductFilter,
        sort: ProductSort,
        after: Option<ProductKey>,
        limit: Limit,
    ) -> Result<Slice<ProductSummary, ProductKey>>;

    /// Those of these products that pass a filter, in any order. What the filter searches for is not looked at.
    async fn among(&self, ids: &[ProductId], filter: &ProductFilter) -> Result<Vec<ProductSummary>>;

    /// A page of deleted products that can be restored, newest deletion first.
    async fn deleted(&self, scope: Scope, page: PageRequest) -> Result<Page<ProductSummary>>;
}

/// The read side of the category tree.
#[async_trait]
pub trait CategoryQueries: Send + Sync {
    /// The whole tree, parents before children, siblings by rank, then name.
    async fn tree(&self) -> Result<Vec<CategoryCount>>;

    /// One category.
    async fn get(&self, id: CategoryId) -> Result<Option<CategoryCount>>;
}

/// The read side of reviews.
#[async_trait]
pub trait ReviewQueries: Send + Sync {
    /// A page of a product's reviews that are shown, newest first.
    async fn of_product(&self, product: ProductId, page: PageRequest) -> Result<Page<Review>>;

    /// One review.
    async fn get(&self, id: ReviewId) -> Result<Option<Review>>;
}

/// Keeps who saw which product last; telemetry, so without audit and event (ruling R22).
#[async_trait]
pub trait ViewLog: Send + Sync {
    /// Stores views; of several for the same person and product the latest counts. Unknown products are skipped.
    async fn store(&self, views: &[ProductView]) -> Result<()>;

    /// What a person saw, newest first.
    async fn of_user(&self, user: UserId, page: PageRequest) -> Result<Page<ProductView>>;
}
