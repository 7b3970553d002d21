//! A product as JSON: in a list, after a change, and read alone.

use std::borrow::Cow;

use chrono::{DateTime, Utc};
use domain::{
    catalog::{Product, ProductStatus, Version, queries::ProductDetail},
    shop::Rules,
};
use serde::Serialize;
use serde_json::{Map, Value, value::RawValue};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    around::{CategoryRefView, ImageView, address},
    metadata::Metadata,
    number::price,
    rating::RatingView,
    review::ReviewView,
    status::StatusView,
};

/// What every view of a product shows.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ProductCore<'a> {
    /// Its id.
    pub id: Uuid,
    /// The account that sells it.
    pub seller_id: Uuid,
    /// The category it is in.
    pub category_id: Option<Uuid>,
    /// The seller's own number for it.
    #[schema(example = "LAMP-1")]
    pub sku: Option<&'a str>,
    /// Its name.
    #[schema(example = "Reading lamp")]
    pub name: &'a str,
    /// Its name in URLs.
    #[schema(example = "reading-lamp")]
    pub slug: &'a str,
    /// What it is.
    #[schema(example = "Brass, with a green shade")]
    pub description: &'a str,
    /// What it costs, in major units.
    #[schema(value_type = f64, example = 19.95)]
    pub price: Box<RawValue>,
    /// The currency of the price.
    #[schema(example = "EUR")]
    pub currency: &'static str,
    /// Pieces on hand.
    #[schema(example = 12, minimum = 0)]
    pub stock: i64,
    /// Where it stands in its life.
    #[schema(value_type = StatusView)]
    pub status: ProductStatus,
    /// What else there is to say of it.
    #[schema(value_type = Metadata)]
    pub metadata: &'a Map<String, Value>,
    /// What buyers think.
    pub rating: RatingView,
    /// How often it was changed, from 1.
    #[schema(value_type = i64, example = 1, minimum = 1)]
    pub version: Version,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
}

impl<'a> ProductCore<'a> {
    fn new(product: &'a Product, rules: &Rules) -> Self {
        let currency = rules.currency;
        Self {
            id: product.id.0,
            seller_id: product.seller.0,
            category_id: product.category.map(|category| category.0),
            sku: product.sku.as_deref(),
            name: &product.name,
            slug: product.slug.as_str(),
            description: &product.description,
            price: price(currency, product.price),
            currency: currency.code(),
            stock: product.stock,
            status: product.status,
            metadata: &product.metadata,
            rating: RatingView::from(product.rating),
            version: product.version,
            created_at: product.created_at,
            updated_at: product.updated_at,
        }
    }
}

/// A product as lists show it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ProductItem)]
pub struct ProductItem<'a> {
    /// The product.
    #[serde(flatten)]
    pub core: ProductCore<'a>,
    /// The address of its first picture.
    #[schema(example = "https://example.com/lamp.jpg")]
    pub image: Option<Cow<'a, str>>,
}

impl<'a> ProductItem<'a> {
    /// The view of a product in a list.
    pub fn new(product: &'a Product, rules: &Rules) -> Self {
        Self {
            core: ProductCore::new(product, rules),
            image: product.images.first().map(|image| address(image, rules)),
        }
    }
}

/// A product with its pictures.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Product)]
pub struct ProductFull<'a> {
    /// The product.
    #[serde(flatten)]
    pub core: ProductCore<'a>,
    /// Its pictures, in order.
    pub images: Vec<ImageView<'a>>,
}

impl<'a> ProductFull<'a> {
    /// The view of a product after a change.
    pub fn new(product: &'a Product, rules: &Rules) -> Self {
        let image = |image| ImageView::new(product.id, image, rules);
        Self { core: ProductCore::new(product, rules), images: product.images.iter().map(image).collect() }
    }
}

/// A product with everything around it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ProductDetail)]
pub struct ProductDetailView<'a> {
    /// The product with its pictures.
    #[serde(flatten)]
    pub product: ProductFull<'a>,
    /// The category it is in.
    pub category: Option<CategoryRefView<'a>>,
    /// The newest reviews, at most 5.
    pub reviews: Vec<ReviewView<'a>>,
}

impl<'a> ProductDetailView<'a> {
    /// The view of a product read alone.
    pub fn new(detail: &'a ProductDetail, rules: &Rules) -> Self {
        Self {
            product: ProductFull::new(&detail.product, rules),
            category: detail.category.as_ref().map(CategoryRefView::from),
            reviews: detail.reviews.iter().map(ReviewView::from).collect(),
        }
    }
}
