//! What a seller sends to make or change a product, and the rules it must keep.

use serde_json::{Map, Value};

use super::ProductStatus;
use crate::{
    assets::image::is_address,
    error::{Breach, Violations},
    id::CategoryId,
    money::Amount,
    shop::Rules,
    text,
};

/// Most characters of a description (CAT-08).
const DESCRIPTION_MAX: usize = 1000;
/// Most characters of a sku.
const SKU_MAX: usize = 64;
/// Most pictures of a product (CAT-08).
pub const IMAGES_MAX: usize = 10;
/// Most characters of a picture's address.
const URL_MAX: usize = 2048;
/// Most bytes of metadata, written as JSON.
const METADATA_MAX: usize = 16 * 1024;
/// Most pieces on hand: what a 32-bit reader still counts.
pub const STOCK_MAX: i64 = 2_147_483_647;

/// A product as sent by a person, a file or another program, unchecked. Every door fills this one type, so that an
/// imported product cannot be told from a created one.
#[derive(Debug, Clone, Default)]
pub struct ProductInput {
    /// Required; how long it may be is the operator's rule.
    pub name: Option<String>,
    /// At most 1000 characters.
    pub description: Option<String>,
    /// Required: a decimal number in major units.
    pub price: Option<String>,
    /// Zero or more; zero when absent.
    pub stock: Option<i64>,
    /// The category.
    pub category: Option<CategoryId>,
    /// The seller's own number, at most 64 characters.
    pub sku: Option<String>,
    /// Addresses of pictures, at most 10.
    pub images: Vec<String>,
    /// One JSON object.
    pub metadata: Map<String, Value>,
    /// `published` when absent.
    pub status: Option<ProductStatus>,
}

/// A checked [`ProductInput`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewProduct {
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) price: Amount,
    pub(crate) stock: i64,
    pub(crate) category: Option<CategoryId>,
    pub(crate) sku: Option<String>,
    pub(crate) images: Vec<String>,
    pub(crate) metadata: Map<String, Value>,
    pub(crate) status: ProductStatus,
}

impl ProductInput {
    /// Checks every field; breaches go to `violations`.
    pub fn check(self, rules: &Rules, violations: &mut Violations) -> Option<NewProduct> {
        let name = match self.name {
            Some(name) => violations.check("/name", name_rule(&name, rules)),
            None => violations.missing("/name"),
        };
        let price = match self.price {
            Some(price) => violations.check("/price", price_rule(&price, rules)),
            None => violations.missing("/price"),
        };
        let description = violations.check("/description", description_rule(&self.description.unwrap_or_default()));
        let stock = violations.check("/stock", stock_rule(self.stock.unwrap_or_default()));
        let sku = match self.sku {
            Some(sku) => violations.check("/sku", text::line(&sku, 1, SKU_MAX)).map(Some),
            None => Some(None),
        };
        let images = images_rule(self.images, url_rule, violations);
        let metadata = violations.check("/metadata", metadata_rule(self.metadata));
        Some(NewProduct {
            name: name?,
            description: description?,
            price: price?,
            stock: stock?,
            category: self.category,
            sku: sku?,
            images: images?,
            metadata: metadata?,
            status: self.status.unwrap_or(ProductStatus::Published),
        })
    }
}

/// A change of a product: what is absent stays; what may be empty is emptied by `Some(None)`.
#[expect(clippy::option_option, reason = "absent, emptied and set are three different wishes")]
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProductPatch {
    pub(crate) name: Option<String>,
    pub(crate) description: Option<String>,
    pub(crate) price: Option<Amount>,
    pub(crate) stock: Option<i64>,
    pub(crate) category: Option<Option<CategoryId>>,
    pub(crate) sku: Option<Option<String>>,
    pub(crate) images: Option<Vec<String>>,
    pub(crate) metadata: Option<Map<String, Value>>,
    pub(crate) status: Option<ProductStatus>,
}

impl ProductPatch {
    /// Takes a new name.
    pub fn name(&mut self, name: &str, rules: &Rules, violations: &mut Violations) {
        self.name = violations.check("/name", name_rule(name, rules));
    }

    /// Takes a new description.
    pub fn description(&mut self, description: &str, violations: &mut Violations) {
        self.description = violations.check("/description", description_rule(description));
    }

    /// Takes a new price in major units.
    pub fn price(&mut self, price: &str, rules: &Rules, violations: &mut Violations) {
        self.price = violations.check("/price", price_rule(price, rules));
    }

    /// Takes a new number of pieces on hand.
    pub fn stock(&mut self, stock: i64, violations: &mut Violations) {
        self.stock = violations.check("/stock", stock_rule(stock));
    }

    /// Takes a new category, or none.
    pub fn category(&mut self, category: Option<CategoryId>) {
        self.category = Some(category);
    }

    /// Takes a new sku, or none.
    pub fn sku(&mut self, sku: Option<&str>, violations: &mut Violations) {
        self.sku = match sku {
            Some(sku) => violations.check("/sku", text::line(sku, 1, SKU_MAX)).map(Some),
            None => Some(None),
        };
    }

