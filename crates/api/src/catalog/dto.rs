//! What the catalogue looks like in JSON.

use chrono::{DateTime, Utc};
use domain::{
    catalog::{
        Image, Product, ProductInput, ProductPatch, ProductStatus, Rating, Version,
        queries::{CategoryRef, ProductDetail},
    },
    id::CategoryId,
    money::{Amount, Currency},
    shop::Rules,
};
use serde::Serialize;
use serde_json::{Map, Value, value::RawValue};
use utoipa::{
    ToSchema,
    openapi::schema::{Object, OneOf, Schema, Type},
};
use uuid::Uuid;

use super::review_dto::ReviewView;
use crate::body::{Fields, Given};

/// A product of a new kind.
#[derive(Debug, ToSchema)]
#[schema(as = NewProduct)]
#[serde(rename_all = "camelCase")]
pub struct NewProductBody {
    /// Its name; how long it may be is a setting, 3 to 100 characters by default.
    #[schema(example = "Reading lamp", min_length = 3, max_length = 100)]
    pub name: String,
    /// What it is.
    #[schema(example = "Brass, with a green shade", max_length = 1000)]
    pub description: Option<String>,
    /// What it costs in major units of the shop's currency, greater than 0, exact to the minor unit.
    #[schema(example = 19.95, exclusive_minimum = 0)]
    pub price: f64,
    /// Pieces on hand; 0 when absent.
    #[schema(example = 12, minimum = 0, maximum = 2_147_483_647)]
    pub stock: Option<i64>,
    /// The category.
    pub category_id: Option<Uuid>,
    /// The seller's own number for it, unique within the seller.
    #[schema(example = "LAMP-1", min_length = 1, max_length = 64)]
    pub sku: Option<String>,
    /// Addresses of pictures, in order.
    #[schema(example = json!(["https://example.com/lamp.jpg"]), max_items = 10)]
    pub images: Option<Vec<String>>,
    /// What else there is to say of it.
    #[schema(value_type = Option<Object>, example = json!({"colour": "green"}))]
    pub metadata: Option<Map<String, Value>>,
    /// Where it stands in its life; published when absent.
    pub status: Option<StatusView>,
}

/// The life of a product.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[schema(as = ProductStatus, example = "published")]
#[serde(rename_all = "lowercase")]
pub enum StatusView {
    /// Seen by its seller only.
    Draft,
    /// Seen by everybody.
    Published,
    /// Taken out of the lists by its seller.
    Archived,
}

/// The names of [`StatusView`].
pub const STATUS_NAMES: &str = "draft, published, archived";

/// Reads a [`NewProductBody`].
pub fn new_product(fields: &mut Fields<'_>) -> ProductInput {
    ProductInput {
        name: fields.text("name"),
        description: fields.text("description"),
        price: fields.number("price").map(ToOwned::to_owned),
        stock: fields.integer("stock"),
        category: fields.uuid("categoryId").map(CategoryId),
        sku: fields.text("sku"),
        images: fields.texts("images").unwrap_or_default(),
        metadata: fields.object("metadata").unwrap_or_default(),
        status: fields.choice("status", ProductStatus::named, STATUS_NAMES),
    }
}

/// A change of a product: what is absent stays.
#[derive(Debug, ToSchema)]
#[schema(as = ProductPatch)]
#[serde(rename_all = "camelCase")]
pub struct ProductPatchBody {
    /// A new name.
    #[schema(example = "Reading lamp, large", min_length = 3, max_length = 100, nullable = false)]
    pub name: Option<String>,
    /// A new description.
    #[schema(max_length = 1000, nullable = false)]
    pub description: Option<String>,
    /// A new price in major units.
    #[schema(example = 24.5, exclusive_minimum = 0, nullable = false)]
    pub price: Option<f64>,
    /// A new number of pieces on hand.
    #[schema(minimum = 0, maximum = 2_147_483_647, nullable = false)]
    pub stock: Option<i64>,
    /// Another category; null takes it out of its category.
    pub category_id: Option<Uuid>,
    /// Another number; null takes it away.
    #[schema(min_length = 1, max_length = 64)]
    pub sku: Option<String>,
    /// Pictures in place of the old ones.
    #[schema(example = json!(["https://example.com/lamp-2.jpg"]), max_items = 10, nullable = false)]
    pub images: Option<Vec<String>>,
    /// Metadata in place of the old.
    #[schema(value_type = Option<Object>, example = json!({"colour": "red"}), nullable = false)]
    pub metadata: Option<Map<String, Value>>,
    /// Another status.
    #[schema(nullable = false)]
    pub status: Option<StatusView>,
    /// The version the change was made for; another one by now is a conflict.
    #[schema(example = 3, minimum = 1, nullable = false)]
    pub version: Option<i64>,
}

