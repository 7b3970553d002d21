//! A set of places in the life of a product.

use super::ProductStatus;

/// Some statuses; a filter lets through what has one of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Statuses {
    draft: bool,
    published: bool,
    archived: bool,
}

impl Statuses {
    /// What open lists show.
    pub const PUBLISHED: Self = Self { draft: false, published: true, archived: false };

    /// True when the status is in the set.
    pub fn has(self, status: ProductStatus) -> bool {
        match status {
            ProductStatus::Draft => self.draft,
            ProductStatus::Published => self.published,
            ProductStatus::Archived => self.archived,
        }
    }

    /// Those in the set.
    pub fn iter(self) -> impl Iterator<Item = ProductStatus> {
        ProductStatus::ALL.into_iter().filter(move |status| self.has(*status))
    }

    /// True when nothing but published products can pass.
    pub fn is_open(self) -> bool {
        !self.draft && !self.archived
    }
}

impl FromIterator<ProductStatus> for Statuses {
    fn from_iter<I: IntoIterator<Item = ProductStatus>>(statuses: I) -> Self {
        let mut set = Self { draft: false, published: false, archived: false };
        for status in statuses {
            match status {
                ProductStatus::Draft => set.draft = true,
                ProductStatus::Published => set.published = true,
                ProductStatus::Archived => set.archived = true,
            }
        }
        set
    }
}

impl From<ProductStatus> for Statuses {
    fn from(status: ProductStatus) -> Self {
        Self::from_iter([status])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_holds_what_it_was_made_of() {
        let own = Statuses::from_iter([ProductStatus::Archived, ProductStatus::Draft, ProductStatus::Draft]);
        assert_eq!(own.iter().collect::<Vec<_>>(), [ProductStatus::Draft, ProductStatus::Archived]);
        assert!(!own.has(ProductStatus::Published) && !own.is_open());
        assert_eq!(Statuses::from(ProductStatus::Published), Statuses::PUBLISHED);
        assert!(Statuses::PUBLISHED.is_open());
    }
}
