//! What an administrator sends to change many products at once, and the rules it must keep.

use std::collections::BTreeSet;

use crate::{
    error::Violations,
    id::{CategoryId, ProductId},
    money::Percent,
};

/// Most products of one batch (CAT-15).
pub(super) const IDS_MAX: usize = 100;

/// A batch as sent, unchecked.
#[derive(Debug, Clone, Default)]
pub struct BatchInput {
    /// 1 to 100 different products.
    pub ids: Vec<ProductId>,
    /// The category they move to.
    pub category: Option<CategoryId>,
    /// The share taken off their prices, from 0 to 100.
    pub discount: Option<String>,
}

/// A checked [`BatchInput`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    pub(super) ids: Vec<ProductId>,
    pub(super) category: Option<CategoryId>,
    pub(super) discount: Option<Percent>,
}

impl BatchInput {
    /// Checks every field; breaches go to `violations`.
    pub fn check(self, violations: &mut Violations) -> Option<Batch> {
        let mut seen = BTreeSet::new();
        let repeated = self.ids.iter().position(|id| !seen.insert(*id));
        if let Some(place) = repeated {
            violations.add(format!("/ids/{place}"), "unique", "must not repeat an id");
        }
        let count = self.ids.len();
        let counted = (1..=IDS_MAX).contains(&count);
        if !counted {
            violations.add("/ids", "items", format!("must have 1 to {IDS_MAX} items, has {count}"));
        }
        if self.category.is_none() && self.discount.is_none() {
            violations.add("", "required", "must have categoryId, discount or both");
            return None;
        }
        let discount = match self.discount {
            Some(share) => violations.check("/discount", Percent::parse(&share)).map(Some),
            None => Some(None),
        };
        let discount = discount?;
        (repeated.is_none() && counted).then_some(Batch { ids: self.ids, category: self.category, discount })
    }
}