/// Reads a [`ProductPatchBody`]: the change and the version it was made for.
pub fn product_patch(fields: &mut Fields<'_>, rules: &Rules) -> (ProductPatch, Option<Version>) {
    fields.of_a_change();
    let mut patch = ProductPatch::default();
    if let Some(name) = fields.text("name") {
        patch.name(&name, rules, &mut fields.violations);
    }
    if let Some(description) = fields.text("description") {
        patch.description(&description, &mut fields.violations);
    }
    if let Some(price) = fields.number("price") {
        patch.price(price, rules, &mut fields.violations);
    }
    if let Some(stock) = fields.integer("stock") {
        patch.stock(stock, &mut fields.violations);
    }
    match fields.uuid_or_null("categoryId") {
        Given::Absent => {}
        Given::Null => patch.category(None),
        Given::Value(id) => patch.category(Some(CategoryId(id))),
    }
    match fields.text_or_null("sku") {
        Given::Absent => {}
        Given::Null => patch.sku(None, &mut fields.violations),
        Given::Value(sku) => patch.sku(Some(&sku), &mut fields.violations),
    }
    if let Some(images) = fields.texts("images") {
        patch.images(images, &mut fields.violations);
    }
    if let Some(metadata) = fields.object("metadata") {
        patch.metadata(metadata, &mut fields.violations);
    }
    if let Some(status) = fields.choice("status", ProductStatus::named, STATUS_NAMES) {
        patch.status(status);
    }
    (patch, fields.integer("version").map(Version))
}

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
    #[schema(value_type = Object, example = json!({"colour": "green"}))]
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
    fn new(product: &'a Product, currency: Currency) -> Self {
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

/// An amount as an exact JSON number.
fn price(currency: Currency, amount: Amount) -> Box<RawValue> {
    number(currency.format(amount))
}

fn number(text: String) -> Box<RawValue> {
    RawValue::from_string(text).unwrap_or_default()
}

/// What buyers think of a product.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Rating)]
pub struct RatingView {
    /// The mean of all stars, rounded to two digits; null without reviews.
    #[schema(value_type = Option<f64>, example = 4.33, minimum = 1, maximum = 5)]
    pub average: Option<Box<RawValue>>,
    /// How many reviews are shown.
    #[schema(example = 3, minimum = 0)]
    pub count: i64,
}

impl From<Rating> for RatingView {
    fn from(rating: Rating) -> Self {
        // Half up, in whole hundredths: no binary float takes part.
        let average = (rating.count > 0).then(|| {
            let hundredths = (rating.sum * 200 + rating.count) / (rating.count * 2);
            number(format!("{}.{:02}", hundredths / 100, hundredths % 100))
        });
        Self { average, count: rating.count }
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
    pub image: Option<&'a str>,
}

impl<'a> ProductItem<'a> {
    /// The view of a product in a list.
    pub fn new(product: &'a Product, currency: Currency) -> Self {
        Self {
            core: ProductCore::new(product, currency),
            image: product.images.first().map(|image| image.url.as_str()),
        }
    }
}

/// A picture.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Image)]
pub struct ImageView<'a> {
    /// Its id.
    pub id: Uuid,
    /// Where it is.
    #[schema(example = "https://example.com/lamp.jpg")]
    pub url: &'a str,
    /// What it shows.
    pub alt: Option<&'a str>,
}

impl<'a> From<&'a Image> for ImageView<'a> {
    fn from(image: &'a Image) -> Self {
        Self { id: image.id.0, url: &image.url, alt: image.alt.as_deref() }
    }
}

/// A category named beside a product.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CategoryRef)]
pub struct CategoryRefView<'a> {
    /// Its id.
    pub id: Uuid,
    /// Its name.
    #[schema(example = "Lamps")]
    pub name: &'a str,
    /// Its name in URLs.
    #[schema(example = "lamps")]
    pub slug: &'a str,
}

impl<'a> From<&'a CategoryRef> for CategoryRefView<'a> {
    fn from(category: &'a CategoryRef) -> Self {
        Self { id: category.id.0, name: &category.name, slug: &category.slug }
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
    pub fn new(product: &'a Product, currency: Currency) -> Self {
        Self { core: ProductCore::new(product, currency), images: product.images.iter().map(ImageView::from).collect() }
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
    pub fn new(detail: &'a ProductDetail, currency: Currency) -> Self {
        Self {
            product: ProductFull::new(&detail.product, currency),
            category: detail.category.as_ref().map(CategoryRefView::from),
            reviews: detail.reviews.iter().map(ReviewView::from).collect(),
        }
    }
}

/// That something was done and left nothing to show.
#[derive(Debug, Serialize, ToSchema)]
pub struct Done {
    /// Always true.
    #[schema(example = true)]
    pub success: bool,
}

/// A change of stock.
#[derive(Debug, ToSchema)]
#[schema(as = StockAdjustment)]
pub struct StockBody {
    /// Pieces that came (positive) or went (negative).
    #[schema(schema_with = delta)]
    pub delta: i64,
    /// Only if exactly so many are on hand now.
    #[schema(example = 12, minimum = 0)]
    pub expected: Option<i64>,
    /// Why, for the audit log.
    #[schema(example = "damaged", max_length = 200)]
    pub reason: Option<String>,
}

/// A number of pieces that changes something.
fn delta() -> Schema {
    let came = Object::builder().schema_type(Type::Integer).minimum(Some(1)).maximum(Some(i32::MAX));
    let went = Object::builder().schema_type(Type::Integer).minimum(Some(i32::MIN)).maximum(Some(-1));
    OneOf::builder()
        .item(came)
        .item(went)
        .description(Some("Pieces that came (positive) or went (negative)."))
        .examples([serde_json::Value::from(-1)])
        .into()
}

/// What is on hand.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Stock)]
#[serde(rename_all = "camelCase")]
pub struct StockView {
    /// The product.
    pub product_id: Uuid,
    /// Pieces on hand.
    #[schema(example = 11, minimum = 0)]
    pub stock: i64,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn average(sum: i64, count: i64) -> Option<String> {
        RatingView::from(Rating { sum, count }).average.map(|raw| raw.get().to_owned())
    }

    #[test]
    fn a_rating_is_rounded_to_two_digits() {
        assert_eq!(average(13, 3).as_deref(), Some("4.33"));
        assert_eq!(average(14, 3).as_deref(), Some("4.67"));
        assert_eq!(average(37, 8).as_deref(), Some("4.63"));
        assert_eq!(average(0, 0), None);
    }

    #[test]
    fn a_price_is_written_exactly() {
        assert_eq!(price(Currency::EUR, Amount(1990)).get(), "19.90");
    }
}