    /// Takes new pictures in place of the old ones. Uploaded ones stay where their address is named.
    pub fn images(&mut self, images: Vec<String>, violations: &mut Violations) {
        self.images = images_rule(images, kept_rule, violations);
    }

    /// Takes new metadata in place of the old.
    pub fn metadata(&mut self, metadata: Map<String, Value>, violations: &mut Violations) {
        self.metadata = violations.check("/metadata", metadata_rule(metadata));
    }

    /// Takes a new status.
    pub fn status(&mut self, status: ProductStatus) {
        self.status = Some(status);
    }
}

fn name_rule(name: &str, rules: &Rules) -> Result<String, Breach> {
    text::line(name, rules.name_min, rules.name_max)
}

fn description_rule(description: &str) -> Result<String, Breach> {
    text::paragraph(description, 0, DESCRIPTION_MAX)
}

fn price_rule(price: &str, rules: &Rules) -> Result<Amount, Breach> {
    let amount = rules.currency.parse(price)?;
    if amount.0 > 0 { Ok(amount) } else { Err(Breach::new("min", "must be greater than 0")) }
}

fn stock_rule(stock: i64) -> Result<i64, Breach> {
    if (0..=STOCK_MAX).contains(&stock) {
        Ok(stock)
    } else {
        Err(Breach::new("range", format!("must be a whole number from 0 to {STOCK_MAX}")))
    }
}

fn images_rule(
    images: Vec<String>,
    rule: impl Fn(&str) -> Result<(), Breach>,
    violations: &mut Violations,
) -> Option<Vec<String>> {
    if images.len() > IMAGES_MAX {
        violations.add("/images", "max_items", format!("must have at most {IMAGES_MAX} items, has {}", images.len()));
        return None;
    }
    let mut fit = true;
    for (i, image) in images.iter().enumerate() {
        fit &= violations.check(format!("/images/{i}"), rule(image)).is_some();
    }
    fit.then_some(images)
}

/// The address of a picture that may be an uploaded one of the same product.
fn kept_rule(url: &str) -> Result<(), Breach> {
    if is_address(url) { text::line(url, 1, URL_MAX).map(|_| ()) } else { url_rule(url) }
}

fn url_rule(url: &str) -> Result<(), Breach> {
    let url = text::line(url, 1, URL_MAX)?;
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
    let host = rest.map(|rest| rest.split(['/', '?', '#']).next().unwrap_or_default()).unwrap_or_default();
    if host.is_empty() || url.contains(|c: char| c.is_whitespace() || "<>\"\\".contains(c)) {
        return Err(Breach::new("url", "must be an http or https URL, such as https://example.com/lamp.jpg"));
    }
    Ok(())
}

fn metadata_rule(metadata: Map<String, Value>) -> Result<Map<String, Value>, Breach> {
    let size = serde_json::to_vec(&metadata).map_or(usize::MAX, |json| json.len());
    if size > METADATA_MAX {
        return Err(Breach::new("max_bytes", format!("must have at most {METADATA_MAX} bytes as JSON, has {size}")));
    }
    if holds_nul(&Value::Object(metadata.clone())) {
        return Err(Breach::new("control_character", "must not contain the character U+0000"));
    }
    Ok(metadata)
}

fn holds_nul(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains('\0'),
        Value::Array(items) => items.iter().any(holds_nul),
        Value::Object(map) => map.iter().any(|(key, value)| key.contains('\0') || holds_nul(value)),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn breaches(input: ProductInput) -> Vec<(String, &'static str)> {
        let mut violations = Violations::default();
        input.check(&Rules::default(), &mut violations);
        violations.iter().map(|v| (v.field.clone(), v.rule)).collect()
    }

    #[test]
    fn every_breach_is_told_at_once() {
        let input = ProductInput {
            name: Some("ab".into()),
            price: Some("0".into()),
            stock: Some(-1),
            images: vec!["https://a.example/x.jpg".into(), "ftp://b".into()],
            description: Some("x".repeat(1001)),
            ..ProductInput::default()
        };
        let expected = [
            ("/name", "min_length"),
            ("/price", "min"),
            ("/description", "max_length"),
            ("/stock", "range"),
            ("/images/1", "url"),
        ];
        assert_eq!(breaches(input), expected.map(|(field, rule)| (field.to_owned(), rule)));
    }

    #[test]
    fn category_images_and_the_rest_are_optional() {
        let input = ProductInput { name: Some("Lamp".into()), price: Some("19.95".into()), ..ProductInput::default() };
        let product = input.check(&Rules::default(), &mut Violations::default()).unwrap();
        assert_eq!((product.price, product.stock, product.status), (Amount(1995), 0, ProductStatus::Published));
    }

    #[test]
    fn a_missing_name_and_price_are_required() {
        assert_eq!(
            breaches(ProductInput::default()),
            [("/name".to_owned(), "required"), ("/price".to_owned(), "required")]
        );
    }
}
