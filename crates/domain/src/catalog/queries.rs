//! What readers of the catalogue ask and get.

use super::{Category, Product, Review, Slug, Statuses, policy::Scope};
use crate::{
    clock::Timestamp,
    id::{CategoryId, ProductId, SellerId},
    money::Amount,
    text::Search,
};

/// How many of the newest reviews a single product comes with (CAT-06).
pub const LATEST_REVIEWS: u32 = 5;

/// Which products to list; every part given must match.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProductFilter {
    /// What the reader may know of.
    pub scope: Scope,
    /// The statuses, as asked for within the scope.
    pub statuses: Statuses,
    /// Words in name or description.
    pub search: Option<Search>,
    /// In this category or below it.
    pub category: Option<CategoryId>,
    /// Of this seller.
    pub seller: Option<SellerId>,
    /// Costs at least this.
    pub min_price: Option<Amount>,
    /// Costs at most this.
    pub max_price: Option<Amount>,
}

impl ProductFilter {
    /// All products a reader of this scope finds in the open lists.
    pub fn published(scope: Scope) -> Self {
        Self {
            scope,
            statuses: Statuses::PUBLISHED,
            search: None,
            category: None,
            seller: None,
            min_price: None,
            max_price: None,
        }
    }
}

/// What a list is sorted by; ties are broken by id, in the same direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SortBy {
    /// When it was made.
    CreatedAt,
    /// Its price.
    Price,
}

/// A direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// Smallest first.
    Ascending,
    /// Greatest first.
    Descending,
}

/// How a list of products is sorted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProductSort {
    /// By what.
    pub by: SortBy,
    /// In which direction.
    pub order: Order,
}

/// The place of one product in a sorted list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProductKey {
    /// Its creation moment in microseconds since 1970, or its price in minor units.
    pub value: i64,
    /// Its id.
    pub id: ProductId,
}

impl ProductKey {
    /// The place of `product` in a list sorted by `by`.
    pub fn of(product: &Product, by: SortBy) -> Self {
        let value = match by {
            SortBy::CreatedAt => product.created_at.timestamp_micros(),
            SortBy::Price => product.price.0,
        };
        Self { value, id: product.id }
    }
}

/// A product as lists show it: with its first picture only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProductSummary {
    /// The product, with at most one picture.
    pub product: Product,
}

/// A product with everything around it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProductDetail {
    /// The product, with all its pictures.
    pub product: Product,
    /// The category it is in.
    pub category: Option<CategoryRef>,
    /// The newest reviews, at most [`LATEST_REVIEWS`].
    pub reviews: Vec<Review>,
}

/// A category named beside a product.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct CategoryRef {
    /// Its id.
    pub id: CategoryId,
    /// Its name.
    pub name: String,
    /// Its name in URLs.
    pub slug: String,
}

/// What a slug leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BySlug {
    /// The product of that slug.
    Here(Box<ProductDetail>),
    /// A product that had this slug before and has this one now.
    Moved(Slug),
}

/// A category with how many published products are in it, not counting those below.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CategoryCount {
    /// The category.
    pub category: Category,
    /// Published products directly in it.
    pub products: u64,
}

/// One sight of a product by a person who is signed in (CAT-07).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProductView {
    /// What was seen.
    pub product: ProductId,
    /// By whom.
    pub user: crate::id::UserId,
    /// When.
    pub at: Timestamp,
}
