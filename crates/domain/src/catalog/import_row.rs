//! One row of a file on its way into the catalogue.

use serde_json::{Map, Value};

use super::{Category, NewProduct, ProductInput, category_input};
use crate::{error::Violations, shop::Rules};

/// A row as read, unchecked. What is absent stays as it is when the product exists.
#[derive(Debug, Clone, Default)]
pub struct ImportInput {
    /// Where the row stands in its file, counted from 1.
    pub line: u64,
    /// The product; its category, pictures and metadata are taken from the fields below.
    pub product: ProductInput,
    /// The names on the way down the category tree; empty for no category.
    pub category: Option<Vec<String>>,
    /// Addresses of pictures.
    pub images: Option<Vec<String>>,
    /// What else the file says.
    pub metadata: Option<Map<String, Value>>,
}

/// A checked [`ImportInput`].
#[derive(Debug, Clone)]
pub struct ImportRow {
    pub(super) line: u64,
    pub(super) sku: String,
    pub(super) new: NewProduct,
    pub(super) path: Vec<String>,
    pub(super) given: Given,
}

/// Which of the fields that may be absent are there.
#[derive(Debug, Clone, Copy)]
#[expect(clippy::struct_excessive_bools, reason = "five independent columns of a file")]
pub(super) struct Given {
    pub(super) description: bool,
    pub(super) stock: bool,
    pub(super) category: bool,
    pub(super) images: bool,
    pub(super) metadata: bool,
    pub(super) status: bool,
}

impl ImportInput {
    /// Checks the row by the rules of a product that is created, and by two more: it must have a sku, and the way to
    /// its category must be one that can be made.
    ///
    /// # Errors
    /// Every breach.
    pub fn check(self, rules: &Rules) -> Result<ImportRow, Violations> {
        let mut violations = Violations::default();
        let given = Given {
            description: self.product.description.is_some(),
            stock: self.product.stock.is_some(),
            category: self.category.is_some(),
            images: self.images.is_some(),
            metadata: self.metadata.is_some(),
            status: self.product.status.is_some(),
        };
        let path = self.category.unwrap_or_default();
        if path.len() > Category::DEPTH_MAX {
            let most = Category::DEPTH_MAX;
            violations.add("/category", "max_depth", format!("must lead at most {most} levels down the tree"));
        }
        for name in &path {
            violations.check("/category", category_input::name_rule(name));
        }
        if self.product.sku.is_none() {
            violations.add("/sku", "required", "is required for imports, so that a second run can find it");
        }
        let mut input = self.product;
        input.images = self.images.unwrap_or_default();
        input.metadata = self.metadata.unwrap_or_default();
        let new = input.check(rules, &mut violations);
        match new {
            Some(mut new) if violations.is_empty() => {
                let sku = new.sku.clone().unwrap_or_default();
                new.category = None;
                Ok(ImportRow { line: self.line, sku, new, path, given })
            }
            _ => Err(violations),
        }
    }
}

impl ImportRow {
    /// Where the row stands in its file.
    pub fn line(&self) -> u64 {
        self.line
    }

    /// The sku it is found by.
    pub fn sku(&self) -> &str {
        &self.sku
    }
}
