//! Whether an adapter's search finds exactly what the naive reference finds (ruling R31).

use std::collections::BTreeSet;

use crate::{
    catalog::{
        Product, ProductStatus,
        policy::Scope,
        ports::ProductQueries,
        queries::{Order, ProductFilter, ProductSort, SortBy},
    },
    error::Result,
    id::ProductId,
    page::{Limit, PageRequest},
    text::{Search, search_text},
};

/// A query whose answer is walked to its end only up to here; beyond, the total is compared and this many ids.
const WALKED: usize = 5_000;

/// The published products of a catalogue, with the text each is found by.
#[derive(Debug)]
pub struct Reference(Vec<(ProductId, String)>);

impl Reference {
    /// The reference over these products.
    pub fn new<'a>(products: impl IntoIterator<Item = &'a Product>) -> Self {
        let shown = products.into_iter().filter(|product| product.status == ProductStatus::Published);
        Self(shown.map(|product| (product.id, search_text(&[&product.name, &product.description]))).collect())
    }

    /// What the reference finds.
    pub fn find(&self, query: &str) -> BTreeSet<ProductId> {
        let search = Search::new(query);
        self.0.iter().filter(|(_, text)| search.matches(text)).map(|(id, _)| *id).collect()
    }

    /// The queries for which the adapter finds something else, each with what differs. What it finds is walked in both
    /// ways a reader can: by pages with a total, and by cursor.
    pub async fn differences(&self, products: &dyn ProductQueries, queries: &[String]) -> Result<Vec<String>> {
        let mut differences = Vec::new();
        for query in queries {
            let expected = self.find(query);
            let mut filter = ProductFilter::published(Scope::Published);
            filter.search = Some(Search::new(query));
            let sort = ProductSort { by: SortBy::CreatedAt, order: Order::Descending };
            let page = products.list(&filter, sort, PageRequest { page: 1, limit: Limit::default() }).await?;
            if usize::try_from(page.total).ok() != Some(expected.len()) {
                differences.push(format!("{query:?}: the total is {} and should be {}", page.total, expected.len()));
            }
            let (mut found, mut after) = (BTreeSet::new(), None);
            loop {
                let most = Limit::new(Limit::MAX).unwrap_or_default();
                let slice = products.slice(&filter, sort, after, most).await?;
                found.extend(slice.items.into_iter().map(|item| item.product.id));
                after = slice.next;
                if after.is_none() || found.len() >= WALKED {
                    break;
                }
            }
            let extra = found.difference(&expected).count();
            let missing = if after.is_none() { expected.difference(&found).count() } else { 0 };
            if extra + missing > 0 {
                differences.push(format!("{query:?}: {missing} products are missing, {extra} should not be there"));
            }
        }
        Ok(differences)
    }
}
