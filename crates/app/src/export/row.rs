//! A product as a row of a file.

use domain::{catalog::Product, money::Currency};
use serde::Serialize;
use serde_json::{Map, Value};

/// The columns of a CSV file, in order.
pub(super) const COLUMNS: [&str; 9] =
    ["sku", "name", "description", "price", "stock", "category", "images", "status", "metadata"];

/// What an import reads. Lists are written as lists, so that no character within an item can divide it.
#[derive(Debug, Serialize)]
pub(super) struct Row<'a> {
    sku: Option<&'a str>,
    name: &'a str,
    description: &'a str,
    /// A text, so that every reader keeps it exact.
    price: String,
    stock: i64,
    category: &'a [String],
    images: Vec<&'a str>,
    status: &'static str,
    metadata: &'a Map<String, Value>,
}

/// Pictures that are links: those that were uploaded stay with their product, and mean nothing elsewhere.
fn links(product: &Product) -> Vec<&str> {
    product.images.iter().filter(|image| image.picture.is_none()).map(|image| image.url.as_str()).collect()
}

impl<'a> Row<'a> {
    pub(super) fn of(product: &'a Product, category: Option<&'a [String]>, currency: Currency) -> Self {
        Self {
            sku: product.sku.as_deref(),
            name: &product.name,
            description: &product.description,
            price: currency.format(product.price),
            stock: product.stock,
            category: category.unwrap_or_default(),
            images: links(product),
            status: product.status.name(),
            metadata: &product.metadata,
        }
    }

    pub(super) fn cells(&self) -> serde_json::Result<[String; 9]> {
        Ok([
            self.sku.unwrap_or_default().to_owned(),
            self.name.to_owned(),
            self.description.to_owned(),
            self.price.clone(),
            self.stock.to_string(),
            serde_json::to_string(self.category)?,
            serde_json::to_string(&self.images)?,
            self.status.to_owned(),
            serde_json::to_string(self.metadata)?,
        ])
    }
}
